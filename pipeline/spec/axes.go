package spec

import (
	"math"
	"slices"
	"strconv"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// The keys of a matrix that are no axes.
const (
	zipKey     = "zip"
	excludeKey = "exclude"
	includeKey = "include"
)

// matrix reads the matrix of a stage.
func (l *loader) matrix(v *Value) Matrix {
	before := l.diags.Len()
	m := l.readMatrix(v)
	m.Bad = l.diags.Len() > before || v != nil && !v.Sound()
	return m
}

func (l *loader) readMatrix(v *Value) Matrix {
	var m Matrix
	if v.Absent() || v.Kind == Invalid {
		return m
	}
	if v.Kind != Map {
		l.diags.Add(v.Pos, WrongType, "%s: a map of axes is needed, such as {seed: 3}; this is %s", v.Path(), describe(v))
		return m
	}
	whole := true // every axis could be read: only then the rest can be held against them
	for i, key := range v.Keys {
		if slices.Contains([]string{zipKey, excludeKey, includeKey}, key.Name) {
			continue
		}
		if !identifier(key.Name) {
			l.diags.Add(key.Pos, BadName, "%s: the axis %s needs a name of letters, digits and _", v.Path(), quote(key.Name))
			whole = false
			continue
		}
		before := l.diags.Len()
		axis := l.axis(key, v.items[i])
		if len(axis.Values) > 0 {
			m.Axes = append(m.Axes, axis)
		}
		whole = whole && len(axis.Values) > 0 && l.diags.Len() == before
	}
	c := combiner{loader: l, Matrix: &m}
	if !whole || !c.zip(v.Get(zipKey)) {
		return m.plain()
	}
	if m.size = m.product(); m.size > maxCells {
		l.diags.Add(v.Key(m.Axes[len(m.Axes)-1].Name).Pos, BadMatrix, "%s: the axes make more than %d nodes", v.Path(), maxCells)
		return Matrix{}
	}
	c.exclude(v.Get(excludeKey))
	c.include(v.Get(includeKey))
	if m.Size() == 0 {
		l.diags.Add(v.Key(excludeKey).Pos, BadMatrix, "%s: exclude leaves none of the %d nodes", v.Path(), m.product())
	}
	return m
}

// axis reads one axis; it has no values where none is good.
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
		axis.Values = make([]*Point, v.whole)
		for i := range axis.Values {
			n := strconv.Itoa(i + 1)
			axis.Values[i] = &Point{Text: n, Pos: v.Pos, value: integer(i+1, v.Pos, v.origin), number: n}
		}
		return axis
	case List:
		values = v.items
	}
	if len(values) == 0 {
		l.diags.Add(v.Pos, BadMatrix, "%s: an axis without values makes no nodes", v.Path())
	}
	var seen points
	for _, value := range values {
		point := l.point(value)
		if point == nil {
			continue
		}
		at, fresh := seen.add(point)
		if fresh {
			continue
		}
		before := ""
		if written := seen.list[at].Text; written != point.Text {
			before = ", as " + written
		}
		l.diags.Add(value.Pos, BadMatrix, "%s: %s stands twice on the axis%s", value.Path(), quote(point.Text), before)
	}
	axis.Values = seen.list
	return axis
}

// point reads one value of an axis, or reports why it is none and returns nil.
func (l *loader) point(v *Value) *Point {
	switch {
	case v.Kind == Invalid:
		return nil
	case v.Kind == Map || v.Kind == List || v.Kind == Null:
		l.diags.Add(v.Pos, BadMatrix, "%s: a list of texts or numbers is needed, or a whole number; this is %s", v.Path(), describe(v))
		return nil
	case notFileName(v.Text()) != "":
		l.diags.Add(v.Pos, BadName, "%s: %s becomes part of file names: %s", v.Path(), quote(v.Text()), notFileName(v.Text()))
		return nil
	}
	value := parameter(v)
	return &Point{Text: v.Text(), Pos: v.Pos, value: value, number: canonical(value), quoted: v.Kind == String}
}

// canonical is a number as equal ones are written; empty for all else.
func canonical(v *Value) string {
	switch {
	case v.Kind == Int:
		return strconv.Itoa(v.whole)
	case v.Kind == Float && v.float == math.Trunc(v.float) && math.Abs(v.float) < 1<<63:
		return strconv.FormatInt(int64(v.float), 10)
	case v.Kind == Float:
		return floatText(v.float)
	}
	return ""
}

// parameter is the value of an axis as the parameter of its name gets it: read as --set reads it, so that a text
// parameter may be given as 2024 and a number as "3".
func parameter(v *Value) *Value {
	var none diag.List
	reader := &loader{diags: &none}
	value := reader.argument(argument{written: v.Text(), text: v.Text()})
	if value == nil || none.Len() > 0 {
		value = text(v.Text(), v.Pos, nil)
	}
	value = value.at(v.Pos)
	dir := ""
	if v.origin != nil {
		dir = v.origin.dir
	}
	value.origin = &origin{dir: dir, set: true}
	return value
}
