package plot

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"git.sr.ht/~sbinet/gg"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
)

// density is the number of PNG pixels for each CSS pixel.
const density = 2

// raster is a canvas that paints pixels. It keeps the first error.
type raster struct {
	context *gg.Context
	err     error
}

func renderPNG(f figure) ([]byte, error) { return packPNG(f, png.BestCompression) }

func packPNG(f figure, level png.CompressionLevel) ([]byte, error) {
	width, height := f.size()
	c := &raster{context: gg.NewContext(int(math.Ceil(width*density)), int(math.Ceil(height*density)))}
	c.area([]point{{0, 0}, {width, 0}, {width, height}, {0, height}}, paper, 1)
	f.draw(c)
	if c.err != nil {
		return nil, fmt.Errorf("draw %q: %w", f.title(), c.err)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: level}
	if err := encoder.Encode(&out, c.context.Image()); err != nil {
		return nil, fmt.Errorf("draw %q: %w", f.title(), err)
	}
	return out.Bytes(), nil
}

func (c *raster) line(points []point, s stroke) {
	c.outline(points)
	c.context.SetColor(rgba(s.hex, 1))
	c.context.SetLineWidth(s.width * density)
	c.context.SetLineJoinRound()
	c.context.SetLineCapButt()
	dashes := make([]float64, len(s.dash))
	for i, d := range s.dash {
		dashes[i] = d * density
	}
	c.context.SetDash(dashes...)
	c.context.Stroke()
}

func (c *raster) area(points []point, fill paint, opacity float64) {
	c.outline(points)
	c.context.ClosePath()
	c.context.SetColor(rgba(fill.hex, opacity))
	c.context.Fill()
}

func (c *raster) outline(points []point) {
	c.context.NewSubPath()
	for _, p := range points {
		c.context.LineTo(p.x*density, p.y*density)
	}
}

func (c *raster) text(l label) {
	face, err := fontFace(l.bold, l.size*density)
	if err != nil {
		c.err = err
		return
	}
	defer face.Close()
	c.context.SetFontFace(face)
	c.context.SetColor(rgba(l.hex, 1))
	x, y := l.at.x*density, l.at.y*density
	c.context.Push()
	defer c.context.Pop()
	if l.upright {
		c.context.RotateAbout(-math.Pi/2, x, y)
	}
	width := float64(font.MeasureString(face, l.text)) / 64
	c.context.DrawString(l.text, x-width*float64(l.anchor)/2, y)
}

// width is how wide a text is in pixels, in the fonts of the PNG; those of a browser are about the same.
func width(text string, size float64, bold bool) float64 {
	face, err := fontFace(bold, size*density)
	if err != nil {
		return 0.55 * size * float64(len(text))
	}
	defer face.Close()
	return float64(font.MeasureString(face, text)) / 64 / density
}

func fontFace(bold bool, size float64) (font.Face, error) {
	parsed, err := regular()
	if bold {
		parsed, err = heavy()
	}
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
}

var (
	regular = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(liberationsansregular.TTF) })
	heavy   = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(liberationsansbold.TTF) })
)

func rgba(hex string, opacity float64) color.Color {
	var r, g, b uint8
	if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &r, &g, &b); err != nil {
		panic("plot: colour " + hex) // all colours are constants of this package
	}
	return color.NRGBA{r, g, b, uint8(math.Round(255 * opacity))}
}
