package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

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

// share takes the store's lock together with all others who use it.
func share(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return os.Open(os.DevNull) // nobody can clean up there either
	}
	if err != nil {
		return nil, err
	}
	return f, locked(f, syscall.LOCK_SH)
}

func locked(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOLCK) {
			return nil // a file system without locks: runs there are on their own
		}
		return err
	}
}

// Busy says that others use the store.
type Busy struct{ Processes []int } // empty where the system does not say which

func (b *Busy) Error() string {
	if len(b.Processes) == 0 {
		return "another process uses the store"
	}
	var ids []string
	for _, p := range b.Processes {
		ids = append(ids, strconv.Itoa(p))
	}
	return "in use by process " + strings.Join(ids, ", ")
}

// Alone turns the shared lock on the store into one that nobody else holds, or fails with *Busy at once. Whoever opens
// the store then waits until it is closed.
func (s *Store) Alone() error {
	if err := locked(s.use, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			_ = locked(s.use, syscall.LOCK_SH) // a failed change gives up what was held
			return &Busy{holders(s.use)}
		}
		return fmt.Errorf("lock the store: %w", err)
	}
	return nil
}

// holders are the other processes with a lock on the file, as Linux lists them: "1: FLOCK ADVISORY READ 4711 fd:01:99 0 EOF".
func holders(f *os.File) (pids []int) {
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	raw, err := os.ReadFile("/proc/locks")
	if err != nil {
		return nil
	}
	inode := ":" + strconv.FormatUint(sys.Ino, 10)
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[1] != "FLOCK" || !strings.HasSuffix(fields[5], inode) {
			continue
		}
		if pid, err := strconv.Atoi(fields[4]); err == nil && pid != os.Getpid() && !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}
