package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// hash measures the digests of a data set's files, beside b3sum or md5sum on two cores, and a second look at them.
func (b *bench) hash() error {
	files, bytes := 20_000, int64(4e9)
	if b.quick {
		files, bytes = 500, 100e6
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(b.dir, &disk); err != nil {
		return err
	}
	if room := int64(disk.Bavail) * disk.Bsize; room < 2*bytes {
		return errSkip{fmt.Sprintf("%s has room for %d MB, and %d are needed", b.dir, room/1e6, 2*bytes/1e6)}
	}
	dir := filepath.Join(b.dir, "hash")
	paths, err := noise(dir, files, bytes)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	tool := "b3sum"
	if _, err := exec.LookPath(tool); err != nil {
		tool = "md5sum"
	}
	time.Sleep(3 * time.Second) // until the files' times are settled
	var again []float64
	figures, err := turns(b.rounds,
		func(round int) (float64, error) {
			where := filepath.Join(b.dir, fmt.Sprintf("hash-store-%d", round))
			first, err := digests(where, paths)
			if err != nil {
				return 0, err
			}
			second, err := digests(where, paths)
			again = append(again, second)
			return first, err
		},
		func(int) (float64, error) {
			_, seconds, err := b.command(dir, nil, "sh", "-c", "find . -type f -print0 | xargs -0 -P2 -n 64 "+tool+" > /dev/null")
			return seconds, err
		})
	if err != nil {
		return err
	}
	b.add(line{what: fmt.Sprintf("digests of %d files, %d MB, beside xargs -P2 %s", files, bytes/1e6, tool), unit: "s", ours: figures[0], theirs: figures[1], limit: 1.2})
	b.add(line{what: "a second look, nothing changed", unit: "s", ours: again, limit: 0.3})
	return nil
}

// digests opens a store, asks for the files' digests and closes it, as a plan does.
func digests(where string, paths []string) (float64, error) {
	began := time.Now()
	st, err := store.Open(where)
	if err != nil {
		return 0, err
	}
	_, err = st.Files(paths)
	err = errors.Join(err, st.Close())
	return time.Since(began).Seconds(), err
}

func noise(dir string, files int, bytes int64) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	random := rand.NewChaCha8([32]byte{1})
	block := make([]byte, bytes/int64(files))
	paths := make([]string, files)
	for i := range paths {
		_, _ = random.Read(block)
		paths[i] = filepath.Join(dir, fmt.Sprintf("%05d", i))
		if err := os.WriteFile(paths[i], block, 0o644); err != nil {
			return nil, err
		}
	}
	return paths, nil
}
