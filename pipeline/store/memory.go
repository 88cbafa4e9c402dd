package store

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"
)

const memoryTitle = "cyborg digests 1"

// memory remembers the digests of the user's files by their status, so that a second look reads none of them.
type memory struct {
	once  sync.Once
	mu    sync.RWMutex
	path  string
	files map[string]remembered
	dirty bool
	blind atomic.Bool // look at no status: every file is read again
	seen  map[string]bool
}

type remembered struct {
	stamp
	digest Digest
}

// load reads the file when the first digest is asked for.
func (m *memory) load() {
	m.once.Do(func() {
		raw, err := os.ReadFile(m.path)
		if err == nil {
			m.files, err = readMemory(raw)
		}
		if err != nil { // damaged: only costs hashing again
			m.files = map[string]remembered{}
		}
	})
}

func readMemory(raw []byte) (map[string]remembered, error) {
	r, err := newReader(memoryTitle, raw)
	if err != nil {
		return nil, err
	}
	n := r.count()
	files := make(map[string]remembered, n)
	for range n {
		path := r.text()
		files[path] = remembered{r.stamp(), Digest(r.text())}
	}
	if r.bad {
		return nil, errDamaged
	}
	return files, nil
}

func writeMemory(files map[string]remembered) []byte {
	w := newWriter()
	w.number(uint64(len(files)))
	for path, f := range files {
		w.text(path)
		w.stamp(f.stamp)
		w.text(string(f.digest))
	}
	return w.bytes(memoryTitle)
}

// settled is how old a file's last change must be before its status is trusted: a file changed twice within the
// resolution of its clock looks the same both times.
const settled = 2 * time.Second

func (m *memory) digest(path string) (Digest, error) {
	now, err := stampOf(path)
	if err != nil {
		return "", err
	}
	m.mu.RLock()
	have, ok := m.files[path]
	trusted := !m.blind.Load() || m.seen[path]
	m.mu.RUnlock()
	if ok && trusted && have.stamp == now {
		return have.digest, nil
	}
	d, err := DigestFile(path)
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(time.Unix(0, max(now.MTime, now.CTime))) > settled {
		m.files[path], m.dirty = remembered{now, d}, true
		if m.blind.Load() {
			m.seen[path] = true
		}
	} else if ok {
		delete(m.files, path)
		m.dirty = true
	}
	return d, nil
}

func (m *memory) save() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirty {
		return nil
	}
	m.dirty = false
	return renameio.WriteFile(m.path, writeMemory(m.files), 0o644)
}

// Rehash lets this Store trust no remembered digest: every file of the user's is read again, once.
func (s *Store) Rehash() { s.memory.blind.Store(true) }

// Files returns the digests of the user's files, in the given order, hashing what is not remembered on several cores.
func (s *Store) Files(paths []string) ([]Output, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	s.memory.load()
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	out := make([]Output, len(paths))
	var next atomic.Int64
	var g errgroup.Group
	for range min(len(paths), max(8, runtime.NumCPU())) {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(paths) {
					return nil
				}
				path := paths[i]
				if !filepath.IsAbs(path) {
					path = filepath.Join(here, path)
				}
				d, err := s.memory.digest(filepath.Clean(path))
				if err != nil {
					return err
				}
				out[i] = Output{Name: paths[i], Digest: d}
			}
		})
	}
	return out, g.Wait()
}
