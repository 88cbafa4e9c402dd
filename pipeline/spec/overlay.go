package spec

import (
	"slices"

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

// With is v, a map, with the parameter of an axis's name set to one of its values. v is not changed.
func (v *Value) With(axis Axis, p *Point) *Value {
	c := &Value{Kind: Map, Pos: p.Pos}
	if v != nil && v.Kind == Map {
		*c = *v
		c.Keys, c.items = slices.Clone(v.Keys), slices.Clone(v.items)
	}
	value := *p.value
	value.parent, value.name = c, axis.Name
	c.put(Key{Name: axis.Name, Pos: axis.Pos}, &value)
	return c
}
