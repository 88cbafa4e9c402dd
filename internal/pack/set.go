package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Set is an open pack. All its slices are views of the mapped file: they may be read from any goroutine, must not be
// written to, and must not be touched after Close.
type Set struct {
	header Header
	layout layout
	data   []byte
}

// Open maps a pack into memory. The file is checked against its header; the pixels are not read.
func Open(path string) (*Set, error) {
	s, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open packed data set %s: %w", path, err)
	}
	return s, nil
}

func open(path string) (*Set, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, reason(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, reason(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("not a file")
	}
	header, l, err := readHeader(file, info.Size())
	if err != nil {
		return nil, err
	}
	data, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes into memory: %w", info.Size(), err)
	}
	return &Set{header, l, data}, nil
}

// readHeader reads and checks all that lies before the blocks of a file of that size.
func readHeader(file *os.File, size int64) (Header, layout, error) {
	var h Header
	var first [preamble]byte
	if n, _ := file.ReadAt(first[:], 0); n < preamble || !bytes.HasPrefix(first[:], []byte(magic)) {
		return h, layout{}, fmt.Errorf("not a packed data set (%d bytes, without its mark at the start)", size)
	}
	if v := binary.LittleEndian.Uint32(first[8:]); v != version {
		return h, layout{}, fmt.Errorf("version %d; this program reads version %d: make it again", v, version)
	}
	length := int64(binary.LittleEndian.Uint32(first[12:]))
	if preamble+length > size {
		return h, layout{}, fmt.Errorf("truncated: the header ends at byte %d, the file at %d; delete it, to make it again", preamble+length, size)
	}
	raw := make([]byte, length)
	if _, err := file.ReadAt(raw, preamble); err != nil {
		return h, layout{}, reason(err)
	}
	if sha256.Sum256(raw) != [32]byte(first[16:]) {
		return h, layout{}, fmt.Errorf("damaged: the header does not fit its checksum; delete it, to make it again")
	}
	if err := json.Unmarshal(raw, &h); err != nil {
		return h, layout{}, fmt.Errorf("header: %w", err)
	}
	l, err := plan(h, int(length))
	if err != nil {
		return h, l, fmt.Errorf("header: %w", err)
	}
	if l.size != size {
		return h, l, fmt.Errorf("truncated or damaged: %d bytes, its header promises %d; delete it, to make it again", size, l.size)
	}
	return h, l, nil
}

// Close unmaps the file.
func (s *Set) Close() error {
	if s.data == nil {
		return nil
	}
	data := s.data
	s.data = nil
	return unix.Munmap(data)
}

// Len is the number of images.
func (s *Set) Len() int { return len(s.header.Rows) }

// Side is the height and width of the images in pixels.
func (s *Set) Side() int { return s.header.Side }

// Grid is the height and width of the maps' grids in cells.
func (s *Set) Grid() (h, w int) { return s.header.GridH, s.header.GridW }

// Rows are the images, in the order of the pixels.
func (s *Set) Rows() []Row { return s.header.Rows }

// Notes say what a reader of results must know of this data.
func (s *Set) Notes() []string { return s.header.Notes }

// Maps are the named maps.
func (s *Set) Maps() []MapInfo { return s.header.Maps }

// MapNames are the names of the maps, in the order of their declaration.
func (s *Set) MapNames() []string {
	names := make([]string, len(s.header.Maps))
	for i, m := range s.header.Maps {
		names[i] = m.Name
	}
	return names
}

// Pixels are all images [rows, side, side, 3], RGB, 0 to 255.
func (s *Set) Pixels() []byte { return s.view(s.layout.pixels) }

// Image is image i [side, side, 3].
func (s *Set) Image(i int) []byte {
	each := 3 * s.header.Side * s.header.Side
	return s.Pixels()[i*each : (i+1)*each]
}

// Map is a named map of all images [rows, h, w], 0 to 255, and which images have one. It fails for an unknown name.
func (s *Set) Map(name string) (grid []byte, has []bool, err error) {
	for k, m := range s.header.Maps {
		if m.Name == name {
			return s.view(s.layout.maps[k].grid), m.Has.List(), nil
		}
	}
	return nil, nil, unknownMap(name, s.MapNames())
}

// MapFull is a named map of image i at the images' size [side, side]; false where the image has none.
func (s *Set) MapFull(name string, i int) ([]byte, bool) {
	for k, m := range s.header.Maps {
		if m.Name != name {
			continue
		}
		spans := s.layout.maps[k]
		if spans.slot[i] < 0 {
			return nil, false
		}
		each := int64(s.header.Side) * int64(s.header.Side)
		return s.view(span{spans.full.at + int64(spans.slot[i])*each, each}), true
	}
	return nil, false
}

func (s *Set) view(b span) []byte { return s.data[b.at : b.at+b.len : b.at+b.len] }
