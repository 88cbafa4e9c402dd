package leaks

import (
	"encoding/binary"
	"fmt"
)

// bmpHead reads the two headers of a Windows or OS/2 bitmap.
func bmpHead(data []byte) (Head, error) {
	h := Head{Format: "BMP"}
	if len(data) < 26 {
		return h, fmt.Errorf("%w: the headers", ErrTruncated)
	}
	size := int(binary.LittleEndian.Uint32(data[14:]))
	info := data[14:]
	bits, compression, colours, entry := 0, uint32(0), 0, 4
	switch {
	case size == 12:
		h.W, h.H = int(binary.LittleEndian.Uint16(info[4:])), int(binary.LittleEndian.Uint16(info[6:]))
		bits, entry = int(binary.LittleEndian.Uint16(info[10:])), 3
	case size >= 40 && size <= 124 && len(info) >= size:
		h.W, h.H = int(int32(binary.LittleEndian.Uint32(info[4:]))), int(int32(binary.LittleEndian.Uint32(info[8:])))
		if h.H < 0 { // from the top down
			h.H = -h.H
		}
		bits = int(binary.LittleEndian.Uint16(info[14:]))
		compression, colours = binary.LittleEndian.Uint32(info[16:]), int(binary.LittleEndian.Uint32(info[32:]))
	default:
		return h, fmt.Errorf("%w: a header of %d bytes", ErrDamaged, size)
	}
	h.Codec = fmt.Sprintf("%d bits, header of %d", bits, size)
	if compression != 0 {
		h.Codec += fmt.Sprintf(", compression %d", compression)
	}
	switch bits {
	case 1, 2, 4, 8:
		if colours == 0 || colours > 1<<bits {
			colours = 1 << bits
		}
		h.Mode = bmpPaletteMode(data[min(len(data), 14+size):], colours, entry)
	case 16, 24:
		h.Mode = "RGB"
	case 32:
		h.Mode = "RGB"
		if size >= 56 && compression == 3 && binary.LittleEndian.Uint32(info[52:]) != 0 { // a mask of opacity
			h.Mode = "RGBA"
		}
	default:
		return h, fmt.Errorf("%w: %d bits a pixel", ErrDamaged, bits)
	}
	return h, nil
}

// bmpPaletteMode tells grey from colours by the palette.
func bmpPaletteMode(palette []byte, colours, entry int) string {
	for i := range colours {
		if len(palette) < (i+1)*entry {
			return "P"
		}
		want := byte(i)
		if colours == 2 {
			want = byte(i * 255)
		}
		p := palette[i*entry:]
		if p[0] != want || p[1] != want || p[2] != want {
			return "P"
		}
	}
	if colours == 2 {
		return "1"
	}
	return "L"
}
