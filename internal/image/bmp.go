package image

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// The compressions of BMP's header that are read.
const (
	bmpPlain     = 0
	bmpRLE8      = 1
	bmpRLE4      = 2
	bmpBitfields = 3
)

// bmpHeader is what a BMP file says before its pixels.
type bmpHeader struct {
	w, h        int
	bits        int // a pixel
	compression int
	topDown     bool
	masks       [4]uint32 // red, green, blue and opacity, of bit fields
	colours     int       // of the palette
	entry       int       // bytes of a palette's colour: 3 or 4
	palette     int       // where it begins in the file
	pixels      int       // where they begin
}

// isBMP tells a BMP file from a text that begins with BM.
func isBMP(data []byte) bool {
	return len(data) >= 18 && string(data[:2]) == "BM" &&
		(binary.LittleEndian.Uint32(data[6:]) == 0 || slices.Contains(bmpHeaders, int(binary.LittleEndian.Uint32(data[14:]))))
}

func bmpUnsupported(format string, args ...any) error {
	return fmt.Errorf("BMP: %w: %s; convert it to PNG", ErrUnsupported, fmt.Sprintf(format, args...))
}

func decodeBMP(data []byte, l Limits) (*Image, error) {
	head, err := readBMPHeader(data)
	if err != nil {
		return nil, err
	}
	if err := l.check(head.w, head.h); err != nil {
		return nil, fmt.Errorf("BMP: %w", err)
	}
	m := &Image{W: head.w, H: head.h, Orientation: upright, Mode: TrueColor, step: 3}
	pixels := data[min(head.pixels, len(data)):]
	rle := head.compression == bmpRLE8 || head.compression == bmpRLE4
	if head.bits <= 8 {
		m.step = 1
		if err := m.bmpPalette(head, data); err != nil {
			return nil, err
		}
	}
	switch {
	case rle && head.bits > 8:
		return nil, bmpUnsupported("run lengths of %d bits a pixel", head.bits)
	case rle:
		err = m.bmpRuns(head, pixels)
	default:
		err = m.bmpRows(head, pixels)
	}
	if err != nil {
		return nil, err
	}
	if !head.topDown {
		stride := m.W * m.step
		for top, bottom := 0, m.H-1; top < bottom; top, bottom = top+1, bottom-1 {
			a, b := m.pix[top*stride:(top+1)*stride], m.pix[bottom*stride:(bottom+1)*stride]
			for i := range a {
				a[i], b[i] = b[i], a[i]
			}
		}
	}
	return m, nil
}

func readBMPHeader(data []byte) (bmpHeader, error) {
	const fileHeader = 14
	short := func(at int) int { return int(binary.LittleEndian.Uint16(data[at:])) }
	long := func(at int) int { return int(binary.LittleEndian.Uint32(data[at:])) }
	var h bmpHeader
	if len(data) < fileHeader+4 {
		return h, fmt.Errorf("BMP: %w: %d bytes, without the header's", ErrTruncated, len(data))
	}
	size := long(fileHeader)
	if !slices.Contains(bmpHeaders, size) {
		return h, bmpUnsupported("a header of %d bytes", size)
	}
	end := fileHeader + size
	if len(data) < end {
		return h, fmt.Errorf("BMP: %w: the file ends in its header", ErrTruncated)
	}
	if h.pixels = long(10); size == bmpHeaders[0] {
		h.w, h.h, h.bits, h.entry = short(18), short(20), short(24), 3
	} else {
		h.w, h.h, h.bits, h.compression, h.colours, h.entry = long(18), long(22), short(28), long(30), long(46), 4
		if h.topDown = data[25] == 0xff; h.topDown {
			h.h = 1<<32 - h.h
		}
	}
	if h.compression > bmpBitfields {
		return h, bmpUnsupported("compression %d", h.compression)
	}
	if !slices.Contains([]int{1, 4, 8, 16, 24, 32}, h.bits) {
		return h, bmpUnsupported("%d bits a pixel", h.bits)
	}
	if h.compression == bmpBitfields {
		count := 3
		if size >= 56 {
			count = 4
		}
		if size < 52 { // the masks follow the header
			end += 12
		}
		if len(data) < fileHeader+40+4*count {
			return h, fmt.Errorf("BMP: %w: the file ends in its header", ErrTruncated)
		}
		for i := range count {
			h.masks[i] = uint32(long(fileHeader + 40 + 4*i))
		}
	}
	if h.colours == 0 {
		h.colours = 1 << min(h.bits, 8)
	}
	h.palette = end
	if h.pixels == fileHeader+size && h.bits <= 8 {
		h.pixels += h.entry * h.colours
	}
	if h.pixels == 0 {
		h.pixels = end
		if h.bits <= 8 {
			h.pixels += h.entry * h.colours
		}
	}
	return h, nil
}

