package image

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"golang.org/x/image/tiff/lzw"
)

// The compressions of TIFF that are read.
const (
	compressNone       = 1
	compressLZW        = 5
	compressDeflate    = 8
	compressPackBits   = 32773
	compressOldDeflate = 32946
)

var decompressors = map[int]func(data []byte) (io.Reader, error){
	compressNone:       func(data []byte) (io.Reader, error) { return bytes.NewReader(data), nil },
	compressLZW:        func(data []byte) (io.Reader, error) { return lzw.NewReader(bytes.NewReader(data), lzw.MSB, 8), nil },
	compressDeflate:    inflate,
	compressOldDeflate: inflate,
	compressPackBits:   func(data []byte) (io.Reader, error) { return &packBits{data: data}, nil },
}

func inflate(data []byte) (io.Reader, error) { return zlib.NewReader(bytes.NewReader(data)) }

// compressions names those that are not read.
var compressions = map[int]string{
	2: "CCITT", 3: "CCITT group 3", 4: "CCITT group 4", 6: "JPEG (old)", 7: "JPEG", 32771: "CCITT (words)", 34925: "LZMA",
	34712: "JPEG 2000", 50000: "Zstandard", 50001: "WebP",
}

// blocks decodes all strips or tiles. Of each, one row at a time is held.
func (t *tiff) blocks(m *Image, l Limits, unpack func(out, row []byte)) error {
	w, h := t.w, min(t.one(tagRowsPerStrip, t.h), t.h)
	offsets, counts := t.tags[tagStripOffsets], t.tags[tagStripByteCounts]
	tiled := len(offsets) == 0
	if tiled {
		w, h = t.one(tagTileWidth, 0), t.one(tagTileHeight, 0)
		offsets, counts = t.tags[tagTileOffsets], t.tags[tagTileByteCounts]
	}
	if err := l.check(w, h); err != nil {
		return fmt.Errorf("its tiles or strips: %w", err)
	}
	across, down := (t.w+w-1)/w, (t.h+h-1)/h
	if len(offsets) != across*down*t.planes {
		return fmt.Errorf("%w: %d strips or tiles, the picture has %d", ErrDamaged, len(offsets), across*down*t.planes)
	}
	if t.compression != compressNone && len(counts) != len(offsets) {
		return fmt.Errorf("%w: the lengths of %d of %d strips or tiles", ErrDamaged, len(counts), len(offsets))
	}
	m.pix = make([]byte, m.W*m.H*m.step)
	rows := newTIFFRows(t, w)
	for i, offset := range offsets {
		plane, place := i/(across*down), i%(across*down)
		x, y := place%across*w, place/across*h
		end := len(t.data)
		if t.compression != compressNone {
			end = offset + counts[i]
		}
		if offset > len(t.data) || end > len(t.data) {
			return fmt.Errorf("%w: strip or tile %d lies behind the file's end", ErrTruncated, i+1)
		}
		if err := rows.open(t.data[offset:end]); err != nil {
			return err
		}
		for ; y < min(t.h, place/across*h+h); y++ {
			row, err := rows.next()
			if err != nil {
				return err
			}
			out := m.pix[(y*t.w+x)*m.step : (y*t.w+min(x+w, t.w))*m.step]
			if t.planes == 1 {
				unpack(out, row)
				continue
			}
			for k := plane; plane < m.step && k < len(out); k += m.step {
				out[k] = row[k/m.step]
			}
		}
	}
	return nil
}

// tiffRows reads one row after the other of a strip or tile.
type tiffRows struct {
	t       *tiff
	samples int // in a row's pixel: 1 where each sample has its own plane
	from    io.Reader
	row     []byte
}

func newTIFFRows(t *tiff, width int) *tiffRows {
	samples := t.samples / t.planes
	return &tiffRows{t: t, samples: samples, row: make([]byte, (width*samples*t.bits+7)/8)}
}

func (r *tiffRows) open(data []byte) (err error) {
	r.from, err = decompressors[r.t.compression](data)
	return tiffError(err)
}

// next undoes the predictor, which keeps the difference from the pixel to the left.
func (r *tiffRows) next() ([]byte, error) {
	if _, err := io.ReadFull(r.from, r.row); err != nil {
		return nil, tiffError(err)
	}
	switch {
	case r.t.predictor == 1:
	case r.t.bits == 8:
		for i := r.samples; i < len(r.row); i++ {
			r.row[i] += r.row[i-r.samples]
		}
	default:
		for i := 2 * r.samples; i+1 < len(r.row); i += 2 {
			r.t.order.PutUint16(r.row[i:], r.t.order.Uint16(r.row[i:])+r.t.order.Uint16(r.row[i-2*r.samples:]))
		}
	}
	return r.row, nil
}

func tiffError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the data end before the picture does", ErrTruncated)
	}
	return fmt.Errorf("%w: %v", ErrDamaged, err)
}

// packBits reads run lengths: n from 0 to 127 and n+1 bytes as they are, or 1-n from 129 to 255 and a byte to repeat.
type packBits struct {
	data   []byte
	repeat bool
	left   int // of the run
}

func (p *packBits) Read(out []byte) (n int, err error) {
	for n < len(out) {
		if p.left == 0 {
			if len(p.data) < 2 {
				return n, io.EOF
			}
			head := int(int8(p.data[0]))
			p.data = p.data[1:]
			switch {
			case head == -128:
				continue
			case head < 0:
				p.repeat, p.left = true, 1-head
			default:
				p.repeat, p.left = false, 1+head
			}
		}
		if len(p.data) == 0 {
			return n, io.EOF
		}
		out[n] = p.data[0]
		n++
		p.left--
		if !p.repeat || p.left == 0 {
			p.data = p.data[1:]
		}
	}
	return n, nil
}
