package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// What nobody needs is found, weighed and removed: artifacts, attempts, locks, digests of files that are gone, records of
// runs before the last ones.
func TestGarbage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "store"))
	defer s.Close()
	commit(t, s, "kept", map[string]string{"a": "12345"})
	commit(t, s, "old", map[string]string{"a": "1234567", "b": "123"})
	linked := commit(t, s, "linked", map[string]string{"a": "123456789"})
	if err := os.Link(linked.Path("a"), filepath.Join(dir, "published")); err != nil {
		t.Fatal(err)
	}
	begin(t, s, "cut off")
	begin(t, s, "goes on")
	for _, key := range []store.Key{"old", "kept"} {
		unlock, err := s.Lock(t.Context(), key, nil)
		if err != nil {
			t.Fatal(err)
		}
		unlock()
	}
	for i, keys := range []map[string]store.Key{{"fit": "old"}, {"fit": "kept"}} {
		if err := s.Record(store.Record{Run: "mine", Ended: time.Unix(int64(i), 0), Nodes: keys}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Alone(); err != nil {
		t.Fatal(err)
	}
	needed := map[store.Key]bool{"kept": true, "goes on": true}
	g, err := s.Garbage(needed, 1)
	if err != nil {
		t.Fatal(err)
	}
	if freed, stays := g.Bytes(); len(g.Artifacts) != 2 || len(g.Attempts) != 1 || g.Locks != 1 || len(g.Records) != 1 || freed < 10 || stays != 9 {
		t.Fatalf("%d bytes, %d linked: %+v", freed, stays, g)
	}
	if err := g.Remove(); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[store.Key]error{"kept": nil, "old": store.ErrMissing, "linked": store.ErrMissing} {
		if _, err := s.Find(key); err != want {
			t.Errorf("%s: %v, want %v", key, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(s.Dir(), "attempts", "goes on", "state")); err != nil {
		t.Error(err)
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "published")); err != nil || string(raw) != "123456789" {
		t.Errorf("what was published: %q %v", raw, err)
	}
	if g, err = s.Garbage(needed, 1); err != nil || !g.Empty() {
		t.Errorf("after all was removed: %+v %v", g, err)
	}
}

// Nobody cleans up a store while others use it, and is told who does.
func TestAlone(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir), open(t, dir)
	var busy *store.Busy
	if err := s.Alone(); !errors.As(err, &busy) || !strings.Contains(err.Error(), "use") {
		t.Fatalf("%v, want *store.Busy", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Alone(); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error)
	go func() {
		late, err := store.Open(dir)
		if err == nil {
			err = late.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("the store was opened (%v) while somebody had it alone", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// A run that needs what the one before it needed takes its place: others are not driven out by repetition.
func TestRecordTakesThePlaceOfItsLike(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	for i, r := range []store.Record{
		{Run: "a", Nodes: map[string]store.Key{"fit": "1"}}, {Run: "b", Nodes: map[string]store.Key{"fit": "1"}},
		{Run: "a", Nodes: map[string]store.Key{"fit": "1"}}, {Run: "a", Nodes: map[string]store.Key{"fit": "2"}},
	} {
		r.Ended = time.Unix(int64(i), 0)
		if err := s.Record(r); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Records()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range all {
		got = append(got, r.Run+string(r.Nodes["fit"]))
	}
	if want := "a2 a1 b1"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// Whatever was made, lost or cleaned up before: what a root needs is there afterwards, and nothing else.
func TestGarbageProperty(t *testing.T) {
	base := inMemory(t)
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(base, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		keys := []store.Key{"k1", "k2", "k3", "k4"}
		have := map[store.Key]bool{}
		s := open(t, dir)
		t.Repeat(map[string]func(*rapid.T){
			"make": func(t *rapid.T) {
				k := rapid.SampledFrom(keys).Draw(t, "key")
				commit(t, s, k, map[string]string{"a": string(k)})
				have[k] = true
			},
			"begin": func(t *rapid.T) { begin(t, s, rapid.SampledFrom(keys).Draw(t, "key")) },
			"open again": func(t *rapid.T) {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, dir)
			},
			"clean up": func(t *rapid.T) {
				needed := map[store.Key]bool{}
				for _, k := range rapid.SliceOfDistinct(rapid.SampledFrom(keys), rapid.ID[store.Key]).Draw(t, "roots") {
					needed[k] = true
				}
				if err := s.Alone(); err != nil {
					t.Fatal(err)
				}
				g, err := s.Garbage(needed, 0)
				if err != nil {
					t.Fatal(err)
				}
				if err := g.Remove(); err != nil {
					t.Fatal(err)
				}
				for _, k := range keys {
					have[k] = have[k] && needed[k]
				}
			},
			"": func(t *rapid.T) {
				for _, k := range keys {
					if _, err := s.Find(k); (err == nil) != have[k] {
						t.Fatalf("%s: %v, want it there: %v", k, err, have[k])
					}
				}
			},
		})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// The last records of each run stay, however many others were written down since.
func TestLatest(t *testing.T) {
	all := []store.Record{{Run: "b"}, {Run: "b"}, {Run: "a"}, {Run: "b"}, {Run: "a"}}
	for n, want := range []string{" | b b a b a", "b a | b b a", "b b a a | b", "b b a b a | "} {
		names := func(records []store.Record) string {
			var out []string
			for _, r := range records {
				out = append(out, r.Run)
			}
			return strings.Join(out, " ")
		}
		last, older := store.Latest(all, n)
		if got := names(last) + " | " + names(older); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
