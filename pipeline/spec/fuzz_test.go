package spec_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Whatever a file holds, loading ends, does not panic, and either reports a problem or gives a document that loads
// again to itself.
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
		f.Add(raw, "train.epochs=3")
	}
	base := []byte("version: 1\nparams: {seeds: 2}\nlist: [1]\nmap: {a: 1}\n")
	f.Fuzz(func(t *testing.T, main []byte, set string) {
		_, diags := load("in.yaml", spec.Options{Set: []string{set}, Sections: sections, ReadFile: func(path string) ([]byte, error) {
			switch path {
			case "in.yaml":
				return main, nil
			case "base.yaml", "a.yaml", "one.yaml":
				return base, nil
			}
			return nil, errors.New("no such file")
		}})
		if diags.Len() > 0 {
			return
		}
		d, _ := spec.Load("in.yaml", spec.Options{ReadFile: func(path string) ([]byte, error) {
			if path == "in.yaml" {
				return main, nil
			}
			return base, nil
		}, Env: func(string) (string, bool) { return "", false }})
		reloads(t, d)
	})
}

// Conditions come from specs too.
func FuzzCondition(f *testing.F) {
	env := map[string]any{"split": "train", "n": 3, "list": []any{1, 2}, "mean": func(x float64) float64 { return x }}
	for _, code := range []string{`split == "train"`, `n > 2 and all(list, # > 0)`, `mean(n)`, `let x = 1; x > 0`, `split matches "("`, `(((`, `list[9] == 1`,
		`all(1..1000, all(1..1000, all(1..1000, true)))`, `len(map(1..10000, "xxxxxxxxxxxxxxxx" + string(#))) > 0`} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		c, err := spec.ParseBool(code, env)
		if err == nil {
			_, _ = c.Holds(env)
		}
	})
}
