package annotation

import (
	"fmt"
	"math"
	"strings"
)

// flatness is how far in pixels a straight piece may lie from the curve that it stands for.
const flatness = 0.005

// roundStep is the angle between the corners of a circle of that radius in pixels.
func roundStep(radius float64) float64 {
	if radius <= flatness {
		return math.Pi / 4
	}
	return max(2*math.Acos(1-flatness/radius), math.Pi/500)
}

// shape is the outline of one of SVG's figures in its own coordinates, which `to` maps to pixels.
func shape(name string, attributes map[string]string, to matrix) ([]polyline, error) {
	var wrong error
	get := func(key string) float64 {
		text, ok := attributes[key]
		if !ok {
			return 0
		}
		v, err := length(text)
		if err != nil && wrong == nil {
			wrong = fmt.Errorf("%s: %w", key, err)
		}
		return v
	}
	switch name {
	case "path":
		return path(attributes["d"], to.scale())
	case "polyline", "polygon":
		values, err := numbers(attributes["points"])
		if err != nil || len(values)%2 != 0 {
			return nil, fmt.Errorf("points: pairs of numbers are needed")
		}
		line := polyline{closed: name == "polygon"}
		for i := 0; i < len(values); i += 2 {
			line.points = append(line.points, Vec{values[i], values[i+1]})
		}
		if len(line.points) == 0 {
			return nil, nil
		}
		return []polyline{line}, nil
	case "line":
		line := polyline{points: []Vec{{get("x1"), get("y1")}, {get("x2"), get("y2")}}}
		return []polyline{line}, wrong
	case "circle":
		r := get("r")
		return ellipse(get("cx"), get("cy"), r, r, to), wrong
	case "ellipse":
		return ellipse(get("cx"), get("cy"), get("rx"), get("ry"), to), wrong
	case "rect":
		lines := rectangle(attributes, get, to)
		return lines, wrong
	}
	return nil, fmt.Errorf("this kind of element is not read; draw with path, polyline, polygon, line, circle, ellipse, rect and g")
}

func ellipse(cx, cy, rx, ry float64, to matrix) []polyline {
	if rx <= 0 || ry <= 0 {
		return nil
	}
	n := max(8, int(math.Ceil(2*math.Pi/roundStep(to.scale()*max(rx, ry)))))
	line := polyline{closed: true, points: make([]Vec, n)}
	for i := range line.points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		line.points[i] = Vec{cx + rx*cos, cy + ry*sin}
	}
	return []polyline{line}
}

// rectangle may have round corners; one radius alone is both.
func rectangle(attributes map[string]string, get func(key string) float64, to matrix) []polyline {
	x, y, w, h := get("x"), get("y"), get("width"), get("height")
	if w <= 0 || h <= 0 {
		return nil
	}
	rx, ry := get("rx"), get("ry")
	if _, ok := attributes["rx"]; !ok {
		rx = ry
	}
	if _, ok := attributes["ry"]; !ok {
		ry = rx
	}
	rx, ry = min(rx, w/2), min(ry, h/2)
	line := polyline{closed: true}
	if rx <= 0 || ry <= 0 {
		line.points = []Vec{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}
		return []polyline{line}
	}
	n := max(4, int(math.Ceil(math.Pi/2/roundStep(to.scale()*max(rx, ry)))))
	for k, at := range []Vec{{x + w - rx, y + h - ry}, {x + rx, y + h - ry}, {x + rx, y + ry}, {x + w - rx, y + ry}} {
		for i := range n + 1 {
			sin, cos := math.Sincos(math.Pi / 2 * (float64(k) + float64(i)/float64(n)))
			line.points = append(line.points, Vec{at.X + rx*cos, at.Y + ry*sin})
		}
	}
	return []polyline{line}
}

// parameters is how many numbers each command of a path takes.
var parameters = map[byte]int{'M': 2, 'L': 2, 'H': 1, 'V': 1, 'C': 6, 'S': 4, 'Q': 4, 'T': 2, 'A': 7, 'Z': 0}

// path flattens SVG's path data. scale is how many pixels a unit is.
func path(text string, scale float64) ([]polyline, error) {
	p := &pathReader{scanner: scanner{text: text}, scale: scale}
	command := byte(0)
	for p.more() {
		if c := p.text[p.at]; strings.IndexByte("MmLlHhVvCcSsQqTtAaZz", c) >= 0 {
			command = c
			p.at++
		} else if command == 0 || command == 'Z' || command == 'z' {
			return nil, fmt.Errorf("path: a command is needed at character %d, there is %q", p.at+1, c)
		}
		upper := command &^ 0x20
		if p.line == nil && upper != 'M' {
			if len(p.lines) == 0 {
				return nil, fmt.Errorf("path: it must begin with M or m")
			}
			p.begin(p.start)
		}
		values, err := p.values(upper)
		if err != nil {
			return nil, err
		}
		if len(p.lines) > maxPieces || p.count > maxPieces {
			return nil, fmt.Errorf("path: more than %d pieces", maxPieces)
		}
		p.draw(upper, command != upper, values)
		switch command { // further pairs after a move are lines
		case 'M':
			command = 'L'
		case 'm':
			command = 'l'
		}
	}
	p.finish(false)
	return p.lines, nil
}

// values reads the numbers of one command.
func (p *pathReader) values(command byte) ([]float64, error) {
	values := make([]float64, parameters[command])
	for i := range values {
		ok := false
		if command == 'A' && (i == 3 || i == 4) {
			var flag bool
			if flag, ok = p.flag(); flag {
				values[i] = 1
			}
		} else {
			values[i], ok = p.number()
		}
		if !ok {
			return nil, fmt.Errorf("path: %c needs %d numbers, and number %d is missing at character %d", command, len(values), i+1, p.at+1)
		}
	}
	return values, nil
}
