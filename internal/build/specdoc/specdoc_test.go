package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// docs/spec.md and the JSON Schema are what the types say.
func TestThePagesAreCurrent(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	for place, make := range generated {
		want, err := make(root)
		if err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(place)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is not what the types and the template say: run go generate ./stages", place)
		}
	}
}

// Every section that specs may have is on the page, under a heading of its own.
func TestEverySectionIsDescribed(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	text, err := render(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(stages.Sections())) {
		heading := regexp.MustCompile(`(?m)^### ` + name + `(\.NAME(\[\])?)?$`)
		if !heading.Match(text) {
			t.Errorf("the section %s is not described", name)
		}
	}
}

func headings(text []byte) (anchors []string) {
	for _, line := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllSubmatch(text, -1) {
		anchors = append(anchors, anchor(string(line[1])))
	}
	return anchors
}

// Links between the pages lead to files, and to headings where they name one.
func TestLinksLeadSomewhere(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range pages(t, root) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`).FindAllSubmatch(text, -1) {
			target, heading := file, string(link[2])
			if len(link[1]) > 0 {
				target = filepath.Join(filepath.Dir(file), filepath.FromSlash(string(link[1])))
			}
			there, err := os.ReadFile(target)
			if info, missing := os.Stat(target); missing != nil {
				t.Errorf("%s: a link leads to %s, which is not there", filepath.Base(file), link[1])
			} else if heading != "" && (info.IsDir() || err != nil || !slices.Contains(headings(there), heading)) {
				t.Errorf("%s: a link leads to %s#%s, which is no heading", filepath.Base(file), link[1], heading)
			}
		}
	}
}

func pages(t *testing.T, root string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages in docs: %v", err)
	}
	return files
}

// Whole specs in the documentation load without a diagnostic; what belongs to no whole spec has no version.
func TestExamplesInTheDocumentationAreGood(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range pages(t, root) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```yaml\n(version: .*?)```").FindAllSubmatch(text, -1) {
			found++
			path := filepath.Join(t.TempDir(), "example.yaml")
			if err := os.WriteFile(path, block[1], 0o644); err != nil {
				t.Fatal(err)
			}
			doc, diags := spec.Load(path, spec.Options{Sections: stages.Sections()})
			if diags.Len() == 0 {
				_, err = experiment.Build(doc, stages.Kinds(), experiment.Options{NoFiles: true}, diags)
			}
			if err != nil || diags.Len() > 0 {
				t.Errorf("%s: %v\n%v\n%s", filepath.Base(page), err, diags.Err(), block[1])
			}
		}
	}
	if found == 0 {
		t.Error("no whole spec is in the documentation: the pattern that finds them has lost them")
	}
}

func TestNameless(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"Epochs", "Epochs is how often\nall is seen.", "How often all is seen."},
		{"Notes", "Notes are what a reader must know.", "What a reader must know."},
		{"Where", "Where keeps the rows.", "Keeps the rows."},
		{"Precision", "Precision of the arithmetic.", "Precision of the arithmetic."},
		{"Size", "Size any allows maps of another size.", "Size any allows maps of another size."},
		{"LR", "The learning rate.", "The learning rate."},
	} {
		if got := nameless(test.name, test.text); got != test.want {
			t.Errorf("nameless(%q, %q) = %q, want %q", test.name, test.text, got, test.want)
		}
	}
}

func TestTables(t *testing.T) {
	type inner struct {
		Deep uint64 `yaml:"deep" default:"7"`
	}
	type outer struct {
		Must  string                 `yaml:"must" required:"true" enum:"|a|b"`
		Some  int                    `yaml:"some" min:"1" max:"100000"`
		Inner inner                  `yaml:"inner"`
		Words map[string]string      `yaml:"words"`
		Names spec.Named[inner]      `yaml:"names"`
		List  []inner                `yaml:"list"`
		Files spec.OneOrMany[string] `yaml:"files"`
	}
	pkg := reflect.TypeFor[outer]().PkgPath()
	s := newSource("", module)
	s.packages[pkg] = &packageDoc{
		types: map[string]string{"outer": "outer is one.", "inner": "inner is another."},
		fields: map[string]map[string]string{
			"outer": {"Must": "Must is text.", "Some": "Some is more than Must.", "Inner": "Inner holds it.", "Words": "Words.", "Names": "Names.", "List": "List.", "Files": "Files."},
			"inner": {"Deep": "Deep down."},
		},
	}
	got, err := s.tables("part", reflect.TypeFor[outer]())
	if err != nil {
		t.Fatal(err)
	}
	want := []table{
		{"part", "One.", []row{
			{"must", "text", "**required**", "`a`, `b`", "Text."},
			{"some", "whole number", "`0`", "1 to 100,000", "More than `must`."},
			{"inner", "map", "", "", "Holds it."},
			{"inner.deep", "whole number", "`7`", "at least 0", "Deep down."},
			{"words", "map of texts", "none", "", "Words."},
			{"names", "map by names of yours", "", "", "Names. See [below](#partnamesname)."},
			{"list", "list of maps", "", "", "List. See [below](#partlist)."},
			{"files", "text or list of texts", "none", "", "Files."},
		}},
		{"part.names.NAME", "Another.", []row{{"deep", "whole number", "`7`", "at least 0", "Deep down."}}},
		{"part.list[]", "Another.", []row{{"deep", "whole number", "`7`", "at least 0", "Deep down."}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("tables:\n%+v\nwant\n%+v", got, want)
	}
	delete(s.packages[pkg].fields["inner"], "Deep")
	if _, err := s.tables("part", reflect.TypeFor[outer]()); err == nil || !strings.Contains(err.Error(), "Deep") {
		t.Errorf("a field without a comment gave the error %v", err)
	}
}
