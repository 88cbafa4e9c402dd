package spec_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

var update = flag.Bool("update", false, "write the expected files of testdata")

// The sections of the fixtures: one field for each thing that Decode knows.
type training struct {
	Epochs    int           `yaml:"epochs" default:"50" min:"1" max:"1000"`
	Batch     int           `yaml:"batch" default:"20" min:"1"`
	Precision string        `yaml:"precision" default:"float32" enum:"float32|bfloat16|float64"`
	Patience  time.Duration `yaml:"patience" default:"1h"`
	Shuffle   bool          `yaml:"shuffle" default:"true"`
	Optimizer optimizer     `yaml:"optimizer" default:"{sgd: {lr: 0.01}}"`
	Common    `yaml:",inline"`
}

type Common struct {
	Note *string `yaml:"note"`
}

// optimizer is a map of one key: the kind.
type optimizer struct {
	Kind string
	SGD  sgd
}

type sgd struct {
	LR       float64 `yaml:"lr" required:"true" above:"0"`
	Momentum float64 `yaml:"momentum" min:"0" below:"1"`
}

func (o *optimizer) DecodeSpec(v *spec.Value, diags *diag.List) {
	var one struct {
		SGD *sgd `yaml:"sgd" required:"true"`
	}
	spec.Decode(v, &one, diags)
	if one.SGD != nil {
		o.Kind, o.SGD = "sgd", *one.SGD
	}
}

type dataset struct {
	CSV    string                 `yaml:"csv" required:"true"`
	Where  string                 `yaml:"where"`
	With   spec.OneOrMany[string] `yaml:"with"`
	Labels map[string]int         `yaml:"labels"`
	Maps   spec.Named[humanMap]   `yaml:"maps"`
	Split  spec.OneOrMany[string] `yaml:"split" enum:"train|test"`
	Raw    *spec.Value            `yaml:"raw"`
}

type humanMap struct {
	Files string `yaml:"files" required:"true"`
}

type term struct {
	Term   string  `yaml:"term" required:"true" enum:"cross_entropy|cyborg"`
	Weight float64 `yaml:"weight" default:"1" min:"0"`
}

var sections = map[string]any{
	"train":    (*training)(nil),
	"datasets": (*spec.Named[dataset])(nil),
	"losses":   (*spec.Named[[]term])(nil),
}

// load is what a caller does: load, then decode its sections, then see whether there were problems.
func load(path string, o spec.Options) (*spec.Document, *diag.List) {
	if o.Env == nil {
		o.Env = func(string) (string, bool) { return "", false }
	}
	d, diags := spec.Load(path, o)
	if d == nil {
		return nil, diags
	}
	var train training
	var datasets spec.Named[dataset]
	var losses spec.Named[[]term]
	spec.Decode(d.Root.Get("train"), &train, diags)
	spec.Decode(d.Root.Get("datasets"), &datasets, diags)
	spec.Decode(d.Root.Get("losses"), &losses, diags)
	return d, diags
}

// Each folder of testdata/spec is one construct: in.yaml, what it extends, and args (a line each: --set key=value,
// --profile NAME, NAME=value for the environment, "any section") give out.yaml or errors.txt.
func TestFixtures(t *testing.T) {
	folders, err := filepath.Glob("testdata/spec/*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Chdir(folder)
			d, diags := load("in.yaml", arguments(t))
			want, got, other := "out.yaml", []byte(nil), "errors.txt"
			if diags.Len() > 0 {
				var text bytes.Buffer
				diag.Write(&text, diags.All())
				want, got, other = "errors.txt", text.Bytes(), "out.yaml"
			} else {
				got = d.YAML()
			}
			if *update {
				_ = os.Remove(other)
				if err := os.WriteFile(want, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			expected, err := os.ReadFile(want)
			if err != nil {
				t.Fatalf("%v; the fixture gives:\n%s", err, got)
			}
			if diff := cmp.Diff(string(expected), string(got)); diff != "" {
				t.Errorf("%s (-expected +got):\n%s", want, diff)
			}
			if want == "out.yaml" {
				reloads(t, d)
			}
		})
	}
}

// reloads checks that the resolved document loads again to itself.
func reloads(t interface{ Fatalf(string, ...any) }, d *spec.Document) {
	text := d.YAML()
	again, diags := spec.Load("resolved.yaml", spec.Options{
		Env:      func(string) (string, bool) { return "", false },
		ReadFile: func(string) ([]byte, error) { return text, nil },
	})
	if err := diags.Err(); err != nil {
		t.Fatalf("the resolved document does not load: %v\n%s", err, text)
	}
	if !again.Root.Equal(d.Root) {
		t.Fatalf("another document after loading it again:\n%s\n%s", text, again.YAML())
	}
	if second := again.YAML(); !bytes.Equal(text, second) {
		t.Fatalf("other bytes after loading it again:\n%s\n%s", text, second)
	}
}

func arguments(t *testing.T) spec.Options {
	o := spec.Options{Sections: sections}
	env := map[string]string{}
	o.Env = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	text, err := os.ReadFile("args")
	if err != nil {
		return o
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		name, value, ok := strings.Cut(line, "=")
		switch {
		case strings.HasPrefix(line, "--set "):
			o.Set = append(o.Set, strings.TrimPrefix(line, "--set "))
		case line == "any section": // keys that no type is registered for
			o.Sections = nil
		case strings.HasPrefix(line, "--profile "):
			o.Profile = strings.TrimPrefix(line, "--profile ")
		case ok:
			env[name] = value
		default:
			t.Fatalf("args: %q", line)
		}
	}
	return o
}

// Codes of this package alone; the others are for those who build graphs and read data.
func TestEveryCodeHasAFixture(t *testing.T) {
	files, _ := filepath.Glob("testdata/spec/*/errors.txt")
	var seen []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\[(E\d+)\]`).FindAllStringSubmatch(string(text), -1) {
			seen = append(seen, m[1])
		}
	}
	for _, e := range spec.Explanations() {
		if graph := e.Code[1] == '2' && e.Code != spec.BadMatrix || e.Code[1] == '4'; !graph && !slices.Contains(seen, e.Code) {
			t.Errorf("no fixture reports %s (%s)", e.Code, e.Title)
		}
	}
}
