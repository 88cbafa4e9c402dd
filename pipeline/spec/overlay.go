package spec

import "github.com/cyborg-run/cyborg-run/pipeline/diag"

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

// With is v, a map, with the parameters of the axes' names set to these of their values. v is not changed.
func (v *Value) With(axes []Axis, points []*Point) *Value {
	if len(axes) == 0 {
		return v
	}
	c := &Value{Kind: Map, Pos: points[0].Pos}
	if v != nil && v.Kind == Map {
		*c = *v
	}
	room := len(c.Keys) + len(axes)
	c.Keys, c.items = append(make([]Key, 0, room), c.Keys...), append(make([]*Value, 0, room), c.items...)
	values := make([]Value, len(axes))
	for i, axis := range axes {
		values[i] = *points[i].value
		values[i].parent, values[i].name = c, axis.Name
		c.put(Key{Name: axis.Name, Pos: axis.Pos}, &values[i])
	}
	return c
}
