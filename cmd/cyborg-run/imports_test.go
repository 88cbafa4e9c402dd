package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cyborg-run/cyborg-run/"

// imported is what `go list` says of one package in the program's import graph.
type imported struct {
	ImportPath string
	Standard   bool
	CgoFiles   []string
	CFiles     []string
	CXXFiles   []string
	Error      *struct{ Err string }
}

// imports lists the program's import graph. cgo says whether packages may use it.
func imports(t *testing.T, cgo string) []imported {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Standard,CgoFiles,CFiles,CXXFiles,Error", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []imported
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p imported
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestNoCgo proves that the runner needs no C: it starts in milliseconds and runs on machines without libtorch.
func TestNoCgo(t *testing.T) {
	t.Run("none_where_cgo_is_on", func(t *testing.T) {
		for _, p := range imports(t, "1") {
			if !p.Standard && len(p.CgoFiles)+len(p.CFiles)+len(p.CXXFiles) > 0 {
				t.Errorf("%s uses cgo (%v %v %v)", p.ImportPath, p.CgoFiles, p.CFiles, p.CXXFiles)
			}
		}
	})
	t.Run("whole_where_cgo_is_off", func(t *testing.T) {
		all := imports(t, "0")
		for _, p := range all {
			if p.Error != nil {
				t.Errorf("%s: %s", p.ImportPath, p.Error.Err)
			}
			if len(p.CgoFiles) > 0 {
				t.Errorf("%s uses cgo (%v)", p.ImportPath, p.CgoFiles)
			}
		}
		if len(all) < 50 {
			t.Errorf("%d packages are listed: the list is not the program's", len(all))
		}
	})
}

// TestTheWall names the packages behind which tensors and exact images begin.
func TestTheWall(t *testing.T) {
	for _, p := range imports(t, "1") {
		path, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		switch path {
		case "internal/torch", "internal/model", "internal/loss", "internal/image":
			t.Errorf("%s is in the runner's import graph", path)
		}
		if strings.HasPrefix(path, "stages/") && strings.HasSuffix(path, "/worker") {
			t.Errorf("%s is in the runner's import graph: only its stage may be", path)
		}
	}
}

// TestCgoHasTwoDoors: libtorch is bound by internal/torch alone, libjpeg-turbo and libdeflate by internal/image.
func TestCgoHasTwoDoors(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", "{{if .CgoFiles}}{{.ImportPath}}{{end}}", module+"...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Fields(string(out)), []string{module + "internal/image", module + "internal/torch"}; !slices.Equal(got, want) {
		t.Errorf("cgo is used by %v, want %v", got, want)
	}
}
