package leaks

import (
	"encoding/binary"
	"fmt"
)

// gifHead reads the screen and its palette, and looks for the first frame's.
func gifHead(data []byte) (Head, error) {
	h := Head{Format: "GIF", Codec: string(data[:6]), Mode: "L"}
	if len(data) < 13 {
		return h, fmt.Errorf("%w: the screen", ErrTruncated)
	}
	h.W, h.H = int(binary.LittleEndian.Uint16(data[6:])), int(binary.LittleEndian.Uint16(data[8:]))
	at := 13
	palette := func(flags byte) bool {
		if flags&0x80 == 0 {
			return true
		}
		size := 3 << (flags&7 + 1)
		if at+size > len(data) {
			return false
		}
		for i := 0; i < size; i += 3 {
			if p := data[at+i:]; p[0] != byte(i/3) || p[1] != p[0] || p[2] != p[0] {
				h.Mode = "P"
			}
		}
		at += size
		return true
	}
	if !palette(data[10]) {
		return h, fmt.Errorf("%w: the palette", ErrTruncated)
	}
	for range maxSteps {
		if at >= len(data) {
			break
		}
		switch data[at] {
		case '!': // an extension: blocks up to an empty one
			at += 2
			for at < len(data) && data[at] != 0 {
				at += 1 + int(data[at])
			}
			at++
		case ',':
			if at+10 > len(data) {
				return h, fmt.Errorf("%w: the first frame", ErrTruncated)
			}
			flags := data[at+9]
			if flags&0x40 != 0 {
				h.Codec += ", interlaced"
			}
			if at += 10; !palette(flags) {
				return h, fmt.Errorf("%w: the palette of the first frame", ErrTruncated)
			}
			return h, nil
		default:
			return h, fmt.Errorf("%w: a block of kind %02x", ErrDamaged, data[at])
		}
	}
	return h, fmt.Errorf("%w: no frame", ErrTruncated)
}
