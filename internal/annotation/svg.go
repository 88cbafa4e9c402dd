package annotation

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The limits of a drawing.
const (
	maxSVG    = 16 << 20 // bytes
	maxDepth  = 64       // elements in each other
	maxPieces = 200_000  // straight pieces of lines
)

// DrawSVG draws an SVG picture over a whole image of w x h pixels. What counts is where there is ink, whatever its colour: an
// opaque line or area is 1. Read are path, polyline, polygon, line, circle, ellipse, rect, g and nested groups of them with
// transform; fill, fill-rule, stroke, stroke-width, -linecap, -linejoin, -miterlimit, opacity, fill-opacity and
// stroke-opacity, as attributes or in style; the picture's viewBox, preserveAspectRatio, width and height. As in SVG, what
// says nothing of its fill is filled. Pictures in it (image, such as the photograph drawn upon), title, desc, metadata
// and what stands in defs are passed over; all else that could be seen is an error, so that no mark is lost unnoticed.
func DrawSVG(data []byte, w, h int) (*Map, error) {
	if len(data) > maxSVG {
		return nil, fmt.Errorf("SVG: %d bytes; drawings of up to %d are read", len(data), maxSVG)
	}
	d := &svg{m: NewMap(w, h), decoder: xml.NewDecoder(bytes.NewReader(data))}
	if err := d.read(); err != nil {
		line, _ := d.decoder.InputPos()
		return nil, fmt.Errorf("SVG line %d: %w", line, err)
	}
	return d.m, nil
}

type svg struct {
	m       *Map
	decoder *xml.Decoder
	pieces  int
	ended   bool // the picture was read
}

// read goes through the elements. Each has the style of the one around it, as far as it says nothing else.
func (d *svg) read() error {
	var open []style
	for {
		token, err := d.decoder.Token()
		if errors.Is(err, io.EOF) && d.ended {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return errors.New("the file has no svg element, or ends before it does")
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			around := style{}
			if len(open) > 0 {
				around = open[len(open)-1]
			}
			if len(open) >= maxDepth {
				return fmt.Errorf("more than %d elements in each other", maxDepth)
			}
			own, skip, err := d.element(token, around, len(open) == 0)
			if err != nil {
				return fmt.Errorf("<%s>: %w", token.Name.Local, err)
			}
			if skip {
				if err := d.decoder.Skip(); err != nil {
					return err
				}
				continue
			}
			open = append(open, own)
		case xml.EndElement:
			open = open[:len(open)-1]
			d.ended = len(open) == 0
		}
	}
}

// element draws one, and says what style those within it begin with.
func (d *svg) element(e xml.StartElement, around style, root bool) (own style, skip bool, err error) {
	attributes := attributesOf(e)
	name := e.Name.Local
	switch {
	case root && (name != "svg" || d.ended):
		return own, false, errors.New("an svg element is needed here")
	case root:
		around = initial
		if around.to, err = viewport(attributes, float64(d.m.W), float64(d.m.H)); err != nil {
			return own, false, err
		}
	case name == "defs", name == "title", name == "desc", name == "metadata", name == "image", e.Name.Space != "" && e.Name.Space != svgSpace:
		return own, true, nil
	}
	own, err = around.with(attributes)
	if err != nil || root || name == "g" {
		return own, false, err
	}
	lines, err := shape(name, attributes, own.to)
	if err != nil {
		return own, false, err
	}
	for _, line := range lines {
		d.pieces += len(line.points)
	}
	if d.pieces > maxPieces {
		return own, false, fmt.Errorf("the drawing has more than %d pieces of lines", maxPieces)
	}
	d.draw(lines, own, name != "line")
	return own, false, nil
}

const svgSpace = "http://www.w3.org/2000/svg"

// draw fills and strokes a figure.
func (d *svg) draw(lines []polyline, s style, fillable bool) {
	if s.hidden || len(lines) == 0 {
		return
	}
	if s.fill && fillable {
		region := Region{EvenOdd: s.evenOdd}
		for _, line := range lines {
			region.Lines = append(region.Lines, s.to.all(line.points))
		}
		d.m.Draw(region, s.opacity*s.fillOpacity)
	}
	if s.stroke && s.pen.width > 0 {
		region := s.pen.stroke(lines, roundStep(s.to.scale()*s.pen.width/2))
		for i, line := range region.Lines {
			region.Lines[i] = s.to.all(line)
		}
		d.m.Draw(region, s.opacity*s.strokeOpacity)
	}
}

// attributesOf are the attributes without namespaces, those of style after them.
func attributesOf(e xml.StartElement) map[string]string {
	out := map[string]string{}
	for _, a := range e.Attr {
		if a.Name.Space == "" {
			out[a.Name.Local] = strings.TrimSpace(a.Value)
		}
	}
	for _, rule := range strings.Split(out["style"], ";") {
		if name, value, ok := strings.Cut(rule, ":"); ok {
			out[strings.TrimSpace(name)] = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		}
	}
	return out
}
