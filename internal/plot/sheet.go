package plot

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"

	scaling "golang.org/x/image/draw"
)

// Sheet is a figure of pictures: photographs, maps, average CAMs. Each block has a heading, pictures that stand as high as
// all its rows, and rows of smaller ones.
type Sheet struct {
	Title  string
	Note   string // a line below the title
	Blocks []Block
}

// Block is a part of a sheet.
type Block struct {
	Name   string
	Number int       // the series number of its marker; negative: none
	Corner string    // at the right end of the heading: AUC 0.906 ± 0.115
	Large  []Picture // to the left of the rows
	Labels []string  // in front of the rows; nil: none
	Rows   [][]Picture
}

// Picture is one picture with the words below it; without an image, a frame that says so.
type Picture struct {
	Image   image.Image
	Caption string
}

// SVG draws the sheet as SVG, its pictures as JPEG within.
func (s Sheet) SVG() []byte { return renderSVG(s) }

// PNG draws the sheet as PNG, two pixels for each CSS pixel. Photographs hardly shrink with more compression.
func (s Sheet) PNG() ([]byte, error) { return packPNG(s, png.DefaultCompression) }

// Sizes within a sheet, in pixels.
const (
	sheetSide    = 92.0 // of a small picture
	sheetGap     = 10.0
	sheetCaption = 17.0
	sheetHeading = 30.0
	sheetMargin  = 16.0
)

func (s Sheet) title() string { return s.Title }

func (s Sheet) size() (w, h float64) {
	w = max(480, 2*sheetMargin+width(s.Title, titleSize, true), 2*sheetMargin+width(s.Note, labelSize, false))
	h = s.head() + sheetMargin
	for _, b := range s.Blocks {
		wide, high := b.size()
		w, h = max(w, 2*sheetMargin+wide), h+high
	}
	return w, h
}

func (s Sheet) head() float64 {
	if s.Note == "" {
		return 38
	}
	return 58
}

func (s Sheet) draw(c canvas) {
	w, _ := s.size()
	c.text(label{at: point{sheetMargin, 24}, text: s.Title, size: titleSize, bold: true, paint: ink})
	if s.Note != "" {
		c.text(label{at: point{sheetMargin, 44}, text: s.Note, size: labelSize, paint: muted})
	}
	y := s.head()
	for _, b := range s.Blocks {
		b.draw(c, y, w-sheetMargin)
		_, high := b.size()
		y += high
	}
}

// inner is the height of a block's rows, the captions of the last one left out.
func (b Block) inner() float64 {
	return float64(max(1, len(b.Rows)))*(sheetSide+sheetCaption) - sheetCaption
}

func (b Block) labels() (wide float64) {
	for _, text := range b.Labels {
		wide = max(wide, width(text, labelSize, false)+sheetGap)
	}
	return wide
}

func (b Block) size() (w, h float64) {
	columns := 0
	for _, row := range b.Rows {
		columns = max(columns, len(row))
	}
	w = b.labels() + float64(len(b.Large))*(b.inner()+sheetGap) + float64(columns)*(sheetSide+sheetGap)
	return w, sheetHeading + b.inner() + sheetCaption + sheetGap
}

func (b Block) draw(c canvas, top, right float64) {
	x := sheetMargin
	if b.Number >= 0 {
		marker(c, b.Number, point{x + 5, top + 13}, 4.8, 1)
		x += 16
	}
	c.text(label{at: point{x, top + 18}, text: b.Name, size: labelSize, bold: true, paint: ink})
	if b.Corner != "" {
		c.text(label{at: point{right, top + 18}, text: b.Corner, size: labelSize, anchor: end, paint: ink})
	}
	top += sheetHeading
	x = sheetMargin
	for _, p := range b.Large {
		p.draw(c, point{x, top}, b.inner())
		x += b.inner() + sheetGap
	}
	left := x + b.labels()
	for i, row := range b.Rows {
		y := top + float64(i)*(sheetSide+sheetCaption)
		if i < len(b.Labels) {
			c.text(label{at: point{x, y + sheetSide/2 + 4}, text: b.Labels[i], size: labelSize, paint: ink})
		}
		for k, p := range row {
			p.draw(c, point{left + float64(k)*(sheetSide+sheetGap), y}, sheetSide)
		}
	}
}

func (p Picture) draw(c canvas, at point, side float64) {
	if p.Image != nil {
		c.picture(p.Image, at, side)
	} else {
		c.area([]point{at, {at.x + side, at.y}, {at.x + side, at.y + side}, {at.x, at.y + side}}, faint, 1)
		c.text(label{at: point{at.x + side/2, at.y + side/2 + 4}, text: "none", size: tickSize, anchor: middle, paint: muted})
	}
	c.text(label{at: point{at.x + side/2, at.y + side + 12}, text: p.Caption, size: tickSize, anchor: middle, paint: muted})
}

// quality of the JPEGs within an SVG.
const quality = 90

func (c *svg) picture(img image.Image, at point, side float64) {
	if limit := int(density * side); img.Bounds().Dx() > limit {
		small := image.NewRGBA(image.Rect(0, 0, limit, limit))
		scaling.CatmullRom.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
		img = small
	}
	var raw bytes.Buffer
	if err := jpeg.Encode(&raw, img, &jpeg.Options{Quality: quality}); err != nil {
		panic("plot: " + err.Error()) // only of pictures beyond 65535 pixels
	}
	fmt.Fprintf(&c.body, `<image x="%s" y="%s" width="%s" height="%[3]s" preserveAspectRatio="none" href="data:image/jpeg;base64,%[4]s"/>`+"\n",
		number(at.x), number(at.y), number(side), base64.StdEncoding.EncodeToString(raw.Bytes()))
}

func (c *raster) picture(img image.Image, at point, side float64) {
	onto, ok := c.context.Image().(draw.Image)
	if !ok {
		c.err = fmt.Errorf("pictures cannot be drawn on %T", c.context.Image())
		return
	}
	x, y := int(at.x*density), int(at.y*density)
	scaling.CatmullRom.Scale(onto, image.Rect(x, y, x+int(side*density), y+int(side*density)), img, img.Bounds(), draw.Over, nil)
}
