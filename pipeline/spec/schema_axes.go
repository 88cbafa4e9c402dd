package spec

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// axes is the matrix of a stage whose parameters are of that type: its axes are some of them, and their values those
// that the parameters take, read as --set reads them (see parameter): a number may stand in quotes, a text without.
func (w *schemaWriter) axes(t reflect.Type) Shape {
	axes, points := Shape{}, Shape{}
	var names []string
	for _, f := range fieldsOf(t) {
		name := regexp.QuoteMeta(f.name)
		names = append(names, name)
		value, counted := point(t.FieldByIndex(f.index).Type, f.rules)
		points["^"+name+"!?$"] = value
		axes["^"+name+"[+!]?$"] = Shape{"if": Shape{"type": "array"}, "then": Shape{"items": value}, "else": Shape{
			"if": Shape{"type": "integer"}, "then": counted, "else": value}}
	}
	axes["^"+includeKey+"[+!]?$"] = Shape{"items": Shape{"patternProperties": points}}
	names = append(names, zipKey, excludeKey, includeKey)
	return Shape{"allOf": []Shape{
		{"$ref": "#/$defs/matrix"},
		{"propertyNames": Shape{"pattern": "^(" + strings.Join(names, "|") + ")[+!]?$"}, "patternProperties": axes},
	}}
}

// point is one value of an axis, and counted the whole number n of an axis that stands for 1 to n.
func point(t reflect.Type, r rules) (value, counted Shape) {
	never := Shape{"not": Shape{}}
	text := func(pattern string) string { return pattern + "|" + HasExpression }
	pointer := reflect.New(t).Interface()
	one, alone := pointer.(single)
	switch {
	case alone:
		return point(one.oneType(), r.entry())
	case t.Kind() == reflect.Pointer && t != valueType:
		return point(t.Elem(), r)
	case t == durationType:
		return Shape{"type": "string", "pattern": text(durations)}, never
	case t.Kind() == reflect.String && r.enum == nil, t.Kind() == reflect.Interface, t == valueType:
		return Shape{}, Shape{}
	case t.Kind() == reflect.String:
		choices := []any{}
		for _, choice := range r.enum {
			choices = append(choices, choice)
		}
		if slices.Contains(r.enum, "true") {
			choices = append(choices, true)
		}
		return Shape{"anyOf": []Shape{{"enum": choices}, {"type": "string", "pattern": HasExpression}}}, never
	case t.Kind() == reflect.Bool:
		return Shape{"type": []string{"boolean", "string"}, "pattern": text("^(true|True|TRUE|false|False|FALSE)$")}, never
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 && t.Kind() != reflect.Uintptr:
		value, counted = numeric(t, r), Shape{}
		value["pattern"] = text(`^[-+]?[0-9][0-9_]*$`)
		if value["minimum"] == 0 || r.min != nil && *r.min >= 0 {
			value["pattern"] = text(`^\+?[0-9][0-9_]*$`)
		}
		if value["type"].([]string)[0] == "number" {
			value["pattern"] = text(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
		}
		if r.min != nil && *r.min > 1 || r.above != nil && *r.above >= 1 {
			counted = never
		}
		for key, bound := range map[string]*float64{"maximum": r.max, "exclusiveMaximum": r.below} {
			if bound != nil {
				counted[key] = *bound
			}
		}
		return value, counted
	}
	if _, reads := pointer.(Decoder); reads {
		return Shape{}, Shape{}
	}
	return Shape{"type": "string", "pattern": HasExpression}, never // lists and maps are no values of an axis
}
