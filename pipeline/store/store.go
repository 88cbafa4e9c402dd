// Package store keeps what nodes left behind: artifacts, each under the key of what went into it.
//
//	.cyborg/artifacts/<key>/   a finished attempt: out/ (read-only), manifest.json, task.json, events.jsonl
//	.cyborg/attempts/<key>/    an attempt that is being made, or was cut off; its state/ serves the next one
//	.cyborg/locks/<key>        held while somebody works on that key
//	.cyborg/last/<run>.json    the key parts of each node of a run when it last finished, for the plan's reasons
//	.cyborg/digests.json       digests of the user's files by size, times and inode
//
// An artifact appears by one rename of its whole folder after everything in it was written to the disk; so at any
// moment there is either no artifact or a complete one. The folder may be deleted at any time: all of it can be made
// again. A Store may be used by several goroutines and several processes.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// Store is a folder of artifacts.
type Store struct {
	dir    string
	memory *memory
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
}

// Open makes the folder if needed.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"artifacts", "attempts", "locks", "last"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	return &Store{dir: dir, memory: loadMemory(filepath.Join(dir, "digests.json"))}, nil
}

// Close writes down what was learnt about the user's files.
func (s *Store) Close() error { return s.memory.save() }

// Dir is the store's folder.
func (s *Store) Dir() string { return s.dir }

// ErrMissing means that there is no artifact of that key.
var ErrMissing = errors.New("no artifact")

// Find returns the artifact of a key after looking at each of its files: one that is gone or whose size or time
// changed, and then its bytes too, makes the artifact worthless. The error then says which, and wraps ErrMissing.
func (s *Store) Find(key Key) (*Artifact, error) {
	dir := filepath.Join(s.dir, "artifacts", string(key))
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return nil, ErrMissing
	}
	a := &Artifact{Dir: dir}
	if err := json.Unmarshal(raw, &a.Manifest); err != nil {
		return nil, fmt.Errorf("%w: its manifest is damaged", ErrMissing)
	}
	for _, o := range a.Outputs {
		if err := o.check(filepath.Join(dir, "out", filepath.FromSlash(o.Name))); err != nil {
			return nil, fmt.Errorf("%w: output %s %w", ErrMissing, o.Name, err)
		}
	}
	return a, nil
}

func (o Output) check(path string) error {
	now, err := stampOf(path)
	if err != nil {
		return errors.New("was deleted")
	}
	if now.Size != o.Size {
		return errors.New("was changed")
	}
	if now.MTime == o.MTime && now.Inode == o.Inode {
		return nil
	}
	d, err := DigestFile(path)
	if err != nil || d != o.Digest {
		return errors.New("was changed")
	}
	return nil
}

// Path is the place of an output; the empty name is the folder of all outputs.
func (a *Artifact) Path(name string) string {
	return filepath.Join(a.Dir, "out", filepath.FromSlash(name))
}

// Digest is the digest of an output: of a file, or of all files in a folder (the empty name: all outputs).
func (a *Artifact) Digest(name string) Digest {
	var inside []Output
	for _, o := range a.Outputs {
		if o.Name == name {
			return o.Digest
		}
		if name == "" || strings.HasPrefix(o.Name, name+"/") {
			inside = append(inside, o)
		}
	}
	return combine(inside)
}

// Remove takes an artifact away.
func (s *Store) Remove(key Key) error {
	dir := filepath.Join(s.dir, "artifacts", string(key))
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o755)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// Lock waits until nobody else works on the key. waiting is called once if it has to wait.
func (s *Store) Lock(ctx context.Context, key Key, waiting func()) (unlock func(), err error) {
	lock := flock.New(filepath.Join(s.dir, "locks", string(key)))
	held, err := lock.TryLock()
	if err == nil && !held {
		if waiting != nil {
			waiting()
		}
		_, err = lock.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", key, err)
	}
	return func() { _ = lock.Unlock() }, nil
}

// Last returns the key parts of the nodes of a run when each last finished.
func (s *Store) Last(run string) map[string][]Part {
	last := map[string][]Part{}
	raw, err := os.ReadFile(s.lastPath(run))
	if err != nil || json.Unmarshal(raw, &last) != nil {
		return map[string][]Part{}
	}
	return last
}

// SetLast writes down the key parts of a run's nodes.
func (s *Store) SetLast(run string, parts map[string][]Part) error {
	raw, err := json.Marshal(parts)
	if err != nil {
		return err
	}
	return renameio.WriteFile(s.lastPath(run), raw, 0o644)
}

func (s *Store) lastPath(run string) string {
	return filepath.Join(s.dir, "last", strings.ReplaceAll(run, string(filepath.Separator), "_")+".json")
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
