package spec_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// docs/errors.md is written from the list of codes: go generate ./pipeline/spec.
func TestErrorsPageIsCurrent(t *testing.T) {
	var page bytes.Buffer
	page.WriteString("# Errors\n\nEach problem that cyborg-run finds in a spec, or in the lists that it names, has a code. This page is generated from `pipeline/spec/codes.go`.\n")
	chapters := map[byte]string{'1': "Reading and types", '2': "Stages, data sets and what they refer to", '3': "Expressions", '4': "Lists and images"}
	last := byte(0)
	for _, e := range spec.Explanations() {
		if e.Code[1] != last {
			last = e.Code[1]
			fmt.Fprintf(&page, "\n## %s\n", chapters[last])
		}
		fmt.Fprintf(&page, "\n### %s: %s\n\n%s\n", e.Code, e.Title, e.Text)
	}
	path := filepath.Join(testenv.Root(t), "docs", "errors.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, page.Bytes()) {
		t.Error("docs/errors.md is not what the codes say: run go generate ./pipeline/spec")
	}
}
