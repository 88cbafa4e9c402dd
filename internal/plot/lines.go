package plot

import "math"

// Lines is a chart of curves with bands: an ROC, a learning curve.
type Lines struct {
	Title          string
	XLabel, YLabel string
	X, Y           Range // zero: from the data (bands may then be cut at the frame)
	Series         []Line
	Diagonal       string // where not empty: a dotted line from corner to corner of that name, chance
	Whole          bool   // the x axis has whole numbers: epochs
	Solid, Dashed  string // where not empty: what solid and dashed lines stand for, in the legend
	Square         bool
}

// Line is one curve. Points whose x or y is NaN are left out.
type Line struct {
	Name   string // in the legend, once for each name; empty: not there
	Number int    // the series number: its colour
	X, Y   []float64
	SD     []float64 // half the band's height at each point; nil: no band
	Low    []float64 // a second band, drawn as two thin dotted lines; nil: none
	High   []float64
	Dashed bool
	Points bool // a marker at each point
}

// SVG draws the chart as SVG.
func (l Lines) SVG() []byte { return renderSVG(l) }

// PNG draws the chart as PNG, two pixels for each CSS pixel.
func (l Lines) PNG() ([]byte, error) { return renderPNG(l) }

func (l Lines) title() string { return l.Title }

func (l Lines) size() (w, h float64) {
	w, h = linesWidth, 310
	if l.Square {
		h = 400
	}
	return w, h + l.head()
}

// linesWidth makes a square chart's plotting area about as wide as it is high.
const linesWidth = 480.0

func (l Lines) head() float64 { return 38 + legend(nil, l.keys(), 64, linesWidth-18, 0) }

func (l Lines) draw(c canvas) {
	w, h := l.size()
	f := frame{left: 64, top: l.head() + 4, right: w - 18, bottom: h - 52, x: l.X, y: l.Y}
	if f.x == (Range{}) {
		f.x = covering(l.all(func(s Line) []float64 { return s.X })...)
	}
	if f.y == (Range{}) {
		f.y = covering(append(l.all(func(s Line) []float64 { return s.Y }), 0)...).widened(0.06, Range{0, math.Inf(1)})
	}
	c.text(label{at: point{16, 24}, text: l.Title, size: titleSize, bold: true, paint: ink})
	legend(c, l.keys(), f.left, f.right, 36)
	f.yAxis(c, l.YLabel)
	f.xAxis(c, l.XLabel, l.Whole)
	if l.Diagonal != "" {
		c.line([]point{f.at(f.x.Low, f.y.Low), f.at(f.x.High, f.y.High)}, stroke{paint: muted, width: 1, dash: []float64{1.5, 3}})
	}
	for _, s := range l.Series {
		s.band(c, f)
	}
	for _, s := range l.Series {
		s.bounds(c, f)
		s.curve(c, f, l.marked())
	}
}

// bounds draws the second band.
func (s Line) bounds(c canvas, f frame) {
	for _, bound := range [][]float64{s.Low, s.High} {
		var points []point
		for i := range bound {
			if defined(s.X[i], bound[i]) {
				points = append(points, f.at(s.X[i], bound[i]))
			}
		}
		if len(points) > 1 {
			c.line(points, stroke{paint: series(s.Number), width: 1, dash: []float64{1.5, 2.5}})
		}
	}
}

// marked says that there are so many curves that colours alone are hard to follow.
func (l Lines) marked() bool {
	names := map[string]bool{}
	for _, s := range l.Series {
		names[s.Name] = true
	}
	return len(names) > 3
}

func (s Line) curve(c canvas, f frame, marked bool) {
	style := stroke{paint: series(s.Number), width: 2.2, dash: repeated(s.Number)}
	if s.Dashed {
		style.dash, style.width = dashes, 1.8
	}
	var points []point
	for i := range s.X {
		if defined(s.X[i], s.Y[i]) {
			points = append(points, f.at(s.X[i], s.Y[i]))
		}
	}
	if len(points) > 1 {
		c.line(points, style)
	}
	if s.Points || len(points) == 1 {
		for _, p := range points {
			marker(c, s.Number, p, 3.5, 1)
		}
	} else if marked && !s.Dashed {
		for _, p := range along(points, 5, float64(s.Number%7)/7) {
			marker(c, s.Number, p, 3.8, 1)
		}
	}
}

// along are n places on a path, evenly apart and shifted by a share of their distance.
func along(path []point, n int, shift float64) (at []point) {
	length := 0.0
	for i := 1; i < len(path); i++ {
		length += math.Hypot(path[i].x-path[i-1].x, path[i].y-path[i-1].y)
	}
	gone := 0.0
	for i := 1; i < len(path); i++ {
		a, b := path[i-1], path[i]
		part := math.Hypot(b.x-a.x, b.y-a.y)
		for len(at) < n {
			next := (float64(len(at)) + shift + 1.0/14) / float64(n) * length
			if next > gone+part || part == 0 {
				break
			}
			share := (next - gone) / part
			at = append(at, point{a.x + share*(b.x-a.x), a.y + share*(b.y-a.y)})
		}
		gone += part
	}
	return at
}

func (s Line) band(c canvas, f frame) {
	if s.SD == nil {
		return
	}
	var upper, lower []point
	for i := range s.X {
		if defined(s.X[i], s.Y[i], s.SD[i]) {
			upper = append(upper, f.at(s.X[i], s.Y[i]+s.SD[i]))
			lower = append(lower, f.at(s.X[i], s.Y[i]-s.SD[i]))
		}
	}
	for i := len(lower) - 1; i >= 0; i-- {
		upper = append(upper, lower[i])
	}
	opacity := 0.16
	if s.Dashed {
		opacity = 0.07
	}
	if len(upper) > 2 {
		c.area(upper, series(s.Number), opacity)
	}
}

func (l Lines) keys() []key {
	var keys []key
	named := map[string]bool{"": true}
	for _, s := range l.Series {
		if !named[s.Name] {
			named[s.Name] = true
			keys = append(keys, key{name: s.Name, series: s.Number, line: true, marked: l.marked()})
		}
	}
	if l.Solid != "" {
		keys = append(keys, key{name: l.Solid, line: true, plain: true})
	}
	if l.Dashed != "" {
		keys = append(keys, key{name: l.Dashed, line: true, plain: true, dashed: true})
	}
	return keys
}

func (l Lines) all(of func(Line) []float64) (values []float64) {
	for _, s := range l.Series {
		values = append(values, of(s)...)
	}
	return values
}

func defined(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
