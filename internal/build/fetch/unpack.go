package main

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// unpack puts the files of a wheel that wanted names below folder, each by one rename, the largest first, as many at a
// time as there are cores. Every wanted path must be in the wheel. The zip reader compares the checksums.
func unpack(wheel, folder string, wanted []string) ([]file, error) {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return nil, err
	}
	defer archive.Close()

	entries, err := choose(archive.File, wanted)
	if err != nil {
		return nil, err
	}
	var next atomic.Int64
	var group errgroup.Group
	for range runtime.NumCPU() {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(entries) {
					return nil
				}
				if err := extract(entries[i], folder); err != nil {
					return fmt.Errorf("%s: %w", entries[i].Name, err)
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	files := make([]file, len(entries))
	for i, e := range entries {
		files[i] = file{Path: e.Name, Size: int64(e.UncompressedSize64), CRC32: e.CRC32}
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.Path, b.Path) })
	return files, nil
}

// choose picks the wanted entries, the largest first.
func choose(all []*zip.File, wanted []string) ([]*zip.File, error) {
	var chosen []*zip.File
	found := map[string]bool{}
	for _, e := range all {
		if strings.HasSuffix(e.Name, "/") || strings.HasSuffix(e.Name, ".py") && e.Name != "torch/version.py" {
			continue // the Python of it is not needed
		}
		hit := false
		for _, w := range wanted {
			if e.Name == w || strings.HasSuffix(w, "/") && strings.HasPrefix(e.Name, w) {
				hit, found[w] = true, true
			}
		}
		if hit {
			chosen = append(chosen, e)
		}
	}
	for _, w := range wanted {
		if !found[w] {
			return nil, fmt.Errorf("%s is not in it", w)
		}
	}
	slices.SortFunc(chosen, func(a, b *zip.File) int { return cmp.Compare(b.UncompressedSize64, a.UncompressedSize64) })
	return chosen, nil
}

func extract(e *zip.File, folder string) (err error) {
	if !filepath.IsLocal(e.Name) {
		return errors.New("a path that leaves the folder")
	}
	path := filepath.Join(folder, e.Name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	from, err := e.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o666|e.Mode().Perm()&0o111)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		to.Close() //nolint:errcheck // the first error is the one to tell
		return err
	}
	if err := to.Close(); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
