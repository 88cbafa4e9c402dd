package spec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Each place that is said is opened, and what stands there is the value, or the expression that made it.
func TestOriginsAreWhereTheValuesStand(t *testing.T) {
	t.Chdir(t.TempDir())
	texts := map[string]string{
		"in.yaml": "version: 1\nextends: base/middle.yaml\nprofile: full\nparams: {rate: 0.25}\nlist+: [é, \"two words\"]\n" +
			"profiles:\n  full: {}\n  demo: {train: {epochs: 7}, params: {seeds: 4}}\n",
		"base/middle.yaml": "version: 1\nextends: root.yaml\nparams:\n  rate: 0.5\n  seeds: {default: 2, help: trainings}\n  twice: '${seeds * 2}'\n" +
			"list: [one]\nmap: {empty: {}, none: [], nothing: , \"quoted key\": 'it''s'}\n",
		"base/root.yaml": "version: 1\ntitle: >\n  folded text\ntrain:\n  batch: 12\n  optimizer: {sgd: {lr: '${rate}'}}\n  note: 'with ${twice} and ${env(\"WHO\")}'\n" +
			"stages:\n  fit: {uses: train, epochs: 3, matrix: {seed: '${seeds}', loss: [a, b], exclude: [{loss: b, seed: 1}]}}\n",
	}
	for name, text := range texts {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d, diags := spec.Load("in.yaml", spec.Options{Profile: "demo", Set: []string{"twice=9", "train.precision=float64", "stages.fit.matrix.loss.1=c", "stages.fit.matrix.exclude=[{loss: c}]"},
		Sections: map[string]any{"train": (*training)(nil), "list": (*[]string)(nil), "map": (*any)(nil)}, Env: func(string) (string, bool) { return "me", true }})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	all := d.Origins(sections)
	var lines []string
	for _, o := range all {
		lines = append(lines, o.Path+" = "+o.Value.Brief()+" "+said(o.Place))
		stands(t, o.Path, o.Value, o.Place)
	}
	for _, want := range []string{
		"title = \"folded text\\n\" base/root.yaml:2:8",
		"params.seeds = 4 in.yaml:8:46 [demo]",
		"params.twice = 9 --set twice=9",
		"params.rate = 0.25 in.yaml:4:16",
		"list.0 = one base/middle.yaml:7:8",
		"list.1 = é in.yaml:5:9",
		"map.empty = {} base/middle.yaml:8:14",
		"train.epochs = 7 in.yaml:8:26 [demo]",
		"train.batch = 12 base/root.yaml:5:10",
		"train.patience = 1h default",
		"train.precision = float64 --set train.precision=float64",
		"train.optimizer.sgd.lr = 0.25 base/root.yaml:6:25 params.rate(in.yaml:4:16)",
		"train.note = with 9 and me base/root.yaml:7:9 params.twice(--set twice=9) env(WHO)(-)",
		"stages.fit.epochs = 3 base/root.yaml:9:30",
		"stages.fit.matrix.seed = 4 base/root.yaml:9:48 params.seeds(in.yaml:8:46 [demo])",
		"stages.fit.matrix.loss.0 = a base/root.yaml:9:67",
		"stages.fit.matrix.loss.1 = c --set stages.fit.matrix.loss.1=c",
		"stages.fit.matrix.exclude.0.loss = c --set stages.fit.matrix.exclude=[{loss: c}]",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("not there: %q", want)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(lines, "\n"))
	}
}

// said is a place in one word for each thing that it says.
func said(p spec.Place) string {
	words := p.Pos.String()
	if p.Default {
		words = "default"
	}
	if p.Profile != "" {
		words += " [" + p.Profile + "]"
	}
	for _, via := range p.Via {
		words += " " + via.Name + "(" + said(via.Place) + ")"
	}
	return words
}

// stands opens a place.
func stands(t *testing.T, path string, v *spec.Value, p spec.Place) {
	t.Helper()
	for _, via := range p.Via {
		if strings.HasPrefix(via.Name, "params.") {
			stands(t, path+", "+via.Name, nil, via.Place)
		}
	}
	if p.Default || path == "name" {
		return
	}
	line := p.Pos.File // an argument of the command line
	if p.Pos.Line > 0 {
		raw, err := os.ReadFile(p.Pos.File)
		if err != nil {
			t.Error(err)
			return
		}
		line = strings.Split(string(raw), "\n")[p.Pos.Line-1]
	}
	if p.Pos.Column < 1 || p.Pos.Column > len([]rune(line))+1 {
		t.Errorf("%s: %s: there is no such column", path, p.Pos)
		return
	}
	rest := strings.TrimLeft(string([]rune(line)[p.Pos.Column-1:]), `'"`)
	switch {
	case v == nil:
		return
	case len(p.Via) > 0:
		if !strings.Contains(rest, "${") {
			t.Errorf("%s: %s: no expression but %q", path, p.Pos, rest)
		}
	case v.Kind == spec.List || v.Kind == spec.Map:
		if !strings.HasPrefix(rest, "[") && !strings.HasPrefix(rest, "{") {
			t.Errorf("%s: %s: %q", path, p.Pos, rest)
		}
	case strings.HasPrefix(rest, ">"), v.Kind == spec.Null:
	default:
		if !strings.HasPrefix(strings.ReplaceAll(rest, "''", "'"), v.Text()) {
			t.Errorf("%s: %s: %q is not %s", path, p.Pos, rest, fmt.Sprint(v.Any()))
		}
	}
}
