package leaks

import (
	"encoding/binary"
	"fmt"
)

// webpHead goes through the chunks of a WebP file (RFC 9649).
func webpHead(data []byte) (Head, error) {
	h := Head{Format: "WEBP", Mode: "RGB"}
	var order sequence
	extended := false
	at := 12
	for range maxSteps {
		if at+8 > len(data) {
			break
		}
		name, length := string(data[at:at+4]), int(binary.LittleEndian.Uint32(data[at+4:]))
		body := data[at+8 : min(len(data), at+8+min(length, 64))]
		order.add(fmt.Sprintf("%.4q", name))
		var err error
		switch name {
		case "VP8X":
			if extended = true; len(body) < 10 {
				return h, fmt.Errorf("%w: chunk VP8X", ErrTruncated)
			}
			const animated, alpha = 1 << 1, 1 << 4
			if body[0]&(alpha) != 0 {
				h.Mode = "RGBA"
			}
			if body[0]&animated != 0 {
				h.Codec = "animated"
			}
			h.W, h.H = 1+uint24(body[4:]), 1+uint24(body[7:])
		case "VP8 ":
			err = h.lossy(body, extended)
		case "VP8L":
			err = h.lossless(body, extended)
		case "EXIF":
			h.EXIF = true
		case "ICCP":
			h.Profile = true
		}
		if err != nil {
			return h, err
		}
		if length > len(data)-at-8 {
			break
		}
		at += 8 + length + length%2
	}
	if h.Codec == "" {
		return h, fmt.Errorf("%w: no picture", ErrTruncated)
	}
	h.Structure = string(order.text)
	return h, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func (h *Head) lossy(body []byte, extended bool) error {
	if len(body) < 10 || body[0]&1 != 0 || string(body[3:6]) != "\x9d\x01\x2a" {
		return fmt.Errorf("%w: the frame of VP8", ErrDamaged)
	}
	h.Codec = "lossy"
	if !extended {
		h.W, h.H = int(binary.LittleEndian.Uint16(body[6:])&0x3fff), int(binary.LittleEndian.Uint16(body[8:])&0x3fff)
	}
	return nil
}

func (h *Head) lossless(body []byte, extended bool) error {
	if len(body) < 5 || body[0] != 0x2f {
		return fmt.Errorf("%w: the head of VP8L", ErrDamaged)
	}
	h.Codec = "lossless"
	bits := binary.LittleEndian.Uint32(body[1:])
	if !extended {
		h.W, h.H = 1+int(bits&0x3fff), 1+int(bits>>14&0x3fff)
	}
	if bits>>28&1 != 0 {
		h.Mode = "RGBA"
	}
	return nil
}
