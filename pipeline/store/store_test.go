package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

func open(t rapid.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// inMemory is a folder that costs no disk where there is one: a store writes every file through, and a property does so
// thousands of times.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "cyborg-test-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func write(t rapid.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func begin(t rapid.TB, s *store.Store, key store.Key) *store.Attempt {
	t.Helper()
	try, err := s.Begin(key)
	if err != nil {
		t.Fatal(err)
	}
	return try
}

// commit makes the artifact of a key out of files by name.
func commit(t rapid.TB, s *store.Store, key store.Key, files map[string]string) *store.Artifact {
	t.Helper()
	try := begin(t, s, key)
	var needed []string
	for name, text := range files {
		write(t, filepath.Join(try.Dir, "out", name), text)
		needed = append(needed, name)
	}
	a, err := try.Commit(store.Manifest{Node: "fit", Kind: "train"}, needed)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCommitAndFind(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	const key = "k1"
	if _, err := s.Find(key); err != store.ErrMissing {
		t.Fatalf("%v, want %v itself: nothing was there", err, store.ErrMissing)
	}
	try := begin(t, s, key)
	write(t, filepath.Join(try.Dir, "out", "final.pth"), "weights")
	write(t, filepath.Join(try.Dir, "out", "cams", "mean.png"), "picture")
	write(t, filepath.Join(try.Dir, "state", "checkpoint.pth"), "half way")
	made, err := try.Commit(store.Manifest{Node: "fit[seed=1]", Kind: "train", Parts: []store.Part{{Name: "params.lr", Value: "0.02"}},
		Environment: map[string]string{"libtorch": "2.11.0"}}, []string{"final.pth", "cams"})
	if err != nil {
		t.Fatal(err)
	}
	found, err := open(t, dir).Find(key)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range found.Outputs {
		got = append(got, o.Name)
		info, err := os.Stat(found.Path(o.Name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o444 {
			t.Errorf("%s: %v, want read-only", o.Name, info.Mode())
		}
	}
	if d := cmp.Diff([]string{"cams/mean.png", "final.pth"}, got); d != "" {
		t.Error(d)
	}
	if found.Node != "fit[seed=1]" || found.Key != key || found.Environment["libtorch"] != "2.11.0" || len(found.Parts) != 1 {
		t.Errorf("the manifest lost something: %+v", found.Manifest)
	}
	if made.Digest("") != found.Digest("") || made.Digest("cams") == made.Digest("") || made.Digest("final.pth") == made.Digest("cams") {
		t.Errorf("digests: all %s, cams %s, final.pth %s", made.Digest(""), made.Digest("cams"), made.Digest("final.pth"))
	}
	for _, gone := range []string{filepath.Join(found.Dir, "state"), try.Dir} {
		if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", gone, err)
		}
	}
	if err := s.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find(key); err != store.ErrMissing {
		t.Errorf("after Remove: %v", err)
	}
}

func TestCommitNeedsItsOutputs(t *testing.T) {
	s := open(t, t.TempDir())
	try := begin(t, s, "k1")
	write(t, filepath.Join(try.Dir, "out", "last.pth"), "weights")
	_, err := try.Commit(store.Manifest{Node: "fit"}, []string{"last.pth", "final.pth"})
	if want := "fit finished without its output final.pth"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := s.Find("k1"); err != store.ErrMissing {
		t.Errorf("it is there all the same: %v", err)
	}
}

// Find looks at every output: what was deleted or changed makes the artifact worthless and is named.
func TestFindNoticesDamage(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(path string) error
		want string // "": none
	}{
		"deleted":   {os.Remove, "output scores.csv was deleted"},
		"cut":       {func(p string) error { return os.Truncate(p, 3) }, "output scores.csv was changed"},
		"longer":    {func(p string) error { return os.WriteFile(p, []byte("abcdefgh"), 0o644) }, "output scores.csv was changed"},
		"one_byte":  {func(p string) error { return os.WriteFile(p, []byte("abcdeF"), 0o644) }, "output scores.csv was changed"},
		"replaced":  {func(p string) error { return rewrite(p, "abcdeF") }, "output scores.csv was changed"},
		"a_folder":  {func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) }, "output scores.csv was deleted"},
		"touched":   {func(p string) error { return os.Chtimes(p, time.Now(), time.Now().Add(-time.Hour)) }, ""},
		"same_copy": {func(p string) error { return rewrite(p, "abcdef") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			a := commit(t, s, "k1", map[string]string{"scores.csv": "abcdef", "metrics.json": "{}"})
			path := a.Path("scores.csv")
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := c.harm(path); err != nil {
				t.Fatal(err)
			}
			_, err := s.Find("k1")
			switch {
			case c.want == "" && err != nil:
				t.Errorf("%v, want no error", err)
			case c.want != "" && (!errors.Is(err, store.ErrMissing) || !strings.HasSuffix(err.Error(), c.want)):
				t.Errorf("%v, want %v: %s", err, store.ErrMissing, c.want)
			}
		})
	}
}

