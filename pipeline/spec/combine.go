package spec

import (
	"fmt"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// maxExclusions bounds the work of exclude: its entries times the nodes of the product.
const maxExclusions = 100 * maxCells

// combiner reads how the axes of a matrix are combined.
type combiner struct {
	*loader
	*Matrix
}

// zip reads `zip: [arch, side]`, or a list of such lists, and lays down the steps of the product.
func (c *combiner) zip(v *Value) bool {
	before := c.diags.Len()
	joined := map[int][]int{} // by their first axis
	taken := map[int]bool{}
	for _, group := range c.groups(v) {
		if axes := c.group(group, taken); len(axes) > 0 {
			joined[axes[0]] = axes
		}
	}
	for i := range c.Axes {
		if axes, first := joined[i]; first {
			c.steps = append(c.steps, step{axes})
		} else if !taken[i] {
			c.steps = append(c.steps, step{[]int{i}})
		}
	}
	return c.diags.Len() == before
}

// groups is the lists of axis names under zip.
func (c *combiner) groups(v *Value) []*Value {
	switch {
	case v.Absent() || v.Kind == Invalid:
		return nil
	case v.Kind != List:
		c.diags.Add(v.Pos, BadMatrix, "%s: a list of axes that advance together is needed, such as [arch, side], or a list of such lists; this is %s%s",
			v.Path(), describe(v), reserved)
		return nil
	}
	lists := 0
	for _, item := range v.items {
		if item.Kind == List {
			lists++
		}
	}
	if lists == 0 && len(v.items) > 0 {
		return []*Value{v}
	}
	for _, item := range v.items {
		if item.Kind != List && item.Kind != Invalid {
			c.diags.Add(item.Pos, BadMatrix, "%s: names of axes, or lists of names, not both", item.Path())
			return nil
		}
	}
	return v.items
}

const reserved = "; no axis can be called zip, exclude or include"

// group is the axes of one list under zip, by their index, the earliest of the matrix first.
func (c *combiner) group(v *Value, taken map[int]bool) []int {
	var axes []int
	good := v.Kind == List
	first := -1
	for _, item := range v.List() {
		i := c.named(item)
		switch {
		case i < 0:
			good = false
			continue
		case taken[i]:
			c.diags.Add(item.Pos, BadMatrix, "%s: the axis %q advances with others already", item.Path(), c.Axes[i].Name)
			good = false
			continue
		}
		taken[i] = true
		axes = append(axes, i)
		if first < 0 {
			first = i
		} else if a, b := len(c.Axes[first].Values), len(c.Axes[i].Values); a != b {
			c.diags.Add(item.Pos, BadMatrix, "%s: axes that advance together are of one length; %q has %d, %q has %d",
				item.Path(), c.Axes[first].Name, a, c.Axes[i].Name, b)
			good = false
		}
	}
	if good && len(axes) < 2 {
		c.diags.Add(v.Pos, BadMatrix, "%s: at least two axes are needed that advance together", v.Path())
		good = false
	}
	if !good {
		return nil
	}
	for i, a := range axes {
		if a < axes[0] {
			axes[0], axes[i] = axes[i], axes[0]
		}
	}
	return axes
}

// named is the index of the axis that v names, or -1.
func (c *combiner) named(v *Value) int {
	switch {
	case v.Kind == Invalid:
		return -1
	case v.Kind != String:
		c.diags.Add(v.Pos, BadMatrix, "%s: the name of an axis is needed, this is %s%s", v.Path(), describe(v), reserved)
		return -1
	}
	return c.known(v.text, v.Path(), v.Pos)
}

// known is the index of an axis of this name, or -1.
func (c *combiner) known(name, path string, pos diag.Pos) int {
	i := c.Matrix.axis(name)
	if i < 0 {
		c.diags.Add(pos, UnknownAxis, "%s: there is no axis %q in this matrix%s", path, name, orList(name, c.names()))
	}
	return i
}

// entries is the maps under exclude or include.
func (c *combiner) entries(v *Value, what, example string) []*Value {
	if v.Absent() || v.Kind == Invalid {
		return nil
	}
	if v.Kind != List {
		c.diags.Add(v.Pos, BadMatrix, "%s: a list of %s is needed, such as [%s]; this is %s%s", v.Path(), what, example, describe(v), reserved)
		return nil
	}
	var maps []*Value
	for _, item := range v.items {
		switch {
		case item.Kind == Invalid:
		case item.Kind == Map && item.Len() == 0:
			c.diags.Add(item.Pos, BadMatrix, "%s: a map of axes is needed, such as %s; this one is empty", item.Path(), example)
		case item.Kind != Map:
			c.diags.Add(item.Pos, BadMatrix, "%s: a map of axes is needed, such as %s; this is %s", item.Path(), example, describe(item))
		default:
			maps = append(maps, item)
		}
	}
	return maps
}

// exclude reads `exclude: [{loss: a, seed: [1, 2]}]` and marks the cells that match all of an entry's axes.
func (c *combiner) exclude(v *Value) {
	rules := c.entries(v, "combinations", "{loss: a, seed: [1, 2]}")
	if len(rules) == 0 {
		return
	}
	if len(rules) > maxExclusions/c.size {
		c.diags.Add(v.Pos, BadMatrix, "%s: %d entries are too many for %d nodes; write them as lists of values", v.Path(), len(rules), c.size)
		return
	}
	places := make([]*points, len(c.Axes)) // of the values of each axis, made when asked for
	marks := make([]bool, c.size)
	for _, rule := range rules {
		if allowed, ok := c.matches(rule, places); ok {
			c.mark(marks, allowed, 0, 0)
		}
	}
	left := 0
	for _, gone := range marks {
		if !gone {
			left++
		}
	}
	c.excluded, c.size = marks, left
}

// matches is, for each axis, which of its values an entry of exclude means; nil: all.
func (c *combiner) matches(rule *Value, places []*points) (allowed [][]bool, ok bool) {
	allowed, ok = make([][]bool, len(c.Axes)), true
	for i, key := range rule.Keys {
		a := c.known(key.Name, rule.Path(), key.Pos)
		if a < 0 {
			ok = false
			continue
		}
		axis := &c.Axes[a]
		if places[a] == nil {
			places[a] = axis.points()
		}
		allowed[a] = make([]bool, len(axis.Values))
		values := []*Value{rule.items[i]}
		if values[0].Kind == List {
			values = values[0].items
		}
		for _, value := range values {
			point := c.point(value)
			if point == nil {
				ok = false
				continue
			}
			at := places[a].find(point)
			if at < 0 {
				c.diags.Add(value.Pos, BadMatrix, "%s: %s is not on the axis %q%s", value.Path(), quote(point.Text), axis.Name, axis.others(point.Text))
				ok = false
				continue
			}
			allowed[a][at] = true
		}
	}
	return allowed, ok
}

// mark marks the cells whose values are allowed on every axis. at is the index of the first cell below the steps so far.
func (c *combiner) mark(marks []bool, allowed [][]bool, s, at int) {
	if s == len(c.steps) {
		marks[at] = true
		return
	}
next:
	for i := range c.length(s) {
		for _, a := range c.steps[s].axes {
			if allowed[a] != nil && !allowed[a][i] {
				continue next
			}
		}
		c.mark(marks, allowed, s+1, at*c.length(s)+i)
	}
}

// include reads `include: [{loss: x, seed: 99}]`: cells to add where they are not there yet.
func (c *combiner) include(v *Value) {
	cells := c.entries(v, "nodes", "{loss: a, seed: 99}")
	if len(cells) == 0 {
		return
	}
	if c.size+len(cells) > maxCells {
		c.diags.Add(v.Pos, BadMatrix, "%s: more than %d nodes", v.Path(), maxCells)
		return
	}
	there := make(map[string]bool, c.size)
	for _, cell := range c.Cells() {
		there[cell.key()] = true
	}
	known := make([]*points, len(c.Axes))
	for i := range known {
		known[i] = c.Axes[i].points()
	}
	for _, item := range cells {
		cell, ok := c.whole(item)
		if !ok {
			continue
		}
		for i, p := range cell {
			at, _ := known[i].add(p) // written as the first of its equals
			cell[i] = known[i].list[at]
		}
		if there[cell.key()] {
			continue
		}
		there[cell.key()] = true
		c.Matrix.include = append(c.Matrix.include, cell)
	}
}

// whole reads an entry of include: a value for every axis.
func (c *combiner) whole(v *Value) (Cell, bool) {
	cell, good := make(Cell, len(c.Axes)), true
	for i, key := range v.Keys {
		a := c.known(key.Name, v.Path(), key.Pos)
		if a < 0 {
			good = false
			continue
		}
		item := v.items[i]
		if item.Kind == List {
			c.diags.Add(item.Pos, BadMatrix, "%s: a node of include has one value on each axis, this is %s", item.Path(), describe(item))
			good = false
			continue
		}
		if cell[a] = c.point(item); cell[a] == nil {
			good = false
		}
	}
	var missing []string
	for i, axis := range c.Axes {
		if cell[i] == nil && v.Get(axis.Name) == nil {
			missing = append(missing, fmt.Sprintf("%q", axis.Name))
		}
	}
	if len(missing) > 0 {
		c.diags.Add(v.Pos, BadMatrix, "%s: a node of include has a value on each axis; there is none for %s", v.Path(), strings.Join(missing, ", "))
	}
	return cell, good && len(missing) == 0
}

// key tells cells of one matrix apart; no value has a slash.
func (c Cell) key() string {
	texts := make([]string, len(c))
	for i, p := range c {
		texts[i] = p.Text
	}
	return strings.Join(texts, "/")
}