// bmpHeaders are the lengths of the headers that are known: OS/2's first, then Windows' and OS/2's later ones.
var bmpHeaders = []int{12, 40, 52, 56, 64, 108, 124}

// bmpPalette reads the palette. One that only repeats the numbers makes the picture grey, as in Pillow.
func (m *Image) bmpPalette(h bmpHeader, data []byte) error {
	if h.colours > 256 {
		return bmpUnsupported("a palette of %d colours", h.colours)
	}
	grey := true
	for i := range h.colours {
		var rgb [3]byte
		whole := h.palette+i*h.entry+3 <= len(data)
		if whole {
			p := data[h.palette+i*h.entry:]
			rgb = [3]byte{p[2], p[1], p[0]}
			m.palette[i] = rgb
		}
		v := byte(i)
		if h.colours == 2 && i == 1 {
			v = 255
		}
		grey = grey && whole && rgb == [3]byte{v, v, v}
	}
	rle := h.compression != bmpPlain
	switch {
	case !grey:
		m.Mode = Palette
	case h.colours <= 2 && (h.bits != 1 || rle):
		return bmpUnsupported("black and white in %d bits a pixel, which Pillow misreads", h.bits)
	case h.colours <= 2:
		m.Mode = Bilevel
	case h.bits != 8 && !rle:
		return bmpUnsupported("a palette of greys in %d bits a pixel, which Pillow misreads", h.bits)
	default:
		m.Mode = Grey8
	}
	return nil
}

// bmpRows unpacks rows, each of a multiple of four bytes, in the file's order.
func (m *Image) bmpRows(h bmpHeader, data []byte) error {
	unpack, err := h.unpacker(m.Mode)
	if err != nil {
		return err
	}
	if h.masks[3] != 0 || h.bits == 32 && h.compression == bmpBitfields && h.masks == [4]uint32{} {
		m.Mode = RGBAlpha
	}
	used := (h.w*h.bits + 7) / 8
	stride := (h.w*h.bits + 31) >> 3 &^ 3
	if need := stride*(h.h-1) + used; len(data) < need {
		return fmt.Errorf("BMP: %w: the picture needs %d bytes, there are %d", ErrTruncated, need, len(data))
	}
	m.pix = make([]byte, m.W*m.H*m.step)
	width := m.W * m.step
	for y := range m.H {
		unpack(m.pix[y*width:(y+1)*width], data[y*stride:y*stride+used])
	}
	return nil
}

// unpacker turns the bytes of a row into those of an Image.
func (h bmpHeader) unpacker(mode Mode) (func(out, row []byte), error) {
	fields := h.compression == bmpBitfields
	masks := [3]uint32(h.masks[:3])
	switch {
	case h.bits <= 8 && fields:
		return nil, bmpUnsupported("bit fields of %d bits a pixel", h.bits)
	case h.bits <= 8:
		scale := byte(1)
		if mode == Bilevel {
			scale = 255
		}
		return func(out, row []byte) { unpackBits(out, row, h.bits, scale) }, nil
	case h.bits == 16 && fields && masks == [3]uint32{0xf800, 0x7e0, 0x1f}:
		return func(out, row []byte) { unpack16(out, row, 6) }, nil
	case h.bits == 16 && (!fields || masks == [3]uint32{0x7c00, 0x3e0, 0x1f}):
		return func(out, row []byte) { unpack16(out, row, 5) }, nil
	case h.bits == 24 && (!fields || masks == [3]uint32{0xff0000, 0xff00, 0xff}):
		return func(out, row []byte) { pickBytes(out, row, 3, [3]int{2, 1, 0}) }, nil
	case h.bits == 32 && !fields:
		return func(out, row []byte) { pickBytes(out, row, 4, [3]int{2, 1, 0}) }, nil
	case h.bits == 32:
		if at, ok := bmpLayouts[h.masks]; ok {
			return func(out, row []byte) { pickBytes(out, row, 4, at) }, nil
		}
	}
	return nil, bmpUnsupported("bit fields %x of %d bits a pixel", h.masks, h.bits)
}

