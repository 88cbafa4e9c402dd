package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// ErrMissing means that there is no artifact of that key.
var ErrMissing = errors.New("no artifact")

// Find returns the artifact of a key after looking at each of its files: one that is gone or whose size or time
// changed, and then its bytes too, makes the artifact worthless. The error then says which, and wraps ErrMissing.
func (s *Store) Find(key Key) (*Artifact, error) {
	a, err := s.read(key)
	if err != nil {
		return nil, err
	}
	fd := int(s.fd.Fd())
	out := string(key) + "/out"
	var st unix.Stat_t
	if err := statAt(fd, out, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil, fmt.Errorf("%w: its folder of outputs was deleted", ErrMissing)
	}
	for _, o := range a.Outputs {
		if err := o.check(fd, out+"/"+o.Name, func() string { return a.Path(o.Name) }); err != nil {
			return nil, fmt.Errorf("%w: output %s %w", ErrMissing, o.Name, err)
		}
	}
	if s.verify && s.index.verify(key) {
		if err := a.verify(); err != nil {
			s.condemn(key, err)
			return nil, fmt.Errorf("%w: %w", ErrMissing, err)
		}
		s.index.verified(key)
	}
	return a, nil
}

// Load reads the whole manifest of a key, its parts included, without looking at the outputs.
func (s *Store) Load(key Key) (*Artifact, error) {
	raw, err := os.ReadFile(filepath.Join(s.dir, "artifacts", string(key), "manifest.json"))
	if err != nil {
		return nil, ErrMissing
	}
	a := &Artifact{Dir: filepath.Join(s.dir, "artifacts", string(key))}
	if a.Manifest, err = readManifest(key, raw); err != nil {
		return nil, fmt.Errorf("%w: its manifest is damaged", ErrMissing)
	}
	return a, nil
}

// read takes what the manifest says from the index where the file is the one that was read then. Parts are left out: who
// has the key has them.
func (s *Store) read(key Key) (*Artifact, error) {
	if key == "" || path.Base(string(key)) != string(key) {
		return nil, ErrMissing
	}
	now, err := stampAt(int(s.fd.Fd()), string(key)+"/manifest.json", unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return nil, s.condemned(key)
	}
	if a, ok := s.index.find(key, now); ok {
		a.Dir = filepath.Join(s.dir, "artifacts", string(key))
		return a, nil
	}
	a, err := s.Load(key)
	if err != nil {
		return nil, err
	}
	s.index.add(key, now, a)
	return a, nil
}

func readManifest(key Key, raw []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return Manifest{}, err
	}
	if m.Key != key {
		return Manifest{}, fmt.Errorf("it is that of %s", m.Key)
	}
	for _, o := range m.Outputs {
		if !filepath.IsLocal(filepath.FromSlash(o.Name)) {
			return Manifest{}, fmt.Errorf("output %q is outside of its folder", o.Name)
		}
	}
	return m, nil
}

func (o Output) check(fd int, at string, path func() string) error {
	now, err := stampAt(fd, at, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return errors.New("was deleted")
	}
	if now.Size != o.Size {
		return errors.New("was changed")
	}
	if now.MTime == o.MTime && now.Inode == o.Inode {
		return nil
	}
	return o.compare(path())
}

func (o Output) compare(path string) error {
	if d, err := DigestFile(path); err != nil || d != o.Digest {
		return errors.New("was changed")
	}
	return nil
}

// Verify lets this Store read every output in full before it calls an artifact found.
func (s *Store) Verify() { s.verify = true }

func (a *Artifact) verify() error {
	var g errgroup.Group
	g.SetLimit(8)
	for _, o := range a.Outputs {
		g.Go(func() error {
			if err := o.compare(a.Path(o.Name)); err != nil {
				return fmt.Errorf("output %s %w, though its size and time are as they were", o.Name, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// damagedName is the manifest of an artifact that was found to be damaged, which its size and times would not tell the
// next who looks.
const damagedName = "damaged"

func (s *Store) condemn(key Key, why error) {
	dir := filepath.Join(s.dir, "artifacts", string(key))
	if os.WriteFile(filepath.Join(dir, damagedName), []byte(why.Error()), 0o644) == nil {
		_ = os.Remove(filepath.Join(dir, "manifest.json"))
	}
	s.index.forget(key)
}

// condemned says why an artifact has no manifest.
func (s *Store) condemned(key Key) error {
	var st unix.Stat_t
	if statAt(int(s.fd.Fd()), string(key), &st, 0) == syscall.ENOENT {
		return ErrMissing
	}
	why, err := os.ReadFile(filepath.Join(s.dir, "artifacts", string(key), damagedName))
	if err != nil {
		return fmt.Errorf("%w: its manifest was deleted", ErrMissing)
	}
	return fmt.Errorf("%w: %s", ErrMissing, why)
}
