package pack

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// Writer fills a new pack. Rows may be written in any order and from several goroutines, each once. Commit puts the
// file in its place; until then, and after Abort, nothing is there.
type Writer struct {
	path   string
	file   *os.File
	header Header
	layout layout
	images []atomic.Bool   // written, by row
	maps   [][]atomic.Bool // by map and row
}

// Create starts a pack beside path, under a temporary name.
func Create(path string, h Header) (*Writer, error) {
	w, err := create(path, h)
	if err != nil {
		return nil, fmt.Errorf("create packed data set %s: %w", path, err)
	}
	return w, nil
}

func create(path string, h Header) (*Writer, error) {
	raw, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	l, err := plan(h, len(raw))
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, reason(err)
	}
	w := &Writer{path: path, file: file, header: h, layout: l, images: make([]atomic.Bool, len(h.Rows))}
	for range h.Maps {
		w.maps = append(w.maps, make([]atomic.Bool, len(h.Rows)))
	}
	err = w.put(start(raw), 0)
	if err == nil {
		err = file.Truncate(l.size) // all that is never written reads as zeros and takes no room
	}
	if err != nil {
		w.Abort()
		return nil, reason(err)
	}
	return w, nil
}

// start is the first bytes of a file, up to the end of its header.
func start(header []byte) []byte {
	out := make([]byte, preamble, preamble+len(header))
	copy(out, magic)
	binary.LittleEndian.PutUint32(out[8:], version)
	binary.LittleEndian.PutUint32(out[12:], uint32(len(header)))
	sum := sha256.Sum256(header)
	copy(out[16:], sum[:])
	return append(out, header...)
}

// WriteImage stores the pixels [side, side, 3] of row i.
func (w *Writer) WriteImage(i int, pixels []byte) error {
	each := 3 * w.header.Side * w.header.Side
	if len(pixels) != each {
		return fmt.Errorf("write image %d to %s: %d bytes, %d needed", i, w.path, len(pixels), each)
	}
	if w.images[i].Swap(true) {
		return fmt.Errorf("write image %d to %s: written twice", i, w.path)
	}
	return w.put(pixels, w.layout.pixels.at+int64(i)*int64(each))
}

// WriteMap stores the named map of row i: its grid [h, w] and, at the images' size, full [side, side]. The header must
// say that the row has it.
func (w *Writer) WriteMap(name string, i int, grid, full []byte) error {
	k := 0
	for k < len(w.header.Maps) && w.header.Maps[k].Name != name {
		k++
	}
	if k == len(w.header.Maps) {
		return unknownMap(name, mapNames(w.header))
	}
	cells, square := w.header.GridH*w.header.GridW, w.header.Side*w.header.Side
	spans := w.layout.maps[k]
	switch {
	case spans.slot[i] < 0:
		return fmt.Errorf("write map %q of image %d to %s: the header says that it has none", name, i, w.path)
	case len(grid) != cells || len(full) != square:
		return fmt.Errorf("write map %q of image %d to %s: %d and %d bytes, %d and %d needed", name, i, w.path, len(grid), len(full), cells, square)
	case w.maps[k][i].Swap(true):
		return fmt.Errorf("write map %q of image %d to %s: written twice", name, i, w.path)
	}
	if err := w.put(grid, spans.grid.at+int64(i)*int64(cells)); err != nil {
		return err
	}
	return w.put(full, spans.full.at+int64(spans.slot[i])*int64(square))
}

// Commit makes sure that every row was written and that the bytes are on the disk, then puts the file in its place. On
// failure nothing is left.
func (w *Writer) Commit() error {
	err := w.complete()
	if err == nil {
		err = w.file.Sync()
	}
	if err == nil {
		err = w.file.Chmod(0o644)
	}
	if err != nil {
		w.Abort()
		return fmt.Errorf("write packed data set %s: %w", w.path, reason(err))
	}
	temporary := w.file.Name()
	err = w.file.Close()
	if err == nil {
		err = os.Rename(temporary, w.path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(w.path))
	}
	if err != nil {
		_ = os.Remove(temporary)
		return fmt.Errorf("write packed data set %s: %w", w.path, reason(err))
	}
	return nil
}

// Abort removes what was written. It does nothing after Commit.
func (w *Writer) Abort() {
	if w.file.Close() == nil {
		_ = os.Remove(w.file.Name())
	}
}

func (w *Writer) complete() error {
	for i := range w.images {
		if !w.images[i].Load() {
			return fmt.Errorf("image %d (%s) was never written", i, w.header.Rows[i].Path)
		}
		for k, m := range w.header.Maps {
			if m.Has.Get(i) && !w.maps[k][i].Load() {
				return fmt.Errorf("map %q of image %d (%s) was never written", m.Name, i, w.header.Rows[i].Path)
			}
		}
	}
	return nil
}

func (w *Writer) put(b []byte, at int64) error {
	if _, err := w.file.WriteAt(b, at); err != nil {
		return fmt.Errorf("write packed data set %s: %w", w.path, reason(err))
	}
	return nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// reason drops the path that an error of package os carries: the caller names it.
func reason(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

func mapNames(h Header) []string {
	s := Set{header: h}
	return s.MapNames()
}

func unknownMap(name string, there []string) error {
	if len(there) == 0 {
		return fmt.Errorf("no map is called %q; this data set has none", name)
	}
	return fmt.Errorf("no map is called %q; there are: %s", name, strings.Join(there, ", "))
}
