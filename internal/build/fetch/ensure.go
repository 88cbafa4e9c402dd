package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// fetcher fills a folder with the files of wheels.
type fetcher struct {
	folder   string
	pins     []pin
	download func(ctx context.Context, p pin, folder string) (wheel string, err error)
	log      io.Writer
	deep     bool
}

// ensure makes the folder hold what s wants. Two of them in one folder wait for each other.
func (f fetcher) ensure(ctx context.Context, s selection) error {
	var missing []pin
	for _, p := range f.pins {
		if len(p.files(s)) > 0 && !f.holds(p, s) {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("the pinned wheels are for Linux on x86-64, this is %s on %s: install PyTorch 2.11 and name its folder by LIBTORCH=", runtime.GOOS, runtime.GOARCH)
	}
	if err := os.MkdirAll(filepath.Join(f.folder, ".wheels"), 0o777); err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(f.folder, ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	unpacking, ctx := errgroup.WithContext(ctx)
	unpacking.SetLimit(1) // one wheel is unpacked while the next one comes
	for _, p := range missing {
		if f.holds(p, s) {
			continue // another fetch brought it
		}
		var path string
		if path, err = f.wheel(ctx, p); err != nil {
			break
		}
		unpacking.Go(func() error { return f.unpack(p, s, path) })
	}
	if failed := unpacking.Wait(); failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(f.folder, ".wheels"))
}

// unpack takes out of a wheel what s wants of it, and deletes it.
func (f fetcher) unpack(p pin, s selection, wheel string) error {
	if err := f.discard(p); err != nil {
		return err
	}
	files, err := unpack(wheel, f.folder, p.files(s))
	if err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(wheel), err)
	}
	if err := f.stamp(p, stamp{SHA256: p.sha256, Selection: s, Files: files}); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Dir(wheel))
}

// wheel is the path of p's wheel: one that an earlier try left whole, or a new one.
func (f fetcher) wheel(ctx context.Context, p pin) (string, error) {
	folder := filepath.Join(f.folder, ".wheels", p.name)
	if left, _ := filepath.Glob(filepath.Join(folder, "*.whl")); len(left) == 1 && digestIs(left[0], p.sha256) == nil {
		return left[0], nil
	}
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return "", err
	}
	fmt.Fprintf(f.log, "libtorch: get %s %s (%d MB)\n", p.name, p.version, p.megabytes)
	wheel, err := f.download(ctx, p, folder)
	if err != nil {
		return "", err
	}
	return wheel, digestIs(wheel, p.sha256)
}

func digestIs(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%s: SHA-256 %s, where %s is pinned: it was damaged or changed on its way", filepath.Base(path), got, want)
	}
	return nil
}

// stamp says what was unpacked of a wheel. It is written last.
type stamp struct {
	SHA256    string    `json:"sha256"` // of the wheel
	Selection selection `json:"selection"`
	Files     []file    `json:"files"`
}

// file is one unpacked file, its path relative to the folder.
type file struct {
	Path  string `json:"path"`
	Size  int64  `json:"size"`
	CRC32 uint32 `json:"crc32"`
}

func (f fetcher) stampPath(p pin) string {
	return filepath.Join(f.folder, ".stamps", p.name+".json")
}

func (f fetcher) stamp(p pin, s stamp) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	path := f.stampPath(p)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(path+".part", text, 0o666); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

func (f fetcher) readStamp(p pin) (s stamp, err error) {
	text, err := os.ReadFile(f.stampPath(p))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}

// holds says whether all that s wants of p is there, whole.
func (f fetcher) holds(p pin, s selection) bool {
	stamp, err := f.readStamp(p)
	if err != nil || stamp.SHA256 != p.sha256 || stamp.Selection < s {
		return false
	}
	for _, file := range stamp.Files {
		path := filepath.Join(f.folder, file.Path)
		info, err := os.Lstat(path)
		if err != nil || info.Size() != file.Size {
			return false
		}
		if f.deep && checksum(path) != file.CRC32 {
			return false
		}
	}
	return true
}

func checksum(path string) uint32 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	h := crc32.NewIEEE()
	if _, err := io.Copy(h, f); err != nil {
		return 0
	}
	return h.Sum32()
}

// discard forgets an older unpacking of p: its stamp first, then the files that another version may not have.
func (f fetcher) discard(p pin) error {
	old, err := f.readStamp(p)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := os.Remove(f.stampPath(p)); err != nil {
		return err
	}
	if old.SHA256 == p.sha256 {
		return nil // the same files come again, each in one rename: running programs keep theirs
	}
	for _, file := range old.Files {
		if filepath.IsLocal(file.Path) {
			os.Remove(filepath.Join(f.folder, file.Path)) //nolint:errcheck // it may be gone
		}
	}
	return nil
}

// lock waits until no other process holds path.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close() //nolint:errcheck
		return nil, err
	}
	return func() { f.Close() }, nil //nolint:errcheck // closing unlocks
}
