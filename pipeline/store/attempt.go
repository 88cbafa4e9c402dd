package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// Attempt is one try at a node. The caller holds the key's lock.
type Attempt struct {
	Dir   string
	store *Store
	key   Key
	began time.Time
}

// Begin makes the attempt's folder: out/ is empty, state/ is as an attempt that was cut off left it.
func (s *Store) Begin(key Key) (*Attempt, error) {
	if err := s.whole(); err != nil {
		return nil, fmt.Errorf("begin attempt: %w", err)
	}
	dir := filepath.Join(s.dir, "attempts", string(key))
	for _, stale := range []string{"out", "manifest.json", "events.jsonl", "stderr.log"} {
		if err := os.RemoveAll(filepath.Join(dir, stale)); err != nil {
			return nil, fmt.Errorf("begin attempt: %w", err)
		}
	}
	for _, sub := range []string{"out", "state"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("begin attempt: %w", err)
		}
	}
	return &Attempt{Dir: dir, store: s, key: key, began: time.Now()}, nil
}

// Begun tells whether an attempt at a key was cut off and left a state that the next one goes on from.
func (s *Store) Begun(key Key) bool {
	if key == "" {
		return false
	}
	saved, err := os.ReadDir(filepath.Join(s.dir, "attempts", string(key), "state"))
	return err == nil && len(saved) > 0
}

// whole fails where no attempt could become an artifact in the end. There is nothing of that name to move, but the kernel
// looks at the file systems first.
func (s *Store) whole() error {
	if err := s.move("-"); errors.Is(err, syscall.EXDEV) {
		return err
	}
	return nil
}

// move makes an attempt the artifact of its key. Where the two folders are on different file systems, or mounted apart, it
// cannot be done. Copying would be no way out: an artifact appears at once, or a kill could leave half of it.
func (s *Store) move(key Key) error {
	attempts, artifacts := filepath.Join(s.dir, "attempts"), filepath.Join(s.dir, "artifacts")
	err := os.Rename(filepath.Join(attempts, string(key)), filepath.Join(artifacts, string(key)))
	if errors.Is(err, syscall.EXDEV) {
		return fmt.Errorf("%s and %s are not on one file system, or are mounted apart: --store names a folder that is all on one (%w)",
			attempts, artifacts, syscall.EXDEV)
	}
	return err
}

// Commit turns a finished attempt into the artifact of its key: hash, write through to the disk, one rename. needed
// are the outputs that must be there.
func (a *Attempt) Commit(m Manifest, needed []string) (*Artifact, error) {
	out := filepath.Join(a.Dir, "out")
	for _, name := range needed {
		if _, err := os.Stat(filepath.Join(out, filepath.FromSlash(name))); err != nil {
			return nil, fmt.Errorf("%s finished without its output %s", m.Node, name)
		}
	}
	outputs, err := list(out)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", m.Node, err)
	}
	if err := seal(out, outputs); err != nil {
		return nil, fmt.Errorf("commit %s: %w", m.Node, err)
	}
	m.Key, m.Outputs, m.Started, m.Seconds = a.key, outputs, a.began.UTC(), time.Since(a.began).Seconds()
	raw, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, err
	}
	manifest := filepath.Join(a.Dir, "manifest.json")
	if err := os.WriteFile(manifest, raw, 0o644); err != nil {
		return nil, fmt.Errorf("commit %s: %w", m.Node, err)
	}
	if err := a.store.settle(out, len(outputs), manifest); err != nil {
		return nil, fmt.Errorf("commit %s: %w", m.Node, err)
	}
	if err := a.store.Remove(a.key); err != nil { // a damaged one
		return nil, fmt.Errorf("commit %s: %w", m.Node, err)
	}
	final := filepath.Join(a.store.dir, "artifacts", string(a.key))
	if err := a.store.move(a.key); err != nil {
		return nil, fmt.Errorf("commit %s: %w", m.Node, err)
	}
	if err := a.store.sync(filepath.Dir(final)); err != nil {
		return nil, fmt.Errorf("commit %s: %w", m.Node, err)
	}
	_ = os.RemoveAll(filepath.Join(final, "state")) // not before: a kill up to here can go on from it
	return &Artifact{Manifest: m, Dir: final}, nil
}

// seal makes the outputs read-only and hashes them.
func seal(dir string, outputs []Output) error {
	var g errgroup.Group
	g.SetLimit(8)
	for i := range outputs {
		g.Go(func() error {
			o := &outputs[i]
			path := filepath.Join(dir, filepath.FromSlash(o.Name))
			if err := os.Chmod(path, 0o444); err != nil {
				return err
			}
			var err error
			if o.Digest, err = DigestFile(path); err != nil {
				return err
			}
			o.stamp, err = stampOf(path)
			return err
		})
	}
	return g.Wait()
}

// manyFiles is from when on one call that writes the whole file system through is cheaper than one for each file.
const manyFiles = 256

// settle sees that the outputs below dir, so many files, and the manifest are on the disk. Files come before folders: a
// journal that took them has the folders too, and has nothing left to do then.
func (s *Store) settle(dir string, files int, manifest string) error {
	if files > manyFiles && !s.unsynced {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		defer f.Close()
		if unix.Syncfs(int(f.Fd())) == nil {
			return nil
		}
	}
	all, folders := []string{manifest}, []string(nil)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			folders = append(folders, path)
		default:
			all = append(all, path)
		}
		return nil
	})
	for _, path := range append(all, folders...) {
		if err == nil {
			err = s.sync(path)
		}
	}
	return err
}

// Unsynced lets commits not wait for the disk: for measurements of stores with thousands of artifacts that nobody needs.
func (s *Store) Unsynced() { s.unsynced = true }

// sync writes a file or folder through to the disk.
func (s *Store) sync(path string) error {
	if s.unsynced {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
