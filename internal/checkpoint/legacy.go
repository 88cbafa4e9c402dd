package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// legacyMagic is the operation that pushes torch.save's magic number 0x1950a86a20f9469cfc6c, behind the pickle's
// protocol.
const legacyMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

// readLegacy reads the format of torch.save before PyTorch 1.6: pickles of a magic number, a version, the writing
// machine, the objects and the storages' keys, then each storage as its number of elements (8 bytes) and its bytes.
func readLegacy(r io.ReaderAt, size int64) (*File, error) {
	l := legacy{storages: map[string]*storage{}}
	u := newUnpickler(io.NewSectionReader(r, 0, size), l.persistent)
	var parts [5]any
	for i := range parts {
		var err error
		if parts[i], err = u.load(); err != nil {
			return nil, err
		}
	}
	if parts[1] != any(int64(1001)) {
		return nil, errors.New("not version 1001 of PyTorch's stream format: load it in PyTorch and save it again")
	}
	if machine, ok := parts[2].(*dict); !ok || machine.get("little_endian") != true {
		return nil, errors.New("it was written on a big-endian machine: load and save it on a little-endian one")
	}
	if err := l.load(r, u.read, size, parts[4]); err != nil {
		return nil, err
	}
	f, err := fromObjects(parts[3], size)
	if err == nil {
		f.Format = "legacy"
	}
	return f, err
}

type legacy struct {
	storages map[string]*storage
	windows  []window
}

// window is a part of a storage that was an object of its own in PyTorch before 0.4.
type window struct {
	whole, part *storage
	offset      int // in elements
}

// persistent takes ("storage", class, key, device, elements, nil or (key, offset, elements) of a window).
func (l *legacy) persistent(id any) (any, error) {
	s, rest, err := storageOf(id, 5)
	if err != nil {
		return nil, err
	}
	if s, err = share(l.storages, s); err != nil {
		return nil, err
	}
	if len(rest) == 0 || rest[0] == nil {
		return s, nil
	}
	if meta, ok := rest[0].(tuple); ok && len(meta) == 3 {
		offset, ok1 := meta[1].(int64)
		count, ok2 := meta[2].(int64)
		if ok1 && ok2 && offset >= 0 && count >= 0 && offset <= int64(s.numel) && count <= int64(s.numel)-offset {
			part := &storage{key: s.key, dtype: s.dtype, numel: int(count)}
			l.windows = append(l.windows, window{s, part, int(offset)})
			return part, nil
		}
	}
	return nil, damaged("storage %s: a window that does not lie in it", s.key)
}

// load reads the storages in the order of keys, from the offset at of the file.
func (l *legacy) load(r io.ReaderAt, at, size int64, keys any) error {
	names, ok := keys.(*list)
	if !ok {
		return damaged("the list of storages is not there")
	}
	for _, name := range names.items {
		key, _ := name.(string)
		s := l.storages[key]
		if s == nil || s.data != nil {
			return damaged("a storage %.40q that no tensor names", key)
		}
		var count [8]byte
		if _, err := r.ReadAt(count[:], at); err != nil {
			return damaged("the file ends before storage %s", key)
		}
		at += 8
		if n := binary.LittleEndian.Uint64(count[:]); n != uint64(s.numel) {
			return damaged("storage %s: %d elements, where its tensors name %d", key, n, s.numel)
		}
		bytes := int64(s.numel) * int64(s.dtype.Size())
		if bytes > size-at {
			return damaged("the file ends in storage %s: %d of its %d bytes are there", key, size-at, bytes)
		}
		s.data = make([]byte, bytes)
		if n, err := r.ReadAt(s.data, at); int64(n) < bytes {
			return fmt.Errorf("storage %s: %w", key, err)
		}
		at += bytes
	}
	for key, s := range l.storages {
		if s.data == nil {
			return damaged("storage %s is missing", key)
		}
	}
	for _, w := range l.windows {
		size := w.part.dtype.Size()
		w.part.data = w.whole.data[w.offset*size : (w.offset+w.part.numel)*size]
	}
	return nil
}
