package checkpoint

import (
	"archive/zip"
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"unsafe"
)

// Write writes f to path as a .pth in the zip format, which torch.load(path, weights_only=True) opens:
//
//	{"epoch": int, "state_dict": OrderedDict, "optimizer": SGD.state_dict(), "metadata": dict, and what f.Extra holds}
//
// The optimizer and the metadata are left out where f has none. Tensors whose Data is the same memory share a storage. The same f
// gives the same bytes. The file appears whole or not at all: it is written beside path, flushed to the disk and renamed,
// and an error, a full disk among them, leaves what was at path.
func Write(path string, f *File) error {
	return write(path, func(w io.Writer) error { return encode(w, f) })
}

// WriteState writes a state dict alone as Write does, which model.load_state_dict(torch.load(path)) takes as it is.
func WriteState(path string, state []Tensor) error {
	return write(path, func(w io.Writer) error {
		return encodeObjects(w, func(p *pickler) { p.stateDict(state) })
	})
}

func write(path string, encode func(io.Writer) error) error {
	if err := replace(path, encode); err != nil {
		return fmt.Errorf("write checkpoint %s: %w", path, err)
	}
	return nil
}

// replace puts what write writes at path by one rename.
func replace(path string, write func(io.Writer) error) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()           //nolint:errcheck // the first error is the one to tell
			os.Remove(f.Name()) //nolint:errcheck
		}
	}()
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func encode(w io.Writer, f *File) error {
	return encodeObjects(w, func(p *pickler) { p.file(f) })
}

// encodeObjects writes the entries that torch.save writes, in its order, below the folder "archive".
func encodeObjects(w io.Writer, objects func(*pickler)) error {
	storages := storageTable{index: map[memory]int{}}
	program, err := pickle(&storages, objects)
	if err != nil {
		return err
	}
	a := archive{zip: zip.NewWriter(w)}
	a.add("data.pkl", program)
	a.add(".format_version", []byte("1"))
	a.add(".storage_alignment", []byte(strconv.Itoa(alignment)))
	a.add("byteorder", []byte("little"))
	for i, data := range storages.data {
		a.add("data/"+strconv.Itoa(i), data)
	}
	a.add("version", []byte("3\n"))
	if a.err != nil {
		return a.err
	}
	return a.zip.Close()
}

// alignment of the first byte of each entry in the file, in bytes: torch.load(mmap=True) relies on it.
const alignment = 64

// archive writes uncompressed, aligned entries.
type archive struct {
	zip *zip.Writer
	at  int64 // bytes written
	err error
}

func (a *archive) add(name string, data []byte) {
	if a.err != nil {
		return
	}
	const localHeader, extraHeader = 30, 4
	name = "archive/" + name
	start := a.at + localHeader + int64(len(name)) + extraHeader
	padding := int((alignment - start%alignment) % alignment)
	extra := append([]byte{'F', 'B', byte(padding), 0}, make([]byte, padding)...)

	entry, err := a.zip.CreateRaw(&zip.FileHeader{
		Name: name, Method: zip.Store, Extra: extra, CRC32: crc32.ChecksumIEEE(data),
		UncompressedSize64: uint64(len(data)), CompressedSize64: uint64(len(data)),
	})
	if err == nil {
		_, err = entry.Write(data)
	}
	a.at = start + int64(padding) + int64(len(data))
	a.err = err
}

// storageTable numbers the storages that the tensors need.
type storageTable struct {
	data  [][]byte
	index map[memory]int
}

type memory struct {
	at     *byte
	length int
	dtype  DType
}

// key is the number of the tensor's storage.
func (s *storageTable) key(t Tensor) int {
	where := memory{unsafe.SliceData(t.Data), len(t.Data), t.DType}
	if i, found := s.index[where]; found && len(t.Data) > 0 {
		return i
	}
	s.index[where] = len(s.data)
	s.data = append(s.data, t.Data)
	return len(s.data) - 1
}
