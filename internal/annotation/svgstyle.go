package annotation

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// style is how an element is drawn, by SVG's names.
type style struct {
	to                                  matrix // to pixels of the image
	fill, stroke, evenOdd, hidden       bool
	opacity, fillOpacity, strokeOpacity float64 // opacity is that of all elements around too
	pen                                 pen
}

// initial is the style of SVG.
var initial = style{
	fill: true, opacity: 1, fillOpacity: 1, strokeOpacity: 1,
	pen: pen{width: 1, linecap: "butt", linejoin: "miter", miterLimit: 4},
}

// with is the style of an element within one of this style.
func (s style) with(attributes map[string]string) (style, error) {
	for _, name := range []string{"clip-path", "mask", "filter", "marker", "marker-start", "marker-mid", "marker-end", "vector-effect", "stroke-dasharray"} {
		if v := attributes[name]; v != "" && v != "none" {
			return s, fmt.Errorf("%s is not read", name)
		}
	}
	if text, ok := attributes["transform"]; ok {
		m, err := parseTransform(text)
		if err != nil {
			return s, err
		}
		s.to = s.to.times(m)
	}
	paint := func(name string, into *bool) {
		if v, ok := attributes[name]; ok && v != "inherit" {
			*into = v != "none" && v != "transparent"
		}
	}
	paint("fill", &s.fill)
	paint("stroke", &s.stroke)
	if attributes["display"] == "none" {
		s.hidden = true
	}
	if v, ok := attributes["visibility"]; ok && v != "inherit" {
		s.hidden = s.hidden || v != "visible"
	}
	var wrong []error
	share := func(name string, set func(v float64)) {
		if v, ok := attributes[name]; ok && v != "inherit" {
			number, err := opacity(v)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
				return
			}
			set(number)
		}
	}
	around := s.opacity
	share("opacity", func(v float64) { s.opacity = around * v })
	share("fill-opacity", func(v float64) { s.fillOpacity = v })
	share("stroke-opacity", func(v float64) { s.strokeOpacity = v })
	word := func(name string, words []string, set func(v string)) {
		if v, ok := attributes[name]; ok && v != "inherit" {
			for _, w := range words {
				if v == w {
					set(v)
					return
				}
			}
			wrong = append(wrong, fmt.Errorf("%s %q; there are: %s", name, v, strings.Join(words, ", ")))
		}
	}
	word("fill-rule", []string{"nonzero", "evenodd"}, func(v string) { s.evenOdd = v == "evenodd" })
	word("stroke-linecap", []string{"butt", "round", "square"}, func(v string) { s.pen.linecap = v })
	word("stroke-linejoin", []string{"miter", "round", "bevel"}, func(v string) { s.pen.linejoin = v })
	for name, into := range map[string]*float64{"stroke-width": &s.pen.width, "stroke-miterlimit": &s.pen.miterLimit} {
		if v, ok := attributes[name]; ok && v != "inherit" {
			number, err := length(v)
			if err != nil || number < 0 {
				wrong = append(wrong, fmt.Errorf("%s: %q is no length", name, v))
				continue
			}
			*into = number
		}
	}
	return s, errors.Join(wrong...)
}

// opacity is a share, or a percentage, within 0 to 1.
func opacity(text string) (float64, error) {
	by := 1.0
	if number, ok := strings.CutSuffix(text, "%"); ok {
		text, by = number, 100
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return min(max(v/by, 0), 1), nil
}

// length is a number of user units; px is one of them.
func length(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "px"), 64)
	if err != nil || finite(v) != nil {
		return 0, fmt.Errorf("%q is no length in user units", text)
	}
	return v, nil
}

// viewport maps the user's units to an image of w x h pixels, which is what the picture's width and height are.
func viewport(attributes map[string]string, w, h float64) (matrix, error) {
	box, err := numbers(attributes["viewBox"])
	if err != nil || len(box) != 0 && (len(box) != 4 || box[2] <= 0 || box[3] <= 0) {
		return matrix{}, fmt.Errorf("viewBox %q: four numbers are needed, the last two above 0", attributes["viewBox"])
	}
	size := func(name string, standard float64) float64 {
		if v, err := length(attributes[name]); err == nil && v > 0 {
			return v
		}
		return standard // also for 100% and 20cm: the picture lies over the whole image
	}
	if len(box) == 0 {
		return matrix{w / size("width", w), 0, 0, h / size("height", h), 0, 0}, nil
	}
	// Within a picture of width x height units, the box keeps its aspect; then all is stretched over the image.
	width, height := size("width", w), size("height", h)
	sx, sy := width/box[2], height/box[3]
	alignX, alignY := 0.0, 0.0
	how := strings.Fields(attributes["preserveAspectRatio"])
	switch {
	case len(how) > 0 && how[0] == "none":
	default:
		align := "xMidYMid"
		if len(how) > 0 {
			align = how[0]
		}
		shares := map[string]float64{"Min": 0, "Mid": 0.5, "Max": 1}
		if len(align) != 8 || align[0] != 'x' || align[4] != 'Y' {
			return matrix{}, fmt.Errorf("preserveAspectRatio %q", align)
		}
		shareX, okX := shares[align[1:4]]
		shareY, okY := shares[align[5:]]
		if !okX || !okY {
			return matrix{}, fmt.Errorf("preserveAspectRatio %q", align)
		}
		scale := min(sx, sy)
		if len(how) > 1 && how[1] == "slice" {
			scale = max(sx, sy)
		}
		alignX, alignY = shareX*(width-scale*box[2]), shareY*(height-scale*box[3])
		sx, sy = scale, scale
	}
	inner := matrix{sx, 0, 0, sy, alignX - sx*box[0], alignY - sy*box[1]}
	return matrix{w / width, 0, 0, h / height, 0, 0}.times(inner), nil
}
