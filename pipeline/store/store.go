// Package store keeps what nodes left behind: artifacts, each under the key of what went into it.
//
//	.cyborg/artifacts/<key>/   a finished attempt: out/ (read-only), manifest.json, task.json, events.jsonl
//	.cyborg/attempts/<key>/    an attempt that is being made, or was cut off; its state/ serves the next one
//	.cyborg/locks/<key>        held while somebody works on that key
//	.cyborg/lock               held by all who use the store; alone by gc
//	.cyborg/last/<run>         the key parts of each node of a run when it last finished, for the plan's reasons
//	.cyborg/runs/<time>-<run>.json  the keys that a run needed, for gc
//	.cyborg/digests            digests of the user's files by size, times and inode
//	.cyborg/index              what the manifests say, in one file that is read at once
//
// An artifact appears by one rename of its whole folder after everything in it was written to the disk; so at any
// moment there is either no artifact or a complete one. The folder may be deleted at any time: all of it can be made
// again. A Store may be used by several goroutines and several processes.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"
)

// Store is a folder of artifacts.
type Store struct {
	dir    string
	memory *memory
	index  *index
	verify bool

	unsynced bool
	use      *os.File // holds the store's lock
	fd       *os.File // the folder artifacts/, below which everything is looked up
}

// Output is one file of an artifact, by its slash-separated name below out/.
type Output struct {
	Name   string `json:"name"`
	Digest Digest `json:"digest"`
	stamp
}

// Manifest describes an artifact.
type Manifest struct {
	Key         Key               `json:"key"`
	Node        string            `json:"node"`
	Kind        string            `json:"kind"`
	Parts       []Part            `json:"parts"`
	Outputs     []Output          `json:"outputs"`
	Environment map[string]string `json:"environment,omitempty"`
	Started     time.Time         `json:"started"`
	Seconds     float64           `json:"seconds"`
}

// Artifact is what a node left.
type Artifact struct {
	Manifest
	Dir string // holds out/

	mu      sync.Mutex
	folders []Output // whose digests were asked for; most often one, that of all outputs
}

// Open makes the folder if needed, and waits while somebody cleans it up. The caller closes the store: until then
// nothing is cleaned up.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"artifacts", "attempts", "locks", "last", "runs"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	s := &Store{dir: dir, memory: &memory{path: filepath.Join(dir, "digests"), seen: map[string]bool{}},
		index: &index{path: filepath.Join(dir, "index")}}
	if s.use, err = share(filepath.Join(dir, "lock")); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if s.fd, err = os.Open(filepath.Join(dir, "artifacts")); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.use.Close())
	}
	return s, nil
}

// Close writes down what was learnt about the user's files and the artifacts, and gives the store free. What cannot be
// written, on a full disk or a read-only one, is learnt again: that only takes time.
func (s *Store) Close() error {
	_, _ = s.memory.save(), s.index.save()
	return errors.Join(s.fd.Close(), s.use.Close())
}

// Dir is the store's folder.
func (s *Store) Dir() string { return s.dir }

// Folders are the store's own and those below it that a node cannot be done without, outer ones first.
func (s *Store) Folders() []string {
	return []string{s.dir, filepath.Join(s.dir, "locks"), filepath.Join(s.dir, "artifacts")}
}

// Path is the place of an output; the empty name is the folder of all outputs.
func (a *Artifact) Path(name string) string {
	return filepath.Join(a.Dir, "out", filepath.FromSlash(name))
}

// Digest is the digest of an output: of a file, or of all files in a folder (the empty name: all outputs).
func (a *Artifact) Digest(name string) Digest {
	for _, o := range a.Outputs {
		if o.Name == name {
			return o.Digest
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.folders {
		if f.Name == name {
			return f.Digest
		}
	}
	f := Output{Name: name, Digest: combine(a.Outputs, name)}
	a.folders = append(a.folders, f)
	return f.Digest
}

// Remove takes an artifact away.
func (s *Store) Remove(key Key) error {
	s.index.forget(key)
	return removeAll(filepath.Join(s.dir, "artifacts", string(key)))
}

func removeAll(dir string) error {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o755)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// list is every file below a folder, sorted by name.
func list(dir string) ([]Output, error) {
	var out []Output
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		out = append(out, Output{Name: filepath.ToSlash(name)})
		return nil
	})
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, err
}
