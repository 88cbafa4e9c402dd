package spec

import (
	"strconv"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// maxCells is how many nodes one stage may become.
const maxCells = 1_000_000

// Axis is one axis of a stage's matrix: seed with the values 1, 2, 3.
type Axis struct {
	Name   string
	Pos    diag.Pos // of the name
	Values []string // each once, fit for file names
	Places []diag.Pos
}

// Matrix is the axes of a stage, in file order.
type Matrix []Axis

// Cell is one combination: a value for each axis, in the order of the axes.
type Cell []string

// Size is the number of cells; a matrix without axes has one.
func (m Matrix) Size() int {
	n := 1
	for _, axis := range m {
		n *= len(axis.Values)
	}
	return n
}

// Cells is the product of the axes; the last axis changes fastest. A matrix without axes has one empty cell.
func (m Matrix) Cells() []Cell {
	cells := make([]Cell, 0, m.Size())
	cell := make(Cell, len(m))
	var fill func(i int)
	fill = func(i int) {
		if i == len(m) {
			cells = append(cells, append(Cell(nil), cell...))
			return
		}
		for _, value := range m[i].Values {
			cell[i] = value
			fill(i + 1)
		}
	}
	fill(0)
	return cells
}

// Axis is the axis of that name, or nil.
func (m Matrix) Axis(name string) *Axis {
	for i := range m {
		if m[i].Name == name {
			return &m[i]
		}
	}
	return nil
}

// matrix reads the axes of a stage.
func (l *loader) matrix(v *Value) Matrix {
	if v.Absent() || v.Kind == Invalid {
		return nil
	}
	if v.Kind != Map {
		l.diags.Add(v.Pos, WrongType, "%s: a map of axes is needed, such as {seed: 3}; this is %s", v.Path(), describe(v))
		return nil
	}
	var m Matrix
	size := 1
	for i, key := range v.Keys {
		if !identifier(key.Name) {
			l.diags.Add(key.Pos, BadName, "%s: the axis %s needs a name of letters, digits and _", v.Path(), quote(key.Name))
			continue
		}
		axis := l.axis(key, v.items[i])
		if len(axis.Values) == 0 {
			continue
		}
		if size *= len(axis.Values); size > maxCells {
			l.diags.Add(key.Pos, BadMatrix, "%s: the axes make more than %d nodes", v.Path(), maxCells)
			return nil
		}
		m = append(m, axis)
	}
	return m
}

func (l *loader) axis(key Key, v *Value) Axis {
	axis := Axis{Name: key.Name, Pos: key.Pos}
	values := []*Value{v}
	switch v.Kind {
	case Invalid:
		return axis
	case Int:
		if v.whole < 1 || v.whole > maxCells {
			l.diags.Add(v.Pos, BadMatrix, "%s: a whole number n stands for 1 to n; %d is none of 1 to %d", v.Path(), v.whole, maxCells)
			return axis
		}
		axis.Values, axis.Places = make([]string, v.whole), make([]diag.Pos, v.whole)
		for i := range axis.Values {
			axis.Values[i], axis.Places[i] = strconv.Itoa(i+1), v.Pos
		}
		return axis
	case List:
		values = v.items
	}
	if len(values) == 0 {
		l.diags.Add(v.Pos, BadMatrix, "%s: an axis without values makes no nodes", v.Path())
	}
	seen := make(map[string]bool, len(values))
	for _, value := range values {
		switch {
		case value.Kind == Invalid:
			continue
		case value.Kind == Map || value.Kind == List || value.Kind == Null:
			l.diags.Add(value.Pos, BadMatrix, "%s: a list of texts or numbers is needed, or a whole number; this is %s", value.Path(), describe(value))
			continue
		case !fileName(value.Text()):
			l.diags.Add(value.Pos, BadName, "%s: %s becomes part of file names: letters, digits, and - _ . + only", value.Path(), quote(value.Text()))
			continue
		case seen[value.Text()]:
			l.diags.Add(value.Pos, BadMatrix, "%s: %s stands twice on the axis", value.Path(), quote(value.Text()))
			continue
		}
		seen[value.Text()] = true
		axis.Values, axis.Places = append(axis.Values, value.Text()), append(axis.Places, value.Pos)
	}
	return axis
}
