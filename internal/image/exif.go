package image

import (
	"bytes"
	"encoding/binary"
)

// upright is the orientation of a picture that is shown as it is stored.
const upright = 1

// tagOrientation is EXIF's, which is also TIFF's.
const tagOrientation = 274

// orientation is what an EXIF block, which is a TIFF file without pixels, says of turning: 1 to 8, 1 where it says nothing.
func orientation(exif []byte) int {
	exif = bytes.TrimPrefix(exif, []byte("Exif\x00\x00"))
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case bytes.HasPrefix(exif, []byte("MM\x00*")):
		order = binary.BigEndian
	case !bytes.HasPrefix(exif, []byte("II*\x00")):
		return upright
	}
	if len(exif) < 8 {
		return upright
	}
	at := uint64(order.Uint32(exif[4:]))
	if at+2 > uint64(len(exif)) {
		return upright
	}
	entries := exif[at+2:]
	for range order.Uint16(exif[at:]) {
		if len(entries) < 12 {
			break
		}
		const short = 3
		if order.Uint16(entries) == tagOrientation && order.Uint16(entries[2:]) == short && order.Uint32(entries[4:]) == 1 {
			if v := int(order.Uint16(entries[8:])); 1 <= v && v <= 8 {
				return v
			}
		}
		entries = entries[12:]
	}
	return upright
}

// jpegOrientation looks through the segments before the picture.
func jpegOrientation(data []byte) int {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		mark, length := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		if mark == 0xff { // fill
			at++
			continue
		}
		if mark == 0xda || length < 2 || at+2+length > len(data) {
			break
		}
		if segment := data[at+4 : at+2+length]; mark == 0xe1 && bytes.HasPrefix(segment, []byte("Exif\x00\x00")) {
			return orientation(segment)
		}
		at += 2 + length
	}
	return upright
}

// pngOrientation looks through the chunks.
func pngOrientation(data []byte) int {
	for at := len(pngMagic); at+12 <= len(data); {
		length := int(binary.BigEndian.Uint32(data[at:]))
		if length > len(data)-at-12 {
			break
		}
		if string(data[at+4:at+8]) == "eXIf" {
			return orientation(data[at+8 : at+8+length])
		}
		at += 12 + length
	}
	return upright
}

// turn gives the picture the way up that an orientation asks for, as Pillow does with TIFF files alone.
func (m *Image) turn(orientation int) *Image {
	if orientation < 2 || orientation > 8 {
		return m
	}
	out := *m
	if orientation >= 5 {
		out.W, out.H = m.H, m.W
	}
	out.pix = make([]byte, len(m.pix))
	for y := range out.H {
		for x := range out.W {
			fromX, fromY := x, y
			if orientation >= 5 { // mirrored about the diagonal
				fromX, fromY = y, x
			}
			switch orientation {
			case 2, 8:
				fromX = m.W - 1 - fromX
			case 4, 6:
				fromY = m.H - 1 - fromY
			case 3, 7:
				fromX, fromY = m.W-1-fromX, m.H-1-fromY
			}
			copy(out.pix[(y*out.W+x)*m.step:][:m.step], m.pix[(fromY*m.W+fromX)*m.step:])
		}
	}
	return &out
}
