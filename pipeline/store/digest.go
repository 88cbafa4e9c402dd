package store

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
	"github.com/zeebo/blake3"
	"golang.org/x/sync/errgroup"
)

const digestPrefix = "blake3:"

// Digest is "blake3:" and the hexadecimal hash of a file's bytes.
type Digest string

// DigestFile hashes a file's bytes.
func DigestFile(path string) (Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := blake3.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("hash %s: %w", path, err)
	}
	return sum(h), nil
}

func sum(h *blake3.Hasher) Digest { return Digest(digestPrefix + hex.EncodeToString(h.Sum(nil)[:20])) }

// combine is the digest of a list of named digests.
func combine(named []Output) Digest {
	h := blake3.New()
	for _, o := range named {
		fmt.Fprintf(h, "%d:%s%s", len(o.Name), o.Name, o.Digest)
	}
	return sum(h)
}

// stamp is what a file's status says without reading it.
type stamp struct {
	Size  int64  `json:"size"`
	MTime int64  `json:"mtime"` // ns
	CTime int64  `json:"ctime"` // ns
	Inode uint64 `json:"inode"`
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return stamp{}, fmt.Errorf("%s: not a regular file", path)
	}
	s := stamp{Size: info.Size(), MTime: info.ModTime().UnixNano()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Inode, s.CTime = sys.Ino, sys.Ctim.Nano()
	}
	return s, nil
}

// memory remembers the digests of the user's files by their status, so that a second look reads none of them.
type memory struct {
	mu    sync.Mutex
	path  string
	files map[string]remembered
	dirty bool
}

type remembered struct {
	stamp
	Digest Digest `json:"digest"`
}

func loadMemory(path string) *memory {
	m := &memory{path: path, files: map[string]remembered{}}
	if raw, err := os.ReadFile(path); err == nil {
		if json.Unmarshal(raw, &m.files) != nil {
			m.files = map[string]remembered{} // damaged: only costs hashing again
		}
	}
	return m
}

// settled is how old a file's last change must be before its status is trusted: a file changed twice within the
// resolution of its clock looks the same both times.
const settled = 2 * time.Second

func (m *memory) digest(path string) (Digest, error) {
	now, err := stampOf(path)
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	have, ok := m.files[path]
	m.mu.Unlock()
	if ok && have.stamp == now {
		return have.Digest, nil
	}
	d, err := DigestFile(path)
	if err != nil {
		return "", err
	}
	if time.Since(time.Unix(0, max(now.MTime, now.CTime))) > settled {
		m.mu.Lock()
		m.files[path], m.dirty = remembered{now, d}, true
		m.mu.Unlock()
	}
	return d, nil
}

func (m *memory) save() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirty {
		return nil
	}
	raw, err := json.Marshal(m.files)
	if err != nil {
		return err
	}
	m.dirty = false
	return renameio.WriteFile(m.path, raw, 0o644)
}

// Files returns the digests of the user's files, in the given order, hashing what is not remembered on several cores.
func (s *Store) Files(paths []string) ([]Output, error) {
	out := make([]Output, len(paths))
	var g errgroup.Group
	g.SetLimit(8)
	for i, path := range paths {
		g.Go(func() error {
			abs, err := filepath.Abs(path)
			if err != nil {
				return err
			}
			d, err := s.memory.digest(abs)
			out[i] = Output{Name: path, Digest: d}
			return err
		})
	}
	return out, g.Wait()
}
