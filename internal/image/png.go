package image

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// The colour types of PNG's header chunk.
const (
	pngGrey      = 0
	pngTrueColor = 2
	pngPalette   = 3
	pngGreyAlpha = 4
	pngRGBAlpha  = 6
)

// pngFile is what the chunks of a file say.
type pngFile struct {
	w, h       int
	depth      int // bits of a channel
	colour     byte
	interlaced bool
	palette    [256][3]byte // numbers beyond its end are black, as in Pillow
	picture    []byte       // the IDAT chunks together
}

// channels by colour type.
func (f *pngFile) channels() int { return [...]int{1, 0, 3, 1, 2, 0, 4}[f.colour] }

func decodePNG(data []byte, l Limits) (*Image, error) {
	f, err := readChunks(data, l)
	if err != nil {
		return nil, fmt.Errorf("PNG: %w", err)
	}
	m := &Image{W: f.w, H: f.h, Orientation: pngOrientation(data), palette: f.palette}
	m.Mode, m.step = f.mode()
	if m.pix, err = f.pixels(m.step); err != nil {
		return nil, fmt.Errorf("PNG: %w", err)
	}
	return m, nil
}

// mode is Pillow's, with its bytes a pixel: what has more than one channel is cut to 8 bits each, and grey of 16 bits with
// opacity becomes colours. One transparent colour (tRNS) changes neither.
func (f *pngFile) mode() (mode Mode, step int) {
	switch {
	case f.colour == pngPalette:
		return Palette, 1
	case f.colour == pngTrueColor:
		return TrueColor, 3
	case f.colour == pngRGBAlpha, f.colour == pngGreyAlpha && f.depth == 16:
		return RGBAlpha, 4
	case f.colour == pngGreyAlpha:
		return GreyAlpha, 2
	case f.depth == 16:
		return Grey16, 2
	case f.depth == 1:
		return Bilevel, 1
	}
	return Grey8, 1
}

var errPNGEnds = fmt.Errorf("%w: the file ends before the picture does", ErrTruncated)

// readChunks is strict where Pillow is: it wants the checksums of the chunks before the picture, whose own is zlib's. It is
// stricter about the end, which has to be there.
func readChunks(data []byte, l Limits) (*pngFile, error) {
	const header = len(pngMagic) + 4 + 4 + 13 + 4 // length, name, content and checksum of the first chunk
	if len(data) < header {
		return nil, fmt.Errorf("%w: %d bytes, the header alone needs %d", ErrTruncated, len(data), header)
	}
	f := &pngFile{}
	var seen struct{ palette, picture, after bool } // after: a chunk that follows the picture
	for at := len(pngMagic); ; {
		if len(data)-at < 12 {
			return nil, errPNGEnds
		}
		size, name := int(binary.BigEndian.Uint32(data[at:])), string(data[at+4:at+8])
		if first := at == len(pngMagic); first != (name == "IHDR") || first && size != 13 {
			return nil, fmt.Errorf("%w: the chunk %q of %d bytes stands where it may not", ErrDamaged, name, size)
		}
		if size > len(data)-at-12 {
			return nil, errPNGEnds
		}
		content, sum := data[at+8:at+8+size], binary.BigEndian.Uint32(data[at+8+size:])
		named := data[at+4 : at+8+size]
		at += 12 + size
		var err error
		switch name {
		case "IHDR":
			err = f.readHeader(content, l)
		case "PLTE":
			if f.colour == pngPalette && (seen.palette || seen.picture) {
				return nil, fmt.Errorf("%w: it has a second palette, or one after the picture", ErrDamaged)
			}
			seen.palette, err = true, f.readPalette(content)
		case "tRNS":
			if need := map[byte]int{pngGrey: 2, pngTrueColor: 6}[f.colour]; !seen.picture && size < need {
				return nil, fmt.Errorf("%w: its transparent colour has %d bytes, of %d", ErrDamaged, size, need)
			}
		case "IDAT":
			switch {
			case !seen.picture: // the only one is not copied
				f.picture = content[:size:size]
			case !seen.after:
				f.picture = append(slices.Grow(f.picture, len(data)-at+size), content...)
			}
			seen.picture = true
			continue
		case "IEND":
			if !seen.picture || f.colour == pngPalette && !seen.palette {
				return nil, fmt.Errorf("%w: it ends without a picture or its palette", ErrDamaged)
			}
			return f, nil
		}
		if err != nil {
			return nil, err
		}
		if !seen.picture && crc32.ChecksumIEEE(named) != sum {
			return nil, fmt.Errorf("%w: the checksum of its chunk %q is wrong", ErrDamaged, name)
		}
		seen.after = seen.picture
	}
}

func (f *pngFile) readHeader(b []byte, l Limits) error {
	f.w, f.h = int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))
	f.depth, f.colour, f.interlaced = int(b[8]), b[9], b[12] == 1
	if err := l.check(f.w, f.h); err != nil {
		return err
	}
	depths := map[byte]string{pngGrey: "\x01\x02\x04\x08\x10", pngPalette: "\x01\x02\x04\x08",
		pngTrueColor: "\x08\x10", pngGreyAlpha: "\x08\x10", pngRGBAlpha: "\x08\x10"}[f.colour]
	switch {
	case f.depth == 0 || !strings.Contains(depths, string(rune(f.depth))):
		return fmt.Errorf("%w: colour type %d of %d bits", ErrUnsupported, f.colour, f.depth)
	case b[10] != 0 || b[11] != 0:
		return fmt.Errorf("%w: compression %d, filter method %d", ErrUnsupported, b[10], b[11])
	case b[12] > 1:
		return fmt.Errorf("%w: interlacing %d", ErrDamaged, b[12])
	}
	return nil
}

// readPalette passes over the palette that pictures of other types may suggest.
func (f *pngFile) readPalette(b []byte) error {
	if f.colour != pngPalette {
		return nil
	}
	if len(b) == 0 || len(b)%3 != 0 || len(b) > 3<<f.depth {
		return fmt.Errorf("%w: a palette of %d bytes", ErrDamaged, len(b))
	}
	for i := range len(b) / 3 {
		f.palette[i] = [3]byte(b[3*i:])
	}
	return nil
}
