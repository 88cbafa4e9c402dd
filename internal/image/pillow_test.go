package image_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// digests are what Pillow makes of one file: SHA-256 by operation, such as "RGB", "L", "RGB 7 bilinear".
type digests struct {
	Path string
	Mode string
	Ops  map[string]string
}

// pillow.py holds two functions: `make` writes test files of every kind, `describe` prints the digests of files.
func pillow(t *testing.T, args ...string) (all []digests) {
	t.Helper()
	script, err := os.ReadFile("testdata/pillow.py")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(testenv.RunPython(t, string(script), args...), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("Pillow described no file")
	}
	return all
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// compare does with each file what Pillow did and wants the same bytes.
func compare(t *testing.T, all []digests) {
	t.Helper()
	operations := 0
	for _, want := range all {
		m, err := image.Open(want.Path, image.Limits{})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if string(m.Mode) != want.Mode {
			t.Errorf("%s: mode %s, Pillow says %s", want.Path, m.Mode, want.Mode)
		}
		names := make([]string, 0, len(want.Ops))
		for name := range want.Ops {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			operations++
			if got := apply(t, m, name); digest(got) != want.Ops[name] {
				t.Errorf("%s (%s, %d x %d): %s differs from Pillow's", filepath.Base(want.Path), m.Mode, m.W, m.H, name)
			}
		}
	}
	t.Logf("%d files, %d operations", len(all), operations)
}

func apply(t *testing.T, m *image.Image, operation string) []byte {
	t.Helper()
	words := strings.Fields(operation)
	var w, h int
	filter := image.Bilinear
	if len(words) == 3 {
		if err := json.Unmarshal([]byte("["+strings.Replace(words[1], "x", ",", 1)+"]"), &[]any{&w, &h}); err != nil {
			t.Fatal(err)
		}
		filter = image.Filter(words[2])
	}
	switch {
	case words[0] == "RGB" && w == 0:
		return m.RGB().Pix
	case words[0] == "RGB":
		return m.RGB().Resize(w, h, filter).Pix
	case w == 0:
		return m.Grey().Pix
	}
	return m.Grey().Resize(w, h, filter).Pix
}

func TestPillow(t *testing.T) {
	t.Run("every_kind_of_file", func(t *testing.T) {
		compare(t, pillow(t, "make", t.TempDir()))
	})
	t.Run("photographs", func(t *testing.T) {
		compare(t, pillow(t, append([]string{"describe"}, photographs(t)...)...))
	})
}

// photographs are the real ones beside the checkout, read in place.
func photographs(t *testing.T) (paths []string) {
	t.Helper()
	for _, folder := range []string{"data/faces", "data/cyborg", "data/osie"} {
		root := testenv.Shared(t, folder)
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if ext := filepath.Ext(path); err == nil && (ext == ".jpg" || ext == ".png") {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return paths
}
