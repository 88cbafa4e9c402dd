package checkpoint

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strings"
)

// readZip reads the format of torch.save since PyTorch 1.6: a zip of uncompressed entries below one folder, data.pkl
// with the objects and data/KEY with the bytes of each storage.
func readZip(r io.ReaderAt, size int64) (*File, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, damaged("the zip archive is cut off or damaged (%w)", err)
	}
	z := &zipFile{r: r, left: size, entries: map[string]*zip.File{}, storages: map[string]*storage{}}
	for _, f := range archive.File {
		if strings.Count(f.Name, "/") == 1 && path.Base(f.Name) == "data.pkl" {
			z.folder = path.Dir(f.Name)
		}
		z.entries[f.Name] = f
	}
	if z.folder == "" {
		return nil, errors.New("a zip archive without data.pkl, which torch.save did not write: save the model's state_dict() by torch.save")
	}
	if z.entry("constants.pkl") != nil {
		return nil, errors.New("a TorchScript program, not a checkpoint: load it by torch.jit.load and save its state_dict() by torch.save")
	}
	return z.read(size)
}

type zipFile struct {
	r        io.ReaderAt
	left     int64 // bytes that may still be read: entries that overlap do not multiply the file
	folder   string
	entries  map[string]*zip.File
	storages map[string]*storage
}

func (z *zipFile) entry(name string) *zip.File { return z.entries[z.folder+"/"+name] }

func (z *zipFile) read(size int64) (*File, error) {
	if z.entry("byteorder") != nil {
		order, err := z.content("byteorder")
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, fmt.Errorf("its byte order is %.10q: load and save it on a little-endian machine", order)
		}
	}
	if z.entry("data.pkl").UncompressedSize64 > maxPickle {
		return nil, fmt.Errorf("data.pkl: a pickle of more than %d MB", maxPickle>>20)
	}
	program, err := z.content("data.pkl")
	if err != nil {
		return nil, err
	}
	root, err := newUnpickler(bytes.NewReader(program), z.persistent).load()
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	for _, s := range z.storages {
		name := "data/" + s.key
		if z.entry(name) == nil {
			return nil, damaged("storage %s is missing", name)
		}
		if s.data, err = z.content(name); err != nil {
			return nil, err
		}
		if need := s.numel * s.dtype.Size(); len(s.data) < need {
			return nil, damaged("storage %s: %d bytes, where its tensors need %d", name, len(s.data), need)
		}
	}
	f, err := fromObjects(root, size)
	if err == nil {
		f.Format = "zip"
	}
	return f, err
}

// persistent takes ("storage", class, key, device, elements).
func (z *zipFile) persistent(id any) (any, error) {
	s, _, err := storageOf(id, 5)
	if err != nil {
		return nil, err
	}
	return share(z.storages, s)
}

// content reads an entry and compares its checksum.
func (z *zipFile) content(name string) ([]byte, error) {
	f := z.entry(name)
	if f.Method != zip.Store {
		return nil, fmt.Errorf("%s is compressed, which torch.save never does: load it in PyTorch and save it again", name)
	}
	at, err := f.DataOffset()
	if err != nil {
		return nil, damaged("%s: %w", name, err)
	}
	if f.UncompressedSize64 != f.CompressedSize64 || f.UncompressedSize64 > uint64(z.left) {
		return nil, damaged("%s: %d bytes in a file that has no room for them", name, f.UncompressedSize64)
	}
	z.left -= int64(f.UncompressedSize64)
	data := make([]byte, f.UncompressedSize64)
	if n, err := z.r.ReadAt(data, at); n < len(data) {
		return nil, damaged("%s: %w", name, err)
	}
	if sum := crc32.ChecksumIEEE(data); sum != f.CRC32 {
		return nil, damaged("%s: its checksum is %08x, where the archive says %08x", name, sum, f.CRC32)
	}
	return data, nil
}

// storageOf reads a storage's persistent id, ("storage", class, key, device, elements), and what follows it.
func storageOf(id any, length int) (*storage, tuple, error) {
	t, ok := id.(tuple)
	if !ok || len(t) < length || t[0] != any("storage") {
		return nil, nil, errors.New("the pickle refers to what is not a storage")
	}
	dtype, ok1 := t[1].(DType)
	key, ok2 := t[2].(string)
	count, ok3 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 || dtype.Size() == 0 || count < 0 || count > 1<<48 {
		return nil, nil, errors.New("the pickle refers to a storage without type, key or size")
	}
	return &storage{key: key, dtype: dtype, numel: int(count)}, t[5:], nil
}

// share returns the one storage of that key.
func share(all map[string]*storage, s *storage) (*storage, error) {
	known, found := all[s.key]
	if !found {
		all[s.key] = s
		return s, nil
	}
	if known.dtype != s.dtype || known.numel != s.numel {
		return nil, fmt.Errorf("storage %s has %d elements of %s and again %d of %s", s.key, known.numel, known.dtype, s.numel, s.dtype)
	}
	return known, nil
}
