package leaks

import (
	"encoding/binary"
	"fmt"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// pngHead goes through the chunks; those behind the pixels are read where they are there.
func pngHead(data []byte) (Head, error) {
	h := Head{Format: "PNG"}
	if len(data) < 33 || string(data[12:16]) != "IHDR" || binary.BigEndian.Uint32(data[8:]) != 13 {
		return h, fmt.Errorf("%w: no chunk IHDR", ErrTruncated)
	}
	w, ht := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	if w > 1<<31-1 || ht > 1<<31-1 {
		return h, fmt.Errorf("%w: %d x %d pixels", ErrDamaged, w, ht)
	}
	h.W, h.H = int(w), int(ht)
	depth, kind, interlaced := data[24], data[25], data[28] != 0
	mode, ok := pngModes[[2]byte{depth, kind}]
	if !ok {
		return h, fmt.Errorf("%w: %d bits of colour type %d", ErrDamaged, depth, kind)
	}
	h.Mode = mode
	var order sequence
	pixels := 0 // chunks of them
	first := 0  // bytes in the first
	at := 8
	for range maxSteps {
		if at+12 > len(data) {
			break
		}
		length, name := int(binary.BigEndian.Uint32(data[at:])), string(data[at+4:at+8])
		if !isChunk(name) {
			return h, fmt.Errorf("%w: a chunk called %q", ErrDamaged, name)
		}
		order.add(name)
		switch name {
		case "IDAT":
			if pixels++; pixels == 1 {
				first = length
				h.Codec = "deflate"
				if at+10 <= len(data) && length >= 2 {
					h.Codec += fmt.Sprintf(" %x", data[at+8:at+10]) // window and effort of zlib
				}
			}
		case "eXIf":
			h.EXIF = true
		case "iCCP":
			h.Profile = true
		}
		if name == "IEND" || length > len(data)-at-12 {
			break
		}
		at += 12 + length
	}
	if pixels == 0 {
		return h, fmt.Errorf("%w: no pixels", ErrTruncated)
	}
	if pixels > 1 { // of a single chunk the length depends on the picture
		h.Codec += fmt.Sprintf(", chunks of %d", first)
	}
	if interlaced {
		h.Codec += ", interlaced"
	}
	if depth != 8 {
		h.Codec += fmt.Sprintf(", %d bits", depth)
	}
	h.Structure = string(order.text)
	return h, nil
}

// pngModes are Pillow's by depth and colour type.
var pngModes = map[[2]byte]string{
	{1, 0}: "1", {2, 0}: "L", {4, 0}: "L", {8, 0}: "L", {16, 0}: "I;16",
	{8, 2}: "RGB", {16, 2}: "RGB",
	{1, 3}: "P", {2, 3}: "P", {4, 3}: "P", {8, 3}: "P",
	{8, 4}: "LA", {16, 4}: "RGBA",
	{8, 6}: "RGBA", {16, 6}: "RGBA",
}

func isChunk(name string) bool {
	for _, c := range []byte(name) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return true
}
