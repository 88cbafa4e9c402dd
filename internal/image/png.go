package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	stdimage "image"
	"image/color"
	"image/png"
	"io"
	"strings"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// The colour types of PNG's header chunk.
const (
	pngGrey      = 0
	pngTrueColor = 2
	pngGreyAlpha = 4
)

func decodePNG(data []byte, l Limits) (*Image, error) {
	const header = len(pngMagic) + 4 + 4 + 13 + 4 // length, name, content and checksum of the first chunk
	if len(data) < header {
		return nil, fmt.Errorf("PNG: %w: %d bytes, the header alone needs %d", ErrTruncated, len(data), header)
	}
	w, h := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	if err := l.check(int(w), int(h)); err != nil {
		return nil, fmt.Errorf("PNG: %w", err)
	}
	depth, colour := data[24], data[25]
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, pngError(err)
	}
	m := &Image{W: int(w), H: int(h), Orientation: pngOrientation(data)}
	switch p := decoded.(type) {
	case *stdimage.Gray:
		m.Mode, m.step, m.pix = Grey8, 1, p.Pix
		if depth == 1 {
			m.Mode = Bilevel
		}
	case *stdimage.Gray16:
		m.Mode, m.step, m.pix = Grey16, 2, p.Pix
	case *stdimage.Paletted:
		m.Mode, m.step, m.pix = Palette, 1, p.Pix
		m.palette = colours(p.Palette)
	case *stdimage.RGBA:
		m.Mode, m.step, m.pix = TrueColor, 4, p.Pix
	case *stdimage.NRGBA:
		m.Mode, m.step, m.pix = RGBAlpha, 4, p.Pix
	case *stdimage.RGBA64:
		m.Mode, m.step, m.pix = TrueColor, 4, highBytes(p.Pix)
	case *stdimage.NRGBA64:
		if colour == pngGrey { // 16-bit grey with one transparent level: Pillow keeps all 16 bits
			m.Mode, m.step, m.pix = Grey16, 2, firstOfFour(p.Pix)
			return m, nil
		}
		m.Mode, m.step, m.pix = RGBAlpha, 4, highBytes(p.Pix)
	default:
		return nil, fmt.Errorf("PNG: %w: colour type %d", ErrUnsupported, colour)
	}
	if m.step == 4 {
		m.undoAlpha(depth, colour)
	}
	return m, nil
}

// undoAlpha gives the mode of the file back where Go's decoder made RGBA of it: grey with opacity, and grey or colours
// with one transparent colour.
func (m *Image) undoAlpha(depth, colour byte) {
	switch colour {
	case pngTrueColor:
		m.Mode = TrueColor
	case pngGreyAlpha:
		if depth == 8 { // of 16 bits Pillow makes RGBA, as Go does
			m.Mode = GreyAlpha
		}
	case pngGrey:
		grey := make([]byte, m.W*m.H)
		for i := range grey {
			grey[i] = m.pix[4*i]
		}
		m.Mode, m.step, m.pix = Grey8, 1, grey
		if depth == 1 {
			m.Mode = Bilevel
		}
	}
}

// colours are those of a palette without opacity. Numbers beyond its end are black, as in Pillow.
func colours(palette color.Palette) (out [256][3]byte) {
	for i, c := range palette {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		out[i] = [3]byte{n.R, n.G, n.B}
	}
	return out
}

func highBytes(pix []byte) []byte {
	out := make([]byte, len(pix)/2)
	for i := range out {
		out[i] = pix[2*i]
	}
	return out
}

func firstOfFour(pix []byte) []byte {
	out := make([]byte, len(pix)/4)
	for i := 0; i < len(out); i += 2 {
		out[i], out[i+1] = pix[4*i], pix[4*i+1]
	}
	return out
}

func pngError(err error) error {
	var unsupported png.UnsupportedError
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "png: invalid format: "), "png: ")
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), text == "not enough pixel data":
		return fmt.Errorf("PNG: %w: the file ends before the picture does", ErrTruncated)
	case errors.As(err, &unsupported):
		return fmt.Errorf("PNG: %w: %s", ErrUnsupported, text)
	}
	return fmt.Errorf("PNG: %w: %s", ErrDamaged, text)
}
