package spec_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Whatever a file, --set and --profile hold, loading ends, does not panic, and either reports a problem or gives a
// document that loads again to itself, whose matrices have as many cells as they say and whose values know their places.
func FuzzLoad(f *testing.F) {
	fixtures, err := filepath.Glob("testdata/spec/*/in.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range fixtures {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "train.epochs=3", "demo")
	}
	matrix := "version: 1\nparams: {n: 2}\nprofiles: {demo: {stages: {fit: {matrix: {exclude+: [{b: 1}]}}}}}\n" +
		"stages: {fit: {uses: train, matrix: {a: [x, y], b: '${n}', c: [1, 2], zip: [a, c], exclude: [{a: x, b: [1]}], include: [{a: z, b: 9, c: 7}]}}}\n"
	for _, set := range []string{"n=3", "stages.fit.matrix.a.1=q", "stages.fit.matrix.zip=[b, c]", "stages.fit.matrix.include=[{a: ${n}, b: 1, c: 1}]",
		"stages.fit.matrix.exclude.0.b=${[1, n]}", "train={optimizer: {sgd: {lr: ${n / 2}}}}", "train.patience=90s", "datasets.x.maps.y.files=z"} {
		f.Add([]byte(matrix), set, "")
		f.Add([]byte(matrix), set, "demo")
	}
	base := []byte("version: 1\nparams: {seeds: 2}\nlist: [1]\nmap: {a: 1}\n")
	f.Fuzz(func(t *testing.T, main []byte, set, profile string) {
		o := spec.Options{Set: []string{set}, Profile: profile, Sections: sections, ReadFile: func(path string) ([]byte, error) {
			switch path {
			case "in.yaml":
				return main, nil
			case "base.yaml", "a.yaml", "one.yaml":
				return base, nil
			}
			return nil, errors.New("no such file")
		}}
		d, diags := load("in.yaml", o)
		if diags.Len() > 0 {
			return
		}
		reloads(t, d)
		for _, o := range d.Origins(sections) {
			if p := o.Place; !p.Default && p.Pos.File == "" {
				t.Fatalf("%s has no place", o.Path)
			}
			if o.Value.Brief() == "" {
				t.Fatalf("%s has no words", o.Path)
			}
		}
		for _, s := range d.Stages {
			if s.Matrix.Size() > 10_000 {
				continue
			}
			cells := s.Matrix.Cells()
			seen := map[string]bool{}
			for _, cell := range cells {
				name := ""
				for i, p := range cell {
					name += s.Matrix.Axes[i].Name + "=" + p.Text + ","
				}
				seen[name] = true
			}
			if len(cells) != s.Matrix.Size() || len(seen) != len(cells) || len(cells) == 0 {
				t.Fatalf("%d cells, %d of them different, size %d", len(cells), len(seen), s.Matrix.Size())
			}
		}
	})
}

// An expression of a spec, with parameters of every kind.
func FuzzExpression(f *testing.F) {
	for _, code := range []string{"n", "n + 1", "text + string(n)", "map(list, # * 2)", `env("HOME") == "" ? "a" : "b"`, "1..n", "list[0]", `{"a": list}`, "m.k", "m?.none ?? n",
		`text matches "a+"`, `text matches text`, "uniq(concat(list, list))", "sort(list) | take(2)", "filter(1..1000, any(1..1000, # == 7))", "$env", "let x = n; x",
		`split(text, "")`, "2 ** n", "n % 0", "list[9]", "sum(map(1..100, #))", `all(list, {# > 0})`, "median(list)", `"\u00e9" + text`} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		quoted := strings.ReplaceAll(code, "'", "''")
		file := "version: 1\nname: x\nparams: {n: 3, rate: 0.5, text: abab, list: [3, 1, 2], m: {k: v}, on: true}\nvalue: '${" + quoted + "}'\nwithin: 'a ${" + quoted + "}'\n"
		d, diags := spec.Load("in.yaml", files{"in.yaml": file}.options())
		if diags.Len() == 0 {
			reloads(t, d)
		}
	})
}
