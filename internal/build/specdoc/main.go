// Command specdoc writes docs/spec.md, the reference of what a spec may say, and specs/cyborg-run.schema.json, the same
// for editors.
//
// What every spec has (version, params, matrix, ...) is prose in spec.md.tmpl. The sections come from the Go types that
// read them: keys, types, defaults and limits by reflection on the struct tags, what a key is from the comment of its
// field. So the reference cannot say what the program does not do; a test holds the page to the types.
//
// `go generate ./stages` runs it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root, err := moduleRoot()
	if err == nil {
		err = write(root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "specdoc:", err)
		os.Exit(1)
	}
}

// page is the place of the reference below the module's root.
const page = "docs/spec.md"

// generated is what makes each file.
var generated = map[string]func(root string) ([]byte, error){page: render, schemaPage: schema}

func write(root string) error {
	for place, make := range generated {
		text, err := make(root)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(place)), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// moduleRoot is the folder with go.mod, at or above the working directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod at or above the working directory")
		}
		dir = parent
	}
}