// rewrite puts a new file in the place of an old one.
func rewrite(path, text string) error {
	return errors.Join(os.WriteFile(path+".new", []byte(text), 0o644), os.Rename(path+".new", path))
}

func TestFindADamagedManifest(t *testing.T) {
	s := open(t, t.TempDir())
	a := commit(t, s, "k1", map[string]string{"x": "1"})
	if err := rewrite(filepath.Join(a.Dir, "manifest.json"), "{"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find("k1"); !errors.Is(err, store.ErrMissing) || !strings.Contains(err.Error(), "manifest is damaged") {
		t.Errorf("%v", err)
	}
	commit(t, s, "k1", map[string]string{"x": "1"}) // a damaged one is in nobody's way
	if _, err := s.Find("k1"); err != nil {
		t.Error(err)
	}
}

// The digest of a folder changes with a name as with a byte, and not with the order in which files were made.
func TestFolderDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := rapid.MapOfN(rapid.StringMatching(`[ab]{1,3}(/[ab]{1,2})?x`), rapid.StringN(0, 4, -1), 1, 5).Draw(t, "files")
		other := rapid.MapOfN(rapid.StringMatching(`[ab]{1,3}(/[ab]{1,2})?x`), rapid.StringN(0, 4, -1), 1, 5).Draw(t, "other")
		digest := func(files map[string]string) store.Digest {
			dir, err := os.MkdirTemp("", "digest-*")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			a := &store.Artifact{}
			for name, text := range files {
				path := filepath.Join(dir, "f")
				write(t, path, text)
				d, err := store.DigestFile(path)
				if err != nil {
					t.Fatal(err)
				}
				a.Outputs = append(a.Outputs, store.Output{Name: name, Digest: d})
			}
			sortOutputs(a.Outputs)
			return a.Digest("")
		}
		if same := cmp.Equal(files, other); same != (digest(files) == digest(other)) {
			t.Fatalf("equal %v, digests %s and %s", same, digest(files), digest(other))
		}
		if again := digest(files); again != digest(files) {
			t.Fatal("two digests of the same files")
		}
	})
}

func sortOutputs(outputs []store.Output) {
	for i := range outputs {
		for j := range i {
			if outputs[i].Name < outputs[j].Name {
				outputs[i], outputs[j] = outputs[j], outputs[i]
			}
		}
	}
}

// A store is a map from keys to files that forgets what was harmed, whoever opens it and whatever was cut off in it.
func TestStoreProperty(t *testing.T) {
	base := inMemory(t)
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(base, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		s := open(t, dir)
		have := map[store.Key]map[string]string{}
		key := func(t *rapid.T) store.Key { return rapid.SampledFrom([]store.Key{"k1", "k2", "k3"}).Draw(t, "key") }
		file := func(t *rapid.T, k store.Key) string {
			var names []string
			for name := range have[k] {
				names = append(names, name)
			}
			return filepath.Join(dir, "artifacts", string(k), "out", rapid.SampledFrom(names).Draw(t, "file"))
		}
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				k := key(t)
				files := rapid.MapOfN(rapid.StringMatching(`([ab]/)?[cd]`), rapid.StringMatching(`.{1,9}`), 1, 3).Draw(t, "files")
				commit(t, s, k, files)
				have[k] = files
			},
			"cut off": func(t *rapid.T) {
				write(t, filepath.Join(begin(t, s, key(t)).Dir, "out", "half"), "a half")
			},
			"delete an output": func(t *rapid.T) {
				k := key(t)
				if have[k] == nil {
					t.Skip("nothing there")
				}
				if err := os.Remove(file(t, k)); err != nil {
					t.Fatal(err)
				}
				delete(have, k)
			},
			"change a byte": func(t *rapid.T) {
				k := key(t)
				if have[k] == nil {
					t.Skip("nothing there")
				}
				path := file(t, k)
				raw, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				raw[0] ^= 1
				if err := rewrite(path, string(raw)); err != nil {
					t.Fatal(err)
				}
				delete(have, k)
			},
			"remove": func(t *rapid.T) {
				k := key(t)
				if err := s.Remove(k); err != nil {
					t.Fatal(err)
				}
				delete(have, k)
			},
			"open again": func(t *rapid.T) {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, dir)
			},
			"": func(t *rapid.T) {
				for _, k := range []store.Key{"k1", "k2", "k3"} {
					a, err := s.Find(k)
					if (err == nil) != (have[k] != nil) {
						t.Fatalf("%s: %v, want %v", k, err, have[k])
					}
					for name, text := range have[k] {
						if raw, err := os.ReadFile(a.Path(name)); err != nil || string(raw) != text {
							t.Fatalf("%s %s: %q %v, want %q", k, name, raw, err, text)
						}
					}
				}
			},
		})
	})
}

