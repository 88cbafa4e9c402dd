package spec_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// document loads a spec that has no problems.
func document(t *testing.T, f files, set ...string) *spec.Document {
	t.Helper()
	o := f.options()
	o.Set = set
	d, diags := spec.Load("specs/in.yaml", o)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestValuesKnowTheirPlaceAndPath(t *testing.T) {
	d := document(t, files{
		"specs/in.yaml":     "version: 1\nextends: base/b.yaml\nlosses:\n  cyborg: [{weight: 0.5}]\n",
		"specs/base/b.yaml": "version: 1\ntrain:\n  epochs: 50\n",
	}, "train.batch=3")
	for _, c := range []struct {
		v    *spec.Value
		want string
	}{
		{d.Root.Get("losses").Get("cyborg").List()[0].Get("weight"), "losses.cyborg.0.weight 0.5 specs/in.yaml:4:21"},
		{d.Root.Get("train").Get("epochs"), "train.epochs 50 specs/base/b.yaml:3:11"},
		{d.Root.Get("train").Get("batch"), "train.batch 3 --set train.batch=3"},
	} {
		if got := fmt.Sprint(c.v.Path(), " ", c.v.Text(), " ", c.v.Pos); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if want := []string{"specs/in.yaml", "specs/base/b.yaml"}; !slices.Equal(d.Sources, want) {
		t.Errorf("sources %v", d.Sources)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, bytes.Repeat([]byte("# text\n"), 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.yaml"): "no such file",
		dir:                             "this is a folder",
		os.DevNull:                      "this is no regular file",
		large:                           "the file has more than 4 MiB",
	} {
		d, diags := spec.Load(path, spec.Options{})
		if err := diags.Err(); d != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// The rule of the package comment, path by path.
func TestRelativePathsStartWhereTheyWereWritten(t *testing.T) {
	f := files{
		"specs/in.yaml": "version: 1\nextends: base/b.yaml\nparams: {mine: data, fromenv: '${env(\"DATA\")}', set: x}\n" +
			"p: {own: a.csv, absolute: /a.csv, param: '${mine}/a.csv', env: '${env(\"DATA\")}/a.csv', env_param: '${fromenv}/a.csv', set: '${set}/a.csv', behind: 'x/${set}.csv', empty: '', up: ../a.csv}\n",
		"specs/base/b.yaml": "version: 1\nparams: {mine: base, theirs: base}\np: {base: a.csv, base_mine: '${mine}/a.csv', base_theirs: '${theirs}/a.csv'}\n",
	}
	o := f.options()
	o.Env = func(string) (string, bool) { return "envdata", true }
	o.Set = []string{"set=setdata", "p.typed=b.csv"}
	d, diags := spec.Load("specs/in.yaml", o)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range d.Root.Get("p").Names() {
		got[name] = d.Root.Get("p").Get(name).Resolve()
	}
	want := map[string]string{
		"own": "specs/a.csv", "absolute": "/a.csv", "param": "specs/data/a.csv", "up": "a.csv", "empty": "",
		"env": "envdata/a.csv", "env_param": "envdata/a.csv", "set": "setdata/a.csv", "typed": "b.csv", "behind": "specs/x/setdata.csv",
		"base": "specs/base/a.csv", "base_mine": "specs/data/a.csv", "base_theirs": "specs/base/base/a.csv",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if want := []string{"DATA"}; !slices.Equal(d.Env, want) {
		t.Errorf("asked the environment for %v", d.Env)
	}
}

func TestProfiles(t *testing.T) {
	text := "version: 1\nprofile: '${env(\"D\") == \"\" ? \"demo\" : \"paper\"}'\nparams: {seeds: 10}\nprofiles: {paper: {}, demo: {params: {seeds: 2}}}\n"
	for _, c := range []struct {
		name, flag, env, profile, origin string
		seeds                            int
		set                              []string
	}{
		{name: "expression", profile: "demo", origin: "the spec's expression", seeds: 2},
		{name: "environment", env: "x", profile: "paper", origin: "the spec's expression", seeds: 10},
		{name: "flag_wins", flag: "paper", profile: "paper", origin: "--profile", seeds: 10},
		{name: "set_wins_over_profile", set: []string{"seeds=7"}, profile: "demo", origin: "the spec's expression", seeds: 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := files{"in.yaml": text}.options()
			o.Profile, o.Set, o.Env = c.flag, c.set, func(string) (string, bool) { return c.env, c.env != "" }
			d, diags := spec.Load("in.yaml", o)
			if err := diags.Err(); err != nil {
				t.Fatal(err)
			}
			if d.Profile != c.profile || d.ProfileOrigin != c.origin || d.Params["seeds"] != c.seeds {
				t.Errorf("profile %q by %q with seeds %v", d.Profile, d.ProfileOrigin, d.Params["seeds"])
			}
			if !slices.Equal(d.ProfileNames, []string{"paper", "demo"}) {
				t.Errorf("profiles %v", d.ProfileNames)
			}
		})
	}
}

// cells is the combinations of a matrix as texts.
func cells(m spec.Matrix) [][]string {
	var out [][]string
	for _, cell := range m.Cells() {
		var texts []string
		for _, p := range cell {
			texts = append(texts, p.Text)
		}
		out = append(out, texts)
	}
	return out
}

func TestMatrixCellsAreTheProductInOrder(t *testing.T) {
	d := document(t, files{"specs/in.yaml": "version: 1\nstages: {fit: {uses: train, needs: [a, b], epochs: 3, matrix: {loss: [b, a], seed: 2}}}\n"})
	fit := d.Stages[0]
	got := fmt.Sprintf("%s %s %s %v %v %d", fit.Name, fit.Uses.Text(), fit.Needs[1].Text(), fit.Params.Names(), cells(fit.Matrix), fit.Matrix.Size())
	if want := "fit train b [epochs] [[b 1] [b 2] [a 1] [a 2]] 4"; got != want {
		t.Errorf("got %q", got)
	}
	if cells := (spec.Matrix{}).Cells(); len(cells) != 1 || len(cells[0]) != 0 {
		t.Errorf("no axes make %v", cells)
	}
}

func TestDecode(t *testing.T) {
	d := document(t, files{"specs/in.yaml": `version: 1
train: {epochs: 3.0, patience: 90s, optimizer: {sgd: {lr: 1}}, note: hi}
datasets:
  b: {csv: x, with: a, labels: {Real: 0}, raw: {any: [1, two]}}
  a: {csv: y, with: [b, c], split: [train, test], maps: {human: {files: h}}}
`}, "datasets.a.where=3")
	var train training
	var sets spec.Named[dataset]
	var diags diag.List
	spec.Decode(d.Root.Get("train"), &train, &diags)
	spec.Decode(d.Root.Get("datasets"), &sets, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	note := "hi"
	want := training{Epochs: 3, Batch: 20, Precision: "float32", Patience: 90 * time.Second, Shuffle: true,
		Optimizer: optimizer{Kind: "sgd", SGD: sgd{LR: 1}}, Common: Common{Note: &note}}
	if diff := cmp.Diff(want, train); diff != "" {
		t.Error(diff)
	}
	b, a := sets.Get("b"), sets.Get("a")
	got := fmt.Sprintf("%v %v %v %v %v %v %s %s", sets.Names(), b.With, b.Labels, b.Raw.Any(), a.With, a.Split, a.Maps.Get("human").Files, a.Where)
	if want := "[b a] [a] map[Real:0] map[any:[1 two]] [b c] [train test] h 3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDefaultsHoldWithoutAValue(t *testing.T) {
	var defaults training
	var diags diag.List
	spec.Decode(nil, &defaults, &diags)
	if diags.Len() > 0 {
		t.Error(diags.Err())
	}
	if defaults.Epochs != 50 || defaults.Patience != time.Hour || defaults.Optimizer.SGD.LR != 0.01 {
		t.Errorf("defaults %+v", defaults)
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"epochs", "batch", "optimizer", "len", "one"}
	for word, want := range map[string]string{
		"epoch": "epochs", "epcohs": "epochs", "Batch": "batch", "optimiser": "optimizer", "lne": "len", "zebra": "", "": "", "x": "",
	} {
		if want != "" {
			want = fmt.Sprintf(", did you mean %q?", want)
		}
		if got := spec.Suggest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
