package cli_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Every code of docs/errors.md is really reported: by a fixture of the loader, or by a script here.
func TestEveryCodeIsShown(t *testing.T) {
	seen := map[string]bool{}
	code := regexp.MustCompile(`\bE\d{3}\b`)
	for _, dir := range []string{"internal/cli/testdata", "pipeline/spec/testdata/spec"} {
		err := filepath.WalkDir(filepath.Join(testenv.Root(t), dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".txtar" && d.Name() != "errors.txt" {
				return err
			}
			text, err := os.ReadFile(path)
			for _, c := range code.FindAllString(string(text), -1) {
				seen[c] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range spec.Explanations() {
		if !seen[e.Code] {
			t.Errorf("%s (%s) is reported by no fixture and no script", e.Code, e.Title)
		}
	}
}

// Every spec that is given out names the schema that editors read.
func TestEverySpecNamesItsSchema(t *testing.T) {
	root := testenv.Root(t)
	modeline := regexp.MustCompile(`\A# yaml-language-server: \$schema=(\S+)\n`)
	found := 0
	for _, dir := range []string{"specs", "examples"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			locked, _ := filepath.Match("*.lock.yaml", d.Name())
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" || locked {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if !regexp.MustCompile(`(?m)^version:`).Match(text) {
				return nil // a file of another program, such as one of CI
			}
			found++
			m := modeline.FindSubmatch(text)
			if m == nil {
				t.Errorf("%s: the first line names no schema: # yaml-language-server: $schema=...", path)
			} else if _, err := os.Stat(filepath.Join(filepath.Dir(path), string(m[1]))); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 7 {
		t.Errorf("%d specs were found: the walk has lost some", found)
	}
}
