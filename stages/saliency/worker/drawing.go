package worker

import (
	"bytes"
	"errors"
	"fmt"
	stdimage "image"
	"image/png"
	"os"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
	"github.com/cyborg-run/cyborg-run/internal/image"
)

// drawing reads a drawing of an image of w x h pixels: what begins like markup as SVG, all else as a picture.
func (s *session) drawing(file string, w, h int) (*annotation.Map, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n"); bytes.HasPrefix(text, []byte("<")) {
		return annotation.DrawSVG(text, w, h)
	}
	ink, err := s.ink(file, data)
	if err != nil {
		return nil, err
	}
	if ink.W != w || ink.H != h {
		if s.job.Size == "exact" {
			return nil, fmt.Errorf("it has %d x %d pixels, its image %d x %d; scale it, or allow other sizes by size: any", ink.W, ink.H, w, h)
		}
		ink = ink.Resize(w, h, image.Bilinear)
	}
	m := annotation.NewMap(w, h)
	for i, v := range ink.Pix {
		m.V[i] = float64(v) / 255
	}
	return m, nil
}

// ink is where a picture is marked, 255 for fully.
func (s *session) ink(file string, data []byte) (*image.Grey, error) {
	source, err := image.Read(file, data, image.Limits{MaxPixels: s.job.List.MaxPixels})
	if err != nil {
		return nil, err
	}
	if how := s.job.Ink; how == "auto" || how == "opacity" {
		switch opacity := opacity(data); {
		case opacity != nil:
			return opacity, nil
		case how == "opacity":
			return nil, errors.New("it has no opacity; say by ink whether light or dark is marked")
		}
	}
	grey := source.Grey()
	if source.Deep() { // whose levels above 255 would all become white
		values, _ := source.Values()
		for i, v := range values {
			grey.Pix[i] = byte(v >> 8)
		}
	}
	if s.job.Ink == "dark" {
		for i, v := range grey.Pix {
			grey.Pix[i] = 255 - v
		}
	}
	return grey, nil
}

// opacity is that of a PNG file that is not opaque everywhere, else nil. Go's decoder also knows the transparent colours of
// palettes and of grey pictures, which Pillow's modes do not show.
func opacity(data []byte) *image.Grey {
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	if o, ok := m.(interface{ Opaque() bool }); ok && o.Opaque() {
		return nil
	}
	out := &image.Grey{W: m.Bounds().Dx(), H: m.Bounds().Dy()}
	out.Pix = make([]byte, out.W*out.H)
	for i := range out.Pix {
		out.Pix[i] = alpha(m, i%out.W, i/out.W)
	}
	return out
}

func alpha(m stdimage.Image, x, y int) byte {
	_, _, _, a := m.At(x, y).RGBA()
	return byte(a >> 8)
}
