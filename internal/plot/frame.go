package plot

import "strconv"

// figure is what the two renderers draw.
type figure interface {
	title() string
	size() (width, height float64)
	draw(c canvas)
}

// Sizes of letters, in pixels.
const (
	titleSize = 15
	labelSize = 12.5
	tickSize  = 11.5
)

// frame is the plotting area: data coordinates within, axes and grid around.
type frame struct {
	left, top, right, bottom float64 // pixels
	x, y                     Range
}

func (f frame) at(x, y float64) point {
	return point{
		f.left + (f.x.clip(x)-f.x.Low)/(f.x.High-f.x.Low)*(f.right-f.left),
		f.bottom - (f.y.clip(y)-f.y.Low)/(f.y.High-f.y.Low)*(f.bottom-f.top),
	}
}

// yAxis draws the horizontal grid with its numbers, and the axis's name.
func (f frame) yAxis(c canvas, name string) {
	at, decimals := f.y.ticks(6)
	for _, v := range at {
		p := f.at(f.x.Low, v)
		c.line([]point{p, {f.right, p.y}}, stroke{paint: faint, width: 1})
		c.text(label{at: point{f.left - 8, p.y + 4}, text: decimal(v, decimals), size: tickSize, anchor: end, paint: muted})
	}
	c.text(label{at: point{f.left - 44, (f.top + f.bottom) / 2}, text: name, size: labelSize, anchor: middle, upright: true, paint: ink})
}

// xAxis draws the base line with its numbers, and the axis's name.
func (f frame) xAxis(c canvas, name string, whole bool) {
	at, decimals := f.x.ticks(6)
	for _, v := range at {
		if whole && v != float64(int(v)) {
			continue
		}
		p := f.at(v, f.y.Low)
		c.line([]point{p, {p.x, p.y + 4}}, stroke{paint: muted, width: 1})
		c.text(label{at: point{p.x, p.y + 18}, text: decimal(v, decimals), size: tickSize, anchor: middle, paint: muted})
	}
	f.base(c)
	c.text(label{at: point{(f.left + f.right) / 2, f.bottom + 38}, text: name, size: labelSize, anchor: middle, paint: ink})
}

func (f frame) base(c canvas) {
	c.line([]point{{f.left, f.bottom}, {f.right, f.bottom}}, stroke{paint: muted, width: 1})
}

// key is one entry of a legend.
type key struct {
	name   string
	series int
	line   bool // a line, else a marker
	marked bool // a line with its marker
	dashed bool
	plain  bool // in grey: it stands for a kind of line, not for a series
}

// legend lays the entries out in rows between left and right, starting at top, and returns the height that it takes. With
// a nil canvas it only measures.
func legend(c canvas, keys []key, left, right, top float64) float64 {
	const row, sign, gap = 20.0, 26.0, 18.0
	x, y := left, top
	for _, k := range keys {
		wide := sign + width(k.name, labelSize, false)
		if x > left && x+wide > right {
			x, y = left, y+row
		}
		if c != nil {
			k.draw(c, point{x, y + 8}, sign-6)
			c.text(label{at: point{x + sign, y + 12}, text: k.name, size: labelSize, paint: ink})
		}
		x += wide + gap
	}
	if len(keys) == 0 {
		return 0
	}
	return y + row - top
}

func (k key) draw(c canvas, at point, wide float64) {
	if !k.line {
		marker(c, k.series, point{at.x + wide/2, at.y}, 4.5, 1)
		return
	}
	s := stroke{paint: series(k.series), width: 2.2}
	if k.plain {
		s.paint = muted
	}
	switch {
	case k.dashed:
		s.dash = dashes
	case !k.plain:
		s.dash = repeated(k.series)
	}
	c.line([]point{at, {at.x + wide, at.y}}, s)
	if k.marked {
		marker(c, k.series, point{at.x + wide/2, at.y}, 3.8, 1)
	}
}

var dashes = []float64{5, 3.5}

// repeated is the dash of a series whose colour another one has already; nil for the first of each colour.
func repeated(series int) []float64 {
	patterns := [][]float64{nil, {8, 2.5}, {2.5, 2}, {9, 2.5, 2.5, 2.5}}
	return patterns[series/len(Palette())%len(patterns)]
}

func decimal(v float64, decimals int) string {
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if v == 0 {
		text = strconv.FormatFloat(0, 'f', decimals, 64) // no "-0"
	}
	return text
}
