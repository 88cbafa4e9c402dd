package leaks

import (
	"encoding/binary"
	"fmt"
)

// Tags of TIFF (revision 6.0; EXIF and ICC by their own standards).
const (
	tiffWidth       = 256
	tiffHeight      = 257
	tiffBits        = 258
	tiffCompression = 259
	tiffPhotometric = 262
	tiffOrientation = 274
	tiffSamples     = 277
	tiffTileWidth   = 322
	tiffExtra       = 338
	tiffFormat      = 339
	tiffEXIF        = 34665
	tiffProfile     = 34675
)

// tiffHead reads the first directory.
func tiffHead(data []byte) (Head, error) {
	h := Head{Format: "TIFF"}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	if len(data) < 8 {
		return h, fmt.Errorf("%w: no directory", ErrTruncated)
	}
	at := int64(order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return h, fmt.Errorf("%w: the directory lies behind the end", ErrTruncated)
	}
	entries := data[at+2:]
	first := map[uint16]int{tiffBits: 1, tiffCompression: 1, tiffOrientation: 1, tiffSamples: 1, tiffFormat: 1} // values that may be left out
	for range order.Uint16(data[at:]) {
		if len(entries) < 12 {
			return h, fmt.Errorf("%w: the directory", ErrTruncated)
		}
		first[order.Uint16(entries)] = tiffValue(order, data, entries)
		entries = entries[12:]
	}
	h.W, h.H = first[tiffWidth], first[tiffHeight]
	if first[tiffOrientation] >= 5 && first[tiffOrientation] <= 8 { // Pillow turns TIFF pictures, and no others
		h.W, h.H = h.H, h.W
	}
	_, h.EXIF = first[tiffEXIF]
	_, h.Profile = first[tiffProfile]
	h.Mode = tiffMode(first, order)
	h.Codec = fmt.Sprintf("compression %d, %d bits", first[tiffCompression], first[tiffBits])
	if first[tiffTileWidth] > 0 {
		h.Codec += ", tiles"
	}
	if data[0] == 'M' {
		h.Codec += ", high byte first"
	}
	return h, nil
}

// tiffValue is the first value of an entry, 0 for what is no whole number.
func tiffValue(order binary.ByteOrder, data, entry []byte) int {
	kind, count := order.Uint16(entry[2:]), order.Uint32(entry[4:])
	size := map[uint16]int64{1: 1, 3: 2, 4: 4}[kind]
	value := entry[8:12]
	if size == 0 || count == 0 {
		return 0
	}
	if size*int64(count) > 4 { // it stands elsewhere
		at := int64(order.Uint32(entry[8:]))
		if at+size > int64(len(data)) {
			return 0
		}
		value = data[at:]
	}
	switch size {
	case 1:
		return int(value[0])
	case 2:
		return int(order.Uint16(value))
	}
	return int(order.Uint32(value))
}

// tiffMode is Pillow's mode of the kinds that are common.
func tiffMode(first map[uint16]int, order binary.ByteOrder) string {
	bits, samples := first[tiffBits], first[tiffSamples]
	switch photometric := first[tiffPhotometric]; photometric {
	case 0, 1:
		switch {
		case samples == 2:
			return "LA"
		case bits == 1:
			return "1"
		case bits <= 8:
			return "L"
		case bits == 16 && order == binary.BigEndian:
			return "I;16B"
		case bits == 16:
			return "I;16"
		case first[tiffFormat] == 3:
			return "F"
		}
		return "I"
	case 2:
		if samples > 3 && first[tiffExtra] > 0 {
			return "RGBA"
		}
		return "RGB"
	case 3:
		return "P"
	case 5:
		return "CMYK"
	case 6:
		if first[tiffCompression] == 7 {
			return "RGB"
		}
		return "YCbCr"
	case 8:
		return "LAB"
	default:
		return fmt.Sprintf("photometric %d", photometric)
	}
}
