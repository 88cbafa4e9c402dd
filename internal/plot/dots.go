package plot

import "math"

// Dots is a chart of single values in groups: one dot for each run, a bar at their mean, one group for each data set.
type Dots struct {
	Title     string
	YLabel    string
	Y         Range   // zero: from the data
	Limits    Range   // what Y taken from the data may not leave; zero: no limits
	Reference float64 // a dotted line there, where it lies within Y; NaN: none
	Groups    []Group
	Names     []string // of the series, in the order of the columns
	Numbers   []int    // their series numbers
}

// Group is one place on the x axis. Values holds one list for each series.
type Group struct {
	Name   string
	Values [][]float64
	Strong bool // set apart: the mean over the other groups
}

// SVG draws the chart as SVG.
func (d Dots) SVG() []byte { return renderSVG(d) }

// PNG draws the chart as PNG, two pixels for each CSS pixel.
func (d Dots) PNG() ([]byte, error) { return renderPNG(d) }

func (d Dots) title() string { return d.Title }

func (d Dots) size() (w, h float64) {
	w = math.Max(520, 82+float64(len(d.Groups)*(len(d.Names)*19+16)))
	return w, 340 + d.head(w)
}

func (d Dots) head(w float64) float64 { return 38 + legend(nil, d.keys(), 64, w-16, 0) }

func (d Dots) draw(c canvas) {
	w, h := d.size()
	f := frame{left: 64, top: d.head(w) + 4, right: w - 18, bottom: h - 34, x: Range{0, float64(max(1, len(d.Groups)))}, y: d.Y}
	if f.y == (Range{}) {
		limits := d.Limits
		if limits == (Range{}) {
			limits = Range{math.Inf(-1), math.Inf(1)}
		}
		f.y = covering(d.all()...).widened(0.08, limits)
	}
	c.text(label{at: point{16, 24}, text: d.Title, size: titleSize, bold: true, paint: ink})
	legend(c, d.keys(), f.left, f.right, 36)
	for i, g := range d.Groups {
		if g.Strong {
			a, b := f.at(float64(i)+0.04, f.y.High), f.at(float64(i)+0.96, f.y.Low)
			c.area([]point{a, {b.x, a.y}, b, {a.x, b.y}}, faint, 0.45)
		}
	}
	f.yAxis(c, d.YLabel)
	if f.y.Low < d.Reference && d.Reference < f.y.High {
		c.line([]point{f.at(f.x.Low, d.Reference), f.at(f.x.High, d.Reference)}, stroke{paint: muted, width: 1, dash: []float64{1.5, 3}})
	}
	f.base(c)
	for i, g := range d.Groups {
		middleOf := f.at(float64(i)+0.5, f.y.Low)
		c.text(label{at: point{middleOf.x, f.bottom + 20}, text: g.Name, size: labelSize, bold: g.Strong, anchor: middle, paint: ink})
		for k, values := range g.Values {
			d.column(c, f, i, k, values)
		}
	}
}

// column draws one series in one group: the dots spread over the column's width in the order of the runs, then the bar.
func (d Dots) column(c canvas, f frame, group, k int, values []float64) {
	slot := 0.8 / float64(max(1, len(d.Names)))
	centre := float64(group) + 0.1 + slot*(float64(k)+0.5)
	var sum float64
	var n int
	for _, v := range values {
		if defined(v) {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return
	}
	half := math.Min(slot*0.42, 0.12)
	for i, v := range values {
		if !defined(v) {
			continue
		}
		across := 0.0
		if len(values) > 1 {
			across = 2*float64(i)/float64(len(values)-1) - 1
		}
		marker(c, d.Numbers[k], f.at(centre+across*half*0.8, v), 3.3, 0.55)
	}
	a, b := f.at(centre-1.15*half, sum/float64(n)), f.at(centre+1.15*half, sum/float64(n))
	c.line([]point{a, b}, stroke{paint: series(d.Numbers[k]), width: 3})
}

func (d Dots) keys() []key {
	keys := make([]key, len(d.Names))
	for i, name := range d.Names {
		keys[i] = key{name: name, series: d.Numbers[i]}
	}
	return keys
}

func (d Dots) all() (values []float64) {
	for _, g := range d.Groups {
		for _, list := range g.Values {
			values = append(values, list...)
		}
	}
	return values
}
