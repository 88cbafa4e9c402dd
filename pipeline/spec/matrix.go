package spec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// maxCells is how many nodes one stage may become.
const maxCells = 1_000_000

// Matrix says which nodes a stage becomes: the product of its axes, of which some may advance together (zip), without
// the combinations under exclude, and with those under include behind. The zero Matrix is a stage of one node.
type Matrix struct {
	Axes []Axis // in file order
	Bad  bool   // something in it was refused, and reported: an axis may be missing

	steps    []step // of the product, in the order of their first axes
	excluded []bool // by the product's index; nil: none
	include  []Cell
	size     int // cells of the product that are left
}

// Axis is one axis of a stage's matrix: seed with the values 1, 2, 3.
type Axis struct {
	Name   string
	Pos    diag.Pos // of the name
	Values []*Point // each once
}

// Point is one value of an axis.
type Point struct {
	Text string // fit for file names
	Pos  diag.Pos

	value  *Value // as a parameter gets it
	number string // the same for equal numbers, however they are written; empty where the value is none
	quoted bool   // it was written as text, which "1.0" and "1" are two of
}

// points are values of one axis, to be found again.
type points struct {
	list  []*Point
	texts map[string]int
	odd   map[string]int // by their number, those that are not written as it
}

// find is the place of a value that is the same, or -1: the same text, or an equal number, unless both were written as text.
func (p *points) find(v *Point) int {
	if at, ok := p.texts[v.Text]; ok {
		return at
	}
	if v.number == "" {
		return -1
	}
	for _, places := range []map[string]int{p.texts, p.odd} {
		if at, ok := places[v.number]; ok && !(v.quoted && p.list[at].quoted) {
			return at
		}
	}
	return -1
}

// add is find, of a value that is put behind the others where there is none the same.
func (p *points) add(v *Point) (at int, fresh bool) {
	if at := p.find(v); at >= 0 {
		return at, false
	}
	if p.texts == nil {
		p.texts, p.odd = map[string]int{}, map[string]int{}
	}
	at = len(p.list)
	p.list = append(p.list, v)
	p.texts[v.Text] = at
	if v.number != "" && v.number != v.Text {
		p.odd[v.number] = at
	}
	return at, true
}

// Cell is one combination: a value for each axis, in the order of the axes.
type Cell []*Point

// step is the axes that advance together, by their index: one, or those of a zip.
type step struct{ axes []int }

// Size is the number of cells; a matrix without axes has one.
func (m Matrix) Size() int {
	if len(m.Axes) == 0 {
		return 1
	}
	return m.size + len(m.include)
}

// Cells is the combinations, the last axis changing fastest, and behind them those of include. A matrix without axes
// has one empty cell.
func (m Matrix) Cells() []Cell {
	n := len(m.Axes)
	if n == 0 {
		return []Cell{{}}
	}
	cells := make([]Cell, 0, m.Size())
	points := make([]*Point, m.size*n)
	at := make([]int, len(m.steps))
	for i := range m.product() {
		if m.excluded == nil || !m.excluded[i] {
			cell := Cell(points[:n:n])
			points = points[n:]
			for s, step := range m.steps {
				for _, a := range step.axes {
					cell[a] = m.Axes[a].Values[at[s]]
				}
			}
			cells = append(cells, cell)
		}
		for s := len(at) - 1; s >= 0; s-- { // count up
			if at[s]++; at[s] < m.length(s) {
				break
			}
			at[s] = 0
		}
	}
	return append(cells, m.include...)
}

// Axis is the axis of that name, or nil.
func (m Matrix) Axis(name string) *Axis {
	if i := m.axis(name); i >= 0 {
		return &m.Axes[i]
	}
	return nil
}

func (m Matrix) axis(name string) int {
	return slices.IndexFunc(m.Axes, func(a Axis) bool { return a.Name == name })
}

func (m Matrix) names() []string {
	names := make([]string, len(m.Axes))
	for i, axis := range m.Axes {
		names[i] = axis.Name
	}
	return names
}

// length is how many values a step has.
func (m Matrix) length(step int) int { return len(m.Axes[m.steps[step].axes[0]].Values) }

// product is the number of combinations before exclude and include, or maxCells+1 where there are more.
func (m Matrix) product() int {
	n := 1
	for s := range m.steps {
		if n *= m.length(s); n > maxCells {
			return maxCells + 1
		}
	}
	return n
}

// others says what is on the axis in place of a text that is not. Between numbers, none is meant more than another.
func (a *Axis) others(text string) string {
	if _, err := strconv.ParseFloat(text, 64); err == nil && len(a.Values) <= 20 {
		return "; there are: " + strings.Join(a.texts(), ", ")
	}
	return orList(text, a.texts())
}

func (a *Axis) points() *points {
	p := &points{}
	for _, v := range a.Values {
		p.add(v)
	}
	return p
}

func (a *Axis) texts() []string {
	texts := make([]string, len(a.Values))
	for i, p := range a.Values {
		texts[i] = p.Text
	}
	return texts
}

// plain is the product of the axes alone: what is looked over in place of a matrix with a mistake, so that others are found.
func (m Matrix) plain() Matrix {
	out := Matrix{Axes: m.Axes}
	for i := range m.Axes {
		out.steps = append(out.steps, step{[]int{i}})
	}
	if out.size = out.product(); out.size > maxCells {
		return Matrix{}
	}
	return out
}
