package spec

import (
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Overlay is base with over laid on it, as an extending file lies on the one it extends: maps merge key by key, all else
// is replaced. Neither is changed; either may be nil or empty.
func Overlay(base, over *Value, diags *diag.List) *Value {
	switch {
	case base.Absent():
		return over
	case over.Absent():
		return base
	}
	return merge(base, over, diags)
}

// With is v, a map, with the value at a dotted path replaced by a text, read as YAML reads a scalar: "3" is a number. v
// is not changed.
func (v *Value) With(path, written string, pos diag.Pos) *Value {
	var diags diag.List
	l := &loader{diags: &diags}
	value := l.argument(written, pos)
	if value == nil || diags.Len() > 0 {
		value = text(written, pos, nil)
	}
	return v.with(strings.Split(path, "."), value.at(pos))
}

func (v *Value) with(steps []string, value *Value) *Value {
	if len(steps) == 0 {
		return value
	}
	c := &Value{Kind: Map, Pos: value.Pos}
	if v != nil && v.Kind == Map {
		*c = *v
		c.Keys = append([]Key(nil), v.Keys...)
		c.items = append([]*Value(nil), v.items...)
	}
	child := c.Get(steps[0]).with(steps[1:], value)
	if child.parent == nil {
		child.parent, child.name = c, steps[0]
	}
	c.put(Key{Name: steps[0], Pos: value.Pos}, child)
	return c
}
