package leaks

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Markers of JPEG (ITU-T T.81, table B.1).
const (
	markSOF0 = 0xc0
	markDHT  = 0xc4
	markJPG  = 0xc8
	markDAC  = 0xcc
	markSOI  = 0xd8
	markEOI  = 0xd9
	markSOS  = 0xda
	markDQT  = 0xdb
	markDRI  = 0xdd
	markAPP0 = 0xe0
	markCOM  = 0xfe
)

// jpegHead goes through the segments up to the first scan.
func jpegHead(data []byte) (Head, error) {
	h := Head{Format: "JPEG", quantisation: map[int][64]uint16{}}
	var order sequence
	var frame []byte
	at := 2
	for range maxSteps {
		for at < len(data) && data[at] != 0xff { // stray bytes, which decoders forgive
			at++
		}
		for at < len(data) && data[at] == 0xff {
			at++
		}
		if at+3 > len(data) {
			return h, fmt.Errorf("%w: it ends before the picture does", ErrTruncated)
		}
		mark := data[at]
		at++
		if mark == 0 || mark == 1 || markSOF0+16 <= mark && mark <= markSOI { // no segment: stuffing, TEM, RST, SOI
			continue
		}
		length := int(binary.BigEndian.Uint16(data[at:]))
		if mark == markEOI || length < 2 {
			return h, fmt.Errorf("%w: no picture before its end", ErrDamaged)
		}
		if at+length > len(data) {
			return h, fmt.Errorf("%w: segment %02x ends behind the file", ErrTruncated, mark)
		}
		segment := data[at+2 : at+length]
		at += length
		order.add(segmentName(mark, segment))
		switch {
		case mark == markSOS:
			if frame == nil {
				return h, fmt.Errorf("%w: a scan before the frame", ErrDamaged)
			}
			h.Structure = string(order.text)
			h.Tables = tablesName(h.quantisation)
			return h, nil
		case mark == markDQT:
			if err := h.readTables(segment); err != nil {
				return h, err
			}
		case markSOF0 <= mark && mark <= markSOF0+15 && mark != markDHT && mark != markJPG && mark != markDAC:
			frame = segment
			if err := h.readFrame(mark, segment); err != nil {
				return h, err
			}
		case mark == markAPP0+1 && bytes.HasPrefix(segment, []byte("Exif\x00")):
			h.EXIF = true
		case mark == markAPP0+2 && bytes.HasPrefix(segment, []byte("ICC_PROFILE\x00")):
			h.Profile = true
		}
	}
	return h, fmt.Errorf("%w: more than %d segments", ErrDamaged, maxSteps)
}

// segmentName is a segment's name with the word that its content begins with, as those of applications do.
func segmentName(mark byte, segment []byte) string {
	switch {
	case mark == markDQT:
		return "DQT"
	case mark == markDHT:
		return "DHT"
	case mark == markDRI:
		return "DRI"
	case mark == markSOS:
		return "SOS"
	case mark == markCOM:
		return "COM"
	case markSOF0 <= mark && mark < markSOF0+16:
		return fmt.Sprintf("SOF%d", mark-markSOF0)
	case markAPP0 <= mark && mark < markAPP0+16:
		word, _, _ := bytes.Cut(segment[:min(len(segment), 12)], []byte{0})
		name := fmt.Sprintf("APP%d", mark-markAPP0)
		for _, c := range word {
			if c <= ' ' || c > '~' {
				return name
			}
		}
		return name + ":" + string(word)
	}
	return fmt.Sprintf("%02x", mark)
}

// zigzag is where the k-th number of a stored table stands (T.81, figure A.6).
var zigzag = [64]byte{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

func (h *Head) readTables(segment []byte) error {
	for len(segment) > 0 {
		wide, number := int(segment[0]>>4), int(segment[0]&15)
		step := 1 + wide
		if wide > 1 || number > 3 || len(segment) < 1+64*step {
			return fmt.Errorf("%w: quantisation tables", ErrDamaged)
		}
		var table [64]uint16
		for k := range table {
			if p := segment[1+k*step:]; wide == 1 {
				table[zigzag[k]] = binary.BigEndian.Uint16(p)
			} else {
				table[zigzag[k]] = uint16(p[0])
			}
		}
		h.quantisation[number] = table
		segment = segment[1+64*step:]
	}
	return nil
}

func (h *Head) readFrame(mark byte, frame []byte) error {
	if len(frame) < 6 || len(frame) < 6+3*int(frame[5]) {
		return fmt.Errorf("%w: the frame is too short", ErrDamaged)
	}
	h.H, h.W = int(binary.BigEndian.Uint16(frame[1:])), int(binary.BigEndian.Uint16(frame[3:]))
	coding := map[byte]string{0: "baseline", 1: "extended", 2: "progressive", 3: "lossless"}[mark&3]
	if mark-markSOF0 >= 8 {
		coding += ", arithmetic"
	}
	if frame[0] != 8 {
		coding += fmt.Sprintf(", %d bits", frame[0])
	}
	h.Codec = coding
	switch frame[5] {
	case 1:
		h.Mode = "L"
	case 3:
		h.Mode, h.Subsampling = "RGB", subsampling(frame[6:])
	case 4:
		h.Mode = "CMYK"
	default:
		return fmt.Errorf("%w: %d channels", ErrDamaged, frame[5])
	}
	return nil
}

// subsampling is the usual name of how much smaller the colour channels are, or the sampling factors where it has none.
func subsampling(components []byte) string {
	factors := [3]byte{components[1], components[4], components[7]}
	name, known := map[[3]byte]string{
		{0x11, 0x11, 0x11}: "4:4:4", {0x21, 0x11, 0x11}: "4:2:2", {0x22, 0x11, 0x11}: "4:2:0",
		{0x12, 0x11, 0x11}: "4:4:0", {0x41, 0x11, 0x11}: "4:1:1",
	}[factors]
	if known {
		return name
	}
	return fmt.Sprintf("%x,%x,%x", factors[0], factors[1], factors[2])
}
