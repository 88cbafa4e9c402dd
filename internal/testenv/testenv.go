// Package testenv finds what tests need from outside of the project: the shared folder beside the checkout (real data,
// golden values, the Python reference) and a Python with PyTorch. A test that misses one of them skips and says so.
package testenv

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Root is the module's root folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}

// Shared is the path of a file or folder in ../shared beside the checkout (or in CYBORG_SHARED); the test skips where
// it is missing.
func Shared(t testing.TB, name string) string {
	t.Helper()
	base := os.Getenv("CYBORG_SHARED")
	if base == "" {
		base = filepath.Join(Root(t), "..", "shared")
	}
	path := filepath.Join(base, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there: this test reads it in place (set CYBORG_SHARED to the folder that holds it)", name)
	}
	return path
}

// Python is the interpreter named by CYBORG_PYTHON; the test skips where none is named.
func Python(t testing.TB) string {
	t.Helper()
	python := os.Getenv("CYBORG_PYTHON")
	if python == "" {
		t.Skip("CYBORG_PYTHON names no Python with PyTorch, torchvision and Pillow: parity is not tested")
	}
	return python
}

// Networks is Python that defines build(name, classes): the networks of package nn in PyTorch, under the same names.
//
//go:embed networks.py
var Networks string

// RunPython runs a script (its text) with arguments and returns what it prints; a failure of it fails the test.
func RunPython(t testing.TB, script string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(Python(t), append([]string{"-c", script}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python: %v", err)
	}
	return out
}
