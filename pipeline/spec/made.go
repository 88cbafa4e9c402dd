package spec

import "slices"

// made is how an expression made a value: who wrote the expression, and what it used.
type made struct {
	by *origin
	of []use
}

// use is something that an expression used: a parameter ("params.seeds") with its value, or an environment variable
// ("env(DATA)").
type use struct {
	name  string
	value *Value // nil for the environment
}

// lent is the value of a parameter as it stands in place of the expression that names it. Entries of a list or map know
// which entry of the parameter they are.
func (v *Value) lent(name string, expression *Value) *Value {
	c := *v
	c.Pos = expression.Pos
	c.Keys = slices.Clone(v.Keys)
	for i := range c.Keys {
		c.Keys[i].Pos = expression.Pos
	}
	c.made = &made{by: expression.origin, of: []use{{"params." + name, v}}}
	c.items = make([]*Value, len(v.items))
	for i, item := range v.items {
		c.items[i] = item.lent(name, expression)
	}
	return &c
}

// makeBy notes how v, and all below it, was made.
func (v *Value) makeBy(by *made) {
	if len(by.of) == 0 {
		return
	}
	v.made = by
	for _, item := range v.items {
		item.makeBy(by)
	}
}

// inProfile is a copy of v whose values know that they are part of a profile.
func inProfile(v *Value, profile string, marked map[*origin]*origin) *Value {
	c := *v
	if v.origin != nil {
		from := marked[v.origin]
		if from == nil {
			o := *v.origin
			o.profile = profile
			from = &o
			marked[v.origin] = from
		}
		c.origin = from
	}
	c.items = make([]*Value, len(v.items))
	for i, item := range v.items {
		c.items[i] = inProfile(item, profile, marked)
	}
	return &c
}
