package image_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// digests are what Pillow makes of one file: SHA-256 by operation, such as "RGB", "L", "RGB 7x9 bilinear".
type digests struct {
	Path        string
	Mode        string
	Orientation int
	Ops         map[string]string
	Error       string // why Pillow refuses the file
}

// pillow runs testdata/pillow.py: with a kind, it writes files of that kind to the folder named first and describes them;
// without, it describes the files that are named.
func pillow(t *testing.T, kind string, args ...string) (all []digests) {
	t.Helper()
	var script strings.Builder
	for _, part := range []string{"pillow", kind, "print"} {
		if part == "" {
			continue
		}
		text, err := os.ReadFile("testdata/" + part + ".py")
		if err != nil {
			t.Fatal(err)
		}
		script.Write(text)
	}
	if err := json.Unmarshal(testenv.RunPython(t, script.String(), args...), &all); err != nil {
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

// compare does with each file what Pillow did and wants the same bytes, and an error where Pillow has one. Files called
// refused- are read by Pillow alone.
func compare(t *testing.T, all []digests) {
	t.Helper()
	operations, refused := 0, 0
	for _, want := range all {
		m, err := image.Open(want.Path, image.Limits{})
		if strings.HasPrefix(filepath.Base(want.Path), "refused-") {
			refused++
			if !errors.Is(err, image.ErrUnsupported) || !strings.HasSuffix(err.Error(), "; convert it to PNG") {
				t.Errorf("%s: %v, want a refusal", filepath.Base(want.Path), err)
			}
			continue
		}
		if want.Error != "" {
			refused++
			if err == nil {
				t.Errorf("%s: no error; Pillow says %s", filepath.Base(want.Path), want.Error)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if string(m.Mode) != want.Mode || m.Orientation != want.Orientation {
			t.Errorf("%s: mode %s, orientation %d, Pillow says %s and %d",
				filepath.Base(want.Path), m.Mode, m.Orientation, want.Mode, want.Orientation)
		}
		var differ []string
		for _, name := range slices.Sorted(maps.Keys(want.Ops)) {
			operations++
			if got := apply(t, m, name); digest(got) != want.Ops[name] {
				differ = append(differ, name)
			}
		}
		if len(differ) > 0 {
			t.Errorf("%s (%s, %d x %d): other bytes than Pillow's: %s",
				filepath.Base(want.Path), m.Mode, m.W, m.H, strings.Join(differ, ", "))
		}
	}
	t.Logf("%d files, %d operations; %d files are refused", len(all), operations, refused)
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
	for _, kind := range []string{"jpeg", "png", "png_rows", "bmp", "webp", "tiff", "resize"} {
		t.Run(kind, func(t *testing.T) { compare(t, pillow(t, kind, t.TempDir())) })
	}
	t.Run("photographs", func(t *testing.T) { compare(t, pillow(t, "", photographs(t)...)) })
	t.Run("photographs_in_other_formats", func(t *testing.T) {
		args := []string{t.TempDir()}
		for i, path := range photographs(t) {
			if i%12 == 0 {
				args = append(args, path)
			}
		}
		compare(t, pillow(t, "again", args...))
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
