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
	Width     float64  // beyond it, groups go on in a further row; zero: one row, however wide
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
	each, rows := d.rows()
	w = math.Max(520, 82+float64(each*(len(d.Names)*19+16)))
	return w, d.head(w) + 4 + float64(rows)*(rowHeight(rows)+belowRow)
}

// rows says how many groups stand in each row, and how many rows there are.
func (d Dots) rows() (each, rows int) {
	n := max(1, len(d.Groups))
	if each = n; d.Width > 0 {
		each = min(n, max(1, int(d.Width-82)/(len(d.Names)*19+16)))
	}
	rows = (n + each - 1) / each
	return (n + rows - 1) / rows, rows
}

const belowRow = 34.0 // pixels, for the groups' names

func rowHeight(rows int) float64 {
	if rows == 1 {
		return 302
	}
	return 160
}

// Extent is the y axis as it is drawn. Panels that stand side by side take that of all of them together.
func (d Dots) Extent() Range {
	if d.Y != (Range{}) {
		return d.Y
	}
	limits := d.Limits
	if limits == (Range{}) {
		limits = Range{math.Inf(-1), math.Inf(1)}
	}
	return covering(d.all()...).widened(0.08, limits)
}

func (d Dots) head(w float64) float64 { return 38 + legend(nil, d.keys(), 64, w-16, 0) }

func (d Dots) draw(c canvas) {
	w, _ := d.size()
	c.text(label{at: point{16, 24}, text: d.Title, size: titleSize, bold: true, paint: ink})
	legend(c, d.keys(), 64, w-18, 36)
	each, rows := d.rows()
	high, wide := rowHeight(rows), (w-18-64)/float64(each)
	for row := range rows {
		groups := d.Groups[min(row*each, len(d.Groups)):min((row+1)*each, len(d.Groups))]
		n := float64(max(1, len(groups)))
		top := d.head(w) + 4 + float64(row)*(high+belowRow)
		d.row(c, frame{left: 64, top: top, right: 64 + n*wide, bottom: top + high, x: Range{0, n}, y: d.Extent()}, groups)
	}
}

func (d Dots) row(c canvas, f frame, groups []Group) {
	for i, g := range groups {
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
	for i, g := range groups {
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