// bmpLayouts are the places of red, green and blue among the four bytes of a pixel, by their masks.
var bmpLayouts = map[[4]uint32][3]int{
	{0xff0000, 0xff00, 0xff, 0}:          {2, 1, 0},
	{0xff000000, 0xff0000, 0xff00, 0}:    {3, 2, 1},
	{0xff000000, 0xff00, 0xff, 0}:        {3, 1, 0},
	{0xff000000, 0xff0000, 0xff00, 0xff}: {3, 2, 1},
	{0xff, 0xff00, 0xff0000, 0xff000000}: {0, 1, 2},
	{0xff0000, 0xff00, 0xff, 0xff000000}: {2, 1, 0},
	{0xff000000, 0xff00, 0xff, 0xff0000}: {3, 1, 0},
	{0, 0, 0, 0}:                         {2, 1, 0},
}

func pickBytes(out, row []byte, step int, at [3]int) {
	for len(out) >= 3 && len(row) >= step {
		out[0], out[1], out[2] = row[at[0]], row[at[1]], row[at[2]]
		out, row = out[3:], row[step:]
	}
}

// unpack16 spreads 5 bits of red, 5 or 6 of green and 5 of blue over 0 to 255.
func unpack16(out, row []byte, greenBits int) {
	green := 1<<greenBits - 1
	for len(out) >= 3 && len(row) >= 2 {
		v := int(binary.LittleEndian.Uint16(row))
		out[0] = byte(v >> (5 + greenBits) & 31 * 255 / 31)
		out[1] = byte(v >> 5 & green * 255 / green)
		out[2] = byte(v & 31 * 255 / 31)
		out, row = out[3:], row[2:]
	}
}

// unpackBits takes numbers of 1, 2, 4 or 8 bits from a row, the high bits first, and multiplies them.
func unpackBits(out, row []byte, bits int, scale byte) {
	mask := byte(1<<bits - 1)
	for i := range out {
		bit := i * bits
		out[i] = row[bit/8] >> (8 - bits - bit%8) & mask * scale
	}
}

// bmpRuns unpacks run lengths as Pillow does (BmpRleDecoder): what is skipped is 0, and too long a run ends with its row.
func (m *Image) bmpRuns(h bmpHeader, data []byte) error {
	four := h.compression == bmpRLE4
	total := m.W * m.H
	pix := make([]byte, 0, total+m.W)
	at, x := 0, 0
	skip := func(n int) { pix = append(pix, make([]byte, min(n, total-len(pix)))...) }
decode:
	for len(pix) < total && at+2 <= len(data) {
		count, v := int(data[at]), data[at+1]
		at += 2
		switch {
		case count > 0:
			count = min(count, max(0, m.W-x))
			for i := range count {
				switch {
				case !four:
					pix = append(pix, v)
				case i%2 == 0:
					pix = append(pix, v>>4)
				default:
					pix = append(pix, v&15)
				}
			}
			x += count
		case v == 0: // end of the row
			if rest := len(pix) % m.W; rest != 0 {
				skip(m.W - rest)
			}
			x = 0
		case v == 1: // end of the picture
			break decode
		case v == 2: // move right and up
			if at+2 > len(data) {
				break decode
			}
			skip(int(data[at]) + int(data[at+1])*m.W)
			at += 2
			x = len(pix) % m.W
		default: // pixels as they are
			n := min(int(v), total-len(pix))
			length := n
			if four {
				length = (n + 1) / 2
			}
			if at+length > len(data) {
				break decode
			}
			for i := range n {
				if four {
					pix = append(pix, data[at+i/2]>>(4-4*(i%2))&15)
				} else {
					pix = append(pix, data[at+i])
				}
			}
			at += length
			x += int(v)
			if (h.pixels+at)%2 != 0 {
				at++
			}
		}
	}
	if len(pix) < total {
		return fmt.Errorf("BMP: %w: its run lengths make %d of %d pixels", ErrTruncated, len(pix), total)
	}
	m.pix = pix[:total]
	return nil
}
