package weights

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Fetcher gets files into the cache. Its zero value works.
type Fetcher struct {
	// Client makes the requests; http.DefaultClient where it is nil.
	Client *http.Client
	// Stall is how long no byte may come before the connection is given up and the download resumed; 30 s where it is 0.
	Stall time.Duration
	// Pause is the wait before the second try after one that brought nothing; it doubles each time. 1 s where it is 0.
	Pause time.Duration
	// Log is told of what takes time, a line each; nobody where it is nil.
	Log func(line string)
}

// The limits of one download.
const (
	triesInVain = 4        // tries one after the other that bring no byte
	triesAtMost = 50       // and in all
	largestFile = 16 << 30 // bytes
)

// Fetch returns the path of the source's file in the cache, and gets it first where it is not there or was changed. A
// download that broke off is resumed, also by a later Fetch. An error leaves the cache as it was, but for what has come of
// the file; it says how to bring the file by hand.
func (f Fetcher) Fetch(ctx context.Context, s Source) (string, error) {
	if err := s.Check(); err != nil {
		return "", err
	}
	path, err := Path(s.SHA256)
	if err != nil {
		return "", err
	}
	if there, err := (Fetcher{}).holds(path, s); there || err != nil { // silently; also in a cache that may only be read
		return path, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("make the cache of weights: %w; name another folder by CYBORG_CACHE", err)
	}
	unlock, err := f.lock(ctx, path+".lock", s)
	if err != nil {
		return "", err
	}
	defer unlock()
	if there, err := f.holds(path, s); there || err != nil {
		return path, err // another process brought it
	}
	d := &download{Fetcher: f, source: s, part: path + ".part"}
	if err := d.complete(ctx); err != nil {
		return "", fmt.Errorf("get %s: %w", s.address(), d.advise(err, path))
	}
	return path, os.Rename(d.part, path)
}

// holds tells whether the file is in the cache, whole.
func (f Fetcher) holds(path string, s Source) (bool, error) {
	got, err := digest(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read the cache of weights: %w", err)
	case !strings.HasPrefix(got, s.SHA256):
		f.log("%s in the cache was changed (SHA-256 %s): getting it again", s.name(), got)
		return false, nil
	}
	return true, nil
}

// lock waits until no other process gets the same file. The kernel unlocks for a process that dies.
func (f Fetcher) lock(ctx context.Context, path string, s Source) (unlock func(), err error) {
	lock := flock.New(path, flock.SetPermissions(0o644))
	locked, err := lock.TryLock()
	if err == nil && !locked {
		f.log("waiting for another process that gets %s", s.name())
		_, err = lock.TryLockContext(ctx, 50*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = lock.Unlock() }, nil
}

func (f Fetcher) log(format string, args ...any) {
	if f.Log != nil {
		f.Log(fmt.Sprintf(format, args...))
	}
}

// digest is the SHA-256 of a file.
func digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
