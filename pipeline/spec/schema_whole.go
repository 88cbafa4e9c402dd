package spec

import (
	"maps"
	"reflect"
	"slices"
)

// whole is what a whole spec must give, and nothing else: the keys with required:"true", and those of the frame.
func (w *schemaWriter) whole() Shape {
	stage := must("uses")
	stage["not"] = Shape{"type": "null"} // in a spec that extends nothing, there is nothing to take away
	stages := Shape{"minProperties": 1, "not": Shape{"type": "null"}, "additionalProperties": stage}
	properties := Shape{"stages": stages}
	var cases []Shape
	for _, name := range sectionNames(w.Sections) {
		t := reflect.TypeOf(w.Sections[name]).Elem()
		if !slices.Contains(w.Kinds, name) {
			if s := w.asked(t); s != nil {
				properties[name] = orNothing(s)
			}
			continue
		}
		for _, f := range fieldsOf(t) { // may stand in the section of the kind, in the stage, or be an axis
			if !f.required {
				continue
			}
			axis := Shape{"required": []string{"matrix"}, "properties": Shape{"matrix": Shape{"anyOf": []Shape{
				{"type": "string"}, {"type": "object", "anyOf": must(f.name)["anyOf"]}}}}}
			here := Shape{"anyOf": append(slices.Clone(must(f.name)["anyOf"].([]Shape)), axis)}
			given := func(section string) Shape {
				return Shape{"required": []string{section}, "properties": Shape{section: Shape{"anyOf": []Shape{
					{"type": "string"}, {"type": "object", "anyOf": must(f.name)["anyOf"]}}}}}
			}
			cases = append(cases, Shape{
				"if":   Shape{"not": Shape{"anyOf": []Shape{given(name), given(name + "!")}}},
				"then": Shape{"properties": Shape{"stages": Shape{"additionalProperties": Shape{"if": usesKind(name), "then": here}}}},
			})
		}
	}
	s := must("version")
	s["properties"] = properties
	if len(cases) > 0 {
		s["allOf"] = cases
	}
	return s
}

// asked is what must be given inside of a value that Decode reads into a t; nil where nothing is.
func (w *schemaWriter) asked(t reflect.Type) Shape {
	if n, ok := reflect.New(t).Interface().(named); ok {
		return w.askedOfEntries("additionalProperties", n.entryType())
	}
	if n, ok := reflect.New(t).Interface().(single); ok {
		return w.asked(n.oneType())
	}
	switch {
	case t == valueType || t == durationType:
	case reflect.PointerTo(t).Implements(reflect.TypeFor[Decoder]()):
	case t.Kind() == reflect.Pointer:
		return w.asked(t.Elem())
	case t.Kind() == reflect.Map:
		return w.askedOfEntries("additionalProperties", t.Elem())
	case t.Kind() == reflect.Slice:
		return w.askedOfEntries("items", t.Elem())
	case t.Kind() == reflect.Struct:
		var all []Shape
		inner := Shape{}
		for _, f := range fieldsOf(t) {
			if f.required {
				all = append(all, must(f.name))
			}
			if s := w.asked(t.FieldByIndex(f.index).Type); s != nil {
				inner[f.name] = orNothing(s)
			}
		}
		switch {
		case len(all) == 0 && len(inner) == 0:
			return nil
		case len(all) == 0:
			return Shape{"properties": inner}
		}
		return Shape{"not": Shape{"type": "null"}, "allOf": all, "properties": inner}
	}
	return nil
}

func (w *schemaWriter) askedOfEntries(keyword string, entry reflect.Type) Shape {
	if s := w.asked(entry); s != nil {
		return Shape{keyword: s}
	}
	return nil
}

// must is a map, if it is one, in which a key is given and not empty.
func must(key string) Shape {
	var ways []Shape
	for _, written := range []string{key, key + "!", key + "+"} {
		ways = append(ways, Shape{"required": []string{written}, "properties": Shape{written: Shape{"not": Shape{"type": "null"}}}})
	}
	return Shape{"anyOf": ways}
}

// orNothing is a shape that an empty value has too.
func orNothing(s Shape) Shape {
	out := maps.Clone(s)
	delete(out, "not")
	return out
}
