package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	stdimage "image"
	"io"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
)

// WebP is a list of chunks, each a name of four letters, a length, and bytes. A simple file is one picture, lossy (VP8) or
// lossless (VP8L); an extended one begins with its size and flags (VP8X). Of an animation the first frame is read, as
// Pillow does it.
type webp struct {
	w, h        int // of the canvas
	alpha       bool
	orientation int
	x, y        int // of the first frame
	frameW      int
	frameH      int
	lossy       bool
	picture     []byte
}

func isWebP(data []byte) bool {
	return len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
}

func decodeWebP(data []byte, l Limits) (*Image, error) {
	f, err := readWebP(data)
	if err != nil {
		return nil, fmt.Errorf("WebP: %w", err)
	}
	if err := f.size(); err != nil {
		return nil, fmt.Errorf("WebP: %w", err)
	}
	if err := l.check(f.w, f.h); err != nil {
		return nil, fmt.Errorf("WebP: %w", err)
	}
	m := &Image{W: f.w, H: f.h, Mode: TrueColor, Orientation: f.orientation, step: 3}
	if f.alpha {
		m.Mode = RGBAlpha
	}
	frame, err := f.decode()
	if err != nil {
		return nil, fmt.Errorf("WebP: %w", webpError(err))
	}
	m.pix = frame
	if f.frameW == f.w && f.frameH == f.h {
		return m, nil
	}
	m.pix = make([]byte, 3*m.W*m.H) // what a frame leaves free is black
	for y := range f.frameH {
		copy(m.pix[3*((f.y+y)*m.W+f.x):], frame[3*y*f.frameW:3*(y+1)*f.frameW])
	}
	return m, nil
}

// readWebP finds the first picture.
func readWebP(data []byte) (*webp, error) {
	end := 8 + uint64(binary.LittleEndian.Uint32(data[4:]))
	if end > uint64(len(data)) {
		return nil, fmt.Errorf("%w: %d of %d bytes are there", ErrTruncated, len(data), end)
	}
	f := &webp{orientation: upright}
	animated := false
	err := chunks(data[12:max(12, end)], func(name string, body []byte) error {
		switch name {
		case "VP8X":
			if len(body) < 10 {
				return fmt.Errorf("%w: a header of %d bytes", ErrDamaged, len(body))
			}
			const animation, opacity = 1 << 1, 1 << 4
			animated, f.alpha = body[0]&animation != 0, body[0]&opacity != 0
			f.w, f.h = 1+long24(body[4:]), 1+long24(body[7:])
		case "ANMF":
			if f.picture != nil || !animated {
				return nil
			}
			if len(body) < 16 {
				return fmt.Errorf("%w: a frame of %d bytes", ErrDamaged, len(body))
			}
			f.x, f.y, f.frameW, f.frameH = 2*long24(body), 2*long24(body[3:]), 1+long24(body[6:]), 1+long24(body[9:])
			return chunks(body[16:], f.take)
		case "EXIF":
			f.orientation = orientation(body)
		default:
			if !animated {
				return f.take(name, body)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if f.picture == nil {
		return nil, fmt.Errorf("%w: there is no picture in it", ErrDamaged)
	}
	if !animated && !f.lossy {
		f.alpha = len(f.picture) > 4 && f.picture[4]>>4&1 == 1
	}
	return f, nil
}

func (f *webp) take(name string, body []byte) error {
	if f.picture == nil && (name == "VP8 " || name == "VP8L") {
		f.picture, f.lossy = body, name == "VP8 "
	}
	return nil
}

// chunks calls take for each chunk. An odd length is padded by a byte.
func chunks(data []byte, take func(name string, body []byte) error) error {
	for len(data) >= 8 {
		length := uint64(binary.LittleEndian.Uint32(data[4:]))
		if length > uint64(len(data)-8) {
			return fmt.Errorf("%w: a part is longer than the file", ErrTruncated)
		}
		if err := take(string(data[:4]), data[8:8+length]); err != nil {
			return err
		}
		data = data[min(uint64(len(data)), 8+length+length%2):]
	}
	return nil
}

// size holds the picture's own size against that of its frame and of the canvas.
func (f *webp) size() error {
	var w, h int
	if f.lossy {
		d := vp8.NewDecoder()
		d.Init(bytes.NewReader(f.picture), len(f.picture))
		head, err := d.DecodeFrameHeader()
		if err != nil {
			return webpError(err)
		}
		if !head.KeyFrame || !head.ShowFrame {
			return fmt.Errorf("%w: its picture is not to be shown by itself", ErrDamaged)
		}
		w, h = head.Width, head.Height
	} else {
		head, err := vp8l.DecodeConfig(bytes.NewReader(f.picture))
		if err != nil {
			return webpError(err)
		}
		w, h = head.Width, head.Height
	}
	if f.w == 0 {
		f.w, f.h = w, h
	}
	if f.frameW == 0 {
		f.frameW, f.frameH = f.w, f.h
	}
	if w != f.frameW || h != f.frameH || f.x+w > f.w || f.y+h > f.h {
		return fmt.Errorf("%w: a picture of %d x %d pixels at %d,%d in a frame of %d x %d and %d x %d in all",
			ErrDamaged, w, h, f.x, f.y, f.frameW, f.frameH, f.w, f.h)
	}
	return nil
}

// decode is the picture's [H, W, 3], opacity left out.
func (f *webp) decode() ([]byte, error) {
	if f.lossy {
		d := vp8.NewDecoder()
		d.Init(bytes.NewReader(f.picture), len(f.picture))
		if _, err := d.DecodeFrameHeader(); err != nil {
			return nil, err
		}
		m, err := d.DecodeFrame()
		if err != nil {
			return nil, err
		}
		return rgbOfYUV(m), nil
	}
	decoded, err := vp8l.Decode(bytes.NewReader(f.picture))
	if err != nil {
		return nil, err
	}
	m, ok := decoded.(*stdimage.NRGBA)
	if !ok {
		return nil, fmt.Errorf("lossless pixels as %T", decoded)
	}
	pix := make([]byte, 3*f.frameW*f.frameH)
	pickBytes(pix, m.Pix, 4, [3]int{0, 1, 2})
	return pix, nil
}

func webpError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the file ends before the picture does", ErrTruncated)
	}
	return fmt.Errorf("%w: %v", ErrDamaged, err)
}

func long24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