// One at a time holds a key, however many want it; the others are told that they wait.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	var inside, waited atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s := open(t, dir) // as another process would
			unlock, err := s.Lock(t.Context(), "k1", func() { waited.Add(1) })
			if err != nil {
				t.Error(err)
				return
			}
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d hold the lock", n)
			}
			time.Sleep(5 * time.Millisecond)
			inside.Add(-1)
			unlock()
		})
	}
	all.Wait()
	if waited.Load() == 0 {
		t.Error("eight wanted the key at once and none was told to wait")
	}
}

func TestLockEndsWithItsContext(t *testing.T) {
	s := open(t, t.TempDir())
	unlock, err := s.Lock(t.Context(), "k1", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = s.Lock(ctx, "k1", cancel) // stopped as soon as it waits
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	other, err := s.Lock(t.Context(), "k2", func() { t.Error("another key is free") })
	if err != nil {
		t.Fatal(err)
	}
	other()
}

func TestLast(t *testing.T) {
	s := open(t, t.TempDir())
	if got := s.Last("mine@demo"); len(got) != 0 {
		t.Errorf("before the first run: %v", got)
	}
	want := map[string][]store.Part{"fit": {{Name: "params.lr", Value: "0.02"}}}
	if err := s.SetLast("mine@demo", want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, s.Last("mine@demo")); d != "" {
		t.Error(d)
	}
	if got := s.Last("mine"); len(got) != 0 {
		t.Errorf("the history of another run: %v", got)
	}
	write(t, filepath.Join(s.Dir(), "last", "mine@demo"), "{")
	if got := s.Last("mine@demo"); len(got) != 0 {
		t.Errorf("a damaged history: %v", got)
	}
}

// Files always gives the digests of the bytes that are there, whether it remembers them or not.
func TestFilesAreRemembered(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rows.csv")
	write(t, path, "first")
	s := open(t, filepath.Join(dir, "store"))
	digest := func() store.Digest {
		t.Helper()
		got, err := s.Files([]string{path})
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := store.DigestFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Digest != fresh || got[0].Name != path {
			t.Fatalf("%+v, want %s", got[0], fresh)
		}
		return fresh
	}
	first := digest()
	time.Sleep(2100 * time.Millisecond) // until the file's change is settled: see settled
	digest()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	memory, err := os.ReadFile(filepath.Join(s.Dir(), "digests"))
	if err != nil || !strings.Contains(string(memory), string(first)) {
		t.Fatalf("the digest was not kept: %s %v", memory, err)
	}
	s = open(t, s.Dir())
	digest()
	old, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, "other") // in place, as long, and with the old time
	if err := os.Chtimes(path, old.ModTime(), old.ModTime()); err != nil {
		t.Fatal(err)
	}
	if digest() == first {
		t.Error("a changed file has its old digest")
	}
	write(t, filepath.Join(s.Dir(), "digests"), "}")
	s = open(t, s.Dir())
	digest()
}

func TestFilesMissing(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "a")
	_, err := open(t, filepath.Join(dir, "store")).Files([]string{filepath.Join(dir, "a"), filepath.Join(dir, "b")})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "b")) {
		t.Errorf("%v, want an error that names the missing file", err)
	}
}

// Many files are hashed at once, and come back in the order in which they were asked for.
func TestFilesKeepOrder(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for i := range 100 {
		paths = append(paths, filepath.Join(dir, fmt.Sprint(i)))
		write(t, paths[i], fmt.Sprint(i))
	}
	got, err := open(t, filepath.Join(dir, "store")).Files(paths)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range got {
		want, err := store.DigestFile(paths[i])
		if err != nil {
			t.Fatal(err)
		}
		if o.Name != paths[i] || o.Digest != want {
			t.Fatalf("%d: %+v, want %s", i, o, want)
		}
	}
}
