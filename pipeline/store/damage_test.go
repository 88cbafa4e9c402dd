package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// However an artifact is harmed, it is not taken for one that is there, and can be made again. A byte that changes behind
// the back of size, time and inode is seen by Verify alone, and then by all who come after.
func TestHarmedArtifacts(t *testing.T) {
	for name, c := range map[string]struct {
		harm   func(dir string) error
		want   string
		hidden bool // from the look at sizes and times
	}{
		"output_cut":       {harm: func(dir string) error { return os.Truncate(filepath.Join(dir, "out", "a"), 2) }, want: "output a was changed"},
		"output_gone":      {harm: func(dir string) error { return os.Remove(filepath.Join(dir, "out", "a")) }, want: "output a was deleted"},
		"output_linked":    {harm: func(dir string) error { return linked(filepath.Join(dir, "out", "a")) }, want: "output a was deleted"},
		"outputs_linked":   {harm: func(dir string) error { return linked(filepath.Join(dir, "out")) }, want: "its folder of outputs was deleted"},
		"outputs_gone":     {harm: func(dir string) error { return os.RemoveAll(filepath.Join(dir, "out")) }, want: "its folder of outputs was deleted"},
		"manifest_damaged": {harm: func(dir string) error { return os.WriteFile(filepath.Join(dir, "manifest.json"), []byte("{"), 0o644) }, want: "its manifest is damaged"},
		"manifest_gone":    {harm: func(dir string) error { return os.Remove(filepath.Join(dir, "manifest.json")) }, want: "its manifest was deleted"},
		"all_gone":         {harm: os.RemoveAll, want: store.ErrMissing.Error()},
		"byte_flipped":     {harm: flip, want: "output a was changed, though its size and time are as they were", hidden: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			defer s.Close()
			a := commit(t, s, "k1", map[string]string{"a": "abcdef", "b": "b"})
			if _, err := s.Find("k1"); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(a.Path("a"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := c.harm(a.Dir); err != nil {
				t.Fatal(err)
			}
			if c.hidden {
				if _, err := s.Find("k1"); err != nil {
					t.Fatalf("%v: the size and times are as they were", err)
				}
				s.Verify()
			}
			for _, look := range []string{"first", "second"} {
				if _, err := s.Find("k1"); !errors.Is(err, store.ErrMissing) || !strings.HasSuffix(err.Error(), c.want) {
					t.Errorf("%s look: %v, want %s", look, err, c.want)
				}
			}
			other := open(t, s.Dir()) // which reads nothing in full
			defer other.Close()
			if _, err := other.Find("k1"); !errors.Is(err, store.ErrMissing) {
				t.Errorf("to another run it is there: %v", err)
			}
			commit(t, s, "k1", map[string]string{"a": "abcdef", "b": "b"})
			if _, err := s.Find("k1"); err != nil {
				t.Errorf("made again: %v", err)
			}
		})
	}
}

// linked moves a file or folder away and leaves a link to it.
func linked(path string) error {
	return errors.Join(os.Rename(path, path+".moved"), os.Symlink(path+".moved", path))
}

func flip(dir string) error {
	path := filepath.Join(dir, "out", "a")
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(path, []byte("abcdeF"), 0o644), os.Chtimes(path, info.ModTime(), info.ModTime()))
}

// A file that was changed with its size and every time as before would keep its digest; Rehash reads it all the same.
func TestRehash(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	write(t, path, "first")
	s := open(t, filepath.Join(dir, "store"))
	defer s.Close()
	store.Forge(t, s, path, "blake3:forged")
	if got, err := s.Files([]string{path}); err != nil || got[0].Digest != "blake3:forged" {
		t.Fatalf("%v %v: what is remembered was not taken", got, err)
	}
	s.Rehash()
	want, err := store.DigestFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Files([]string{path}); err != nil || got[0].Digest != want {
		t.Errorf("%v %v, want %s", got, err, want)
	}
}

// What only saves time may fail to be written: a store where there is no room for it can be read, and closed.
func TestCloseWithoutRoom(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	write(t, path, "first")
	past := time.Now().Add(-time.Hour)
	s := open(t, filepath.Join(dir, "store"))
	for _, name := range []string{"digests", "index"} {
		write(t, filepath.Join(dir, "store", name, "in the way"), "")
	}
	store.Forge(t, s, path, "blake3:forged")
	if err := os.Chtimes(path, past, past); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Files([]string{path}); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
