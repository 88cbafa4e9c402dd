package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Garbage is what a store holds and nobody needs. Bytes are those that removing it gives back: a file that is linked from
// a run's folder too gives none.
type Garbage struct {
	Artifacts []Waste // by key
	Attempts  []Waste // cut off, and of no use to a run that goes on from here
	Locks     int     // lock files of keys that are gone
	Digests   int     // remembered, of files that are gone
	Records   []string
	Kept      Waste // all that stays

	store *Store
}

// Waste is a folder of the store.
type Waste struct {
	Key    Key
	Node   string // "" where nothing says
	Files  int
	Bytes  int64 // given back
	Linked int64 // not given back, since files are linked from elsewhere
}

// Garbage finds what none of the keys needs. records is how many of the latest records of each run stay; what those needed
// must be among the keys. The caller has the store alone, or only looks.
func (s *Store) Garbage(needed map[Key]bool, records int) (*Garbage, error) {
	g := &Garbage{store: s}
	for _, sub := range []struct {
		name string
		into *[]Waste
	}{{"artifacts", &g.Artifacts}, {"attempts", &g.Attempts}} {
		entries, err := os.ReadDir(filepath.Join(s.dir, sub.name))
		if err != nil {
			return nil, fmt.Errorf("look for garbage: %w", err)
		}
		for _, e := range entries {
			key := Key(e.Name())
			w, err := weigh(filepath.Join(s.dir, sub.name, e.Name()))
			if err != nil {
				return nil, fmt.Errorf("look for garbage: %w", err)
			}
			w.Key = key
			if needed[key] {
				g.Kept.Files += w.Files
				g.Kept.Bytes += w.Bytes + w.Linked
				continue
			}
			if a, err := s.Load(key); err == nil && sub.name == "artifacts" {
				w.Node = a.Node
			}
			*sub.into = append(*sub.into, w)
		}
	}
	locks, err := os.ReadDir(filepath.Join(s.dir, "locks"))
	if err != nil {
		return nil, fmt.Errorf("look for garbage: %w", err)
	}
	for _, l := range locks {
		if !needed[Key(l.Name())] {
			g.Locks++
		}
	}
	s.memory.load()
	for path := range s.memory.files {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			g.Digests++
		}
	}
	all, err := s.Records()
	if err != nil {
		return nil, err
	}
	_, older := Latest(all, records)
	for _, r := range older {
		g.Records = append(g.Records, r.path)
	}
	return g, nil
}

// Empty tells that there is nothing to free.
func (g *Garbage) Empty() bool {
	return len(g.Artifacts)+len(g.Attempts)+g.Locks+g.Digests+len(g.Records) == 0
}

// Bytes is what Remove gives back.
func (g *Garbage) Bytes() (freed, linked int64) {
	for _, w := range slices.Concat(g.Artifacts, g.Attempts) {
		freed += w.Bytes
		linked += w.Linked
	}
	return freed, linked
}

// Remove takes the garbage away. The caller must have the store alone.
func (g *Garbage) Remove() error {
	s := g.store
	for _, w := range g.Artifacts {
		if err := s.Remove(w.Key); err != nil {
			return fmt.Errorf("remove the artifact of %s: %w", w.Node, err)
		}
	}
	for _, w := range g.Attempts {
		if err := removeAll(filepath.Join(s.dir, "attempts", string(w.Key))); err != nil {
			return fmt.Errorf("remove an attempt: %w", err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, "locks"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		_, err := os.Stat(filepath.Join(s.dir, "artifacts", e.Name()))
		_, trying := os.Stat(filepath.Join(s.dir, "attempts", e.Name()))
		if err == nil || trying == nil {
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, "locks", e.Name())); err != nil {
			return fmt.Errorf("remove a lock file: %w", err)
		}
	}
	for path := range s.memory.files {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			delete(s.memory.files, path)
			s.memory.dirty = true
		}
	}
	for _, path := range g.Records {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove the record of a run: %w", err)
		}
	}
	return nil
}

// weigh counts a folder's files. A file with several names gives its bytes back only where all of them are in the folder.
func weigh(dir string) (Waste, error) {
	var w Waste
	type seen struct {
		links, all uint64
		size       int64
	}
	files := map[uint64]seen{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a run is at work on it
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		w.Files++
		sys, ok := info.Sys().(*syscall.Stat_t)
		if !ok || !info.Mode().IsRegular() {
			return nil
		}
		f := files[sys.Ino]
		files[sys.Ino] = seen{f.links + 1, uint64(sys.Nlink), info.Size()}
		return nil
	})
	for _, f := range files {
		if f.links >= f.all {
			w.Bytes += f.size
		} else {
			w.Linked += f.size
		}
	}
	return w, err
}

// Stage is the stage of the node that left it.
func (w Waste) Stage() string {
	stage, _, _ := strings.Cut(w.Node, "[")
	return stage
}
