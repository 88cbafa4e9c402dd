package spec

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Shape is a JSON Schema, or a part of one, as encoding/json writes it.
//
// The schema comes from fieldsOf, the table that Decode itself goes by, and not from a reflector of its own (such as
// invopop/jsonschema): a key, a bound or a default that such a reflector did not know of would be a second truth, and
// what is peculiar to specs (${...} where any value stands, key+ and key!, empty values, Named, OneOrMany) would have to
// be written for it all the same.
type Shape map[string]any

// Shaped is a type whose values keep rules that tags cannot say, such as that one of two keys is given, or a Decoder
// that reads more than its fields. SchemaSpec gets what the tags of its fields say and returns what holds.
type Shaped interface{ SchemaSpec(fields Shape) Shape }

// SchemaOptions say what a schema is made of.
type SchemaOptions struct {
	Sections map[string]any // as for Load
	Kinds    []string       // those sections that hold the parameters of a kind of stage

	// What the comments say of a type, of a field of it, and of a kind; nil leaves descriptions out.
	TypeDoc  func(reflect.Type) string
	FieldDoc func(owner reflect.Type, f reflect.StructField) string
}

// Schema is the JSON Schema (draft 2020-12) of one file, as far as one file tells: what names refer to, what expressions
// give and what other files add is left to Load.
//
// A file is taken for a whole spec if it has a name and stages, and neither extends another file nor has profiles; in
// any other one, keys that must be given may come from elsewhere.
func Schema(o SchemaOptions) Shape {
	w := &schemaWriter{SchemaOptions: o, defs: Shape{}}
	root := w.root()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$defs"] = w.defs
	return root
}

// HasExpression matches a text with an expression in it.
const HasExpression = `(^|[^$])\$\{`

// isExpression matches one that is nothing else, and identifiers what the function of that name allows.
const (
	durations    = `^\+?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
	isExpression = `^\$\{[\s\S]*\}$`
)

type schemaWriter struct {
	SchemaOptions
	defs Shape
}

// of is the shape of a value that Decode reads into a t.
func (w *schemaWriter) of(t reflect.Type, r rules) Shape {
	pointer := reflect.New(t).Interface()
	if t == valueType {
		return Shape{}
	}
	switch n := pointer.(type) {
	case named:
		return w.entries(n.entryType(), r, true)
	case single:
		one, many := w.of(n.oneType(), r.entry()), w.list(n.oneType(), r)
		return Shape{"anyOf": []Shape{one, many}}
	case Shaped:
		if t.Kind() != reflect.Struct {
			return n.SchemaSpec(nil)
		}
		return w.reference(t)
	case Decoder:
		return Shape{}
	}
	switch {
	case t == durationType:
		return orExpression(Shape{"type": "string", "pattern": durations})
	case t.Kind() == reflect.Pointer:
		return w.of(t.Elem(), r)
	case t.Kind() == reflect.Struct:
		return w.reference(t)
	case t.Kind() == reflect.Slice:
		return w.list(t.Elem(), r)
	case t.Kind() == reflect.Map:
		return w.entries(t.Elem(), r, false)
	case t.Kind() == reflect.Interface:
		return Shape{}
	case t.Kind() == reflect.Bool:
		return or("boolean")
	case t.Kind() == reflect.String:
		if r.enum == nil {
			return Shape{"type": []string{"string", "null"}}
		}
		return orExpression(Shape{"enum": r.enum})
	}
	return numeric(t, r)
}

// or is a value of that type, a text that is an expression, or nothing. In one schema, not as alternatives: each keyword
// but type speaks of one type only, and a validator's message stays to the point.
func or(kind string) Shape {
	return Shape{"type": []string{kind, "string", "null"}, "pattern": isExpression,
		"patternErrorMessage": words[kind] + " is needed, or an expression, ${...}"}
}

// words are for yaml-language-server, which shows patternErrorMessage where a text is none.
var words = map[string]string{
	"boolean": "true or false", "integer": "a whole number", "number": "a number", "object": "a map", "array": "a list",
}

// orExpression is a text of that shape, one with an expression in it, or nothing.
func orExpression(s Shape) Shape {
	return Shape{"anyOf": []Shape{s, {"type": "string", "pattern": HasExpression}, {"type": "null"}}}
}

func numeric(t reflect.Type, r rules) Shape {
	s := or("number")
	if t.Kind() != reflect.Float32 && t.Kind() != reflect.Float64 {
		s = or("integer")
		s["minimum"], s["maximum"] = -1<<63, 1<<63-1
		if bits := t.Bits(); t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64 {
			s["minimum"] = 0
			if bits < 64 {
				s["maximum"] = 1<<bits - 1
			}
		} else if bits < 64 {
			s["minimum"], s["maximum"] = -1<<(bits-1), 1<<(bits-1)-1
		}
	}
	for key, bound := range map[string]*float64{"minimum": r.min, "maximum": r.max, "exclusiveMinimum": r.above, "exclusiveMaximum": r.below} {
		if bound != nil {
			s[key] = *bound
		}
	}
	return s
}

func (w *schemaWriter) list(entry reflect.Type, r rules) Shape {
	s := or("array")
	s["items"] = given(w.of(entry, r.entry()))
	if r.min != nil {
		s["minItems"] = int(*r.min)
	}
	if r.max != nil {
		s["maxItems"] = int(*r.max)
	}
	return s
}

// entries is a map with names of the user's.
func (w *schemaWriter) entries(entry reflect.Type, r rules, counted bool) Shape {
	s := or("object")
	item := w.of(entry, r.entry())
	s["propertyNames"] = Shape{"pattern": `[^+!]!?$`}
	s["additionalProperties"] = item
	if listed(item) {
		s["propertyNames"] = Shape{"pattern": `[^+!][+!]?$`}
		s["patternProperties"] = Shape{`\+$`: appended(item)}
	}
	if counted && r.min != nil {
		s["minProperties"] = int(*r.min)
	}
	if counted && r.max != nil {
		s["maxProperties"] = int(*r.max)
	}
	return s
}

// reference is the shape of a struct, kept under its name.
func (w *schemaWriter) reference(t reflect.Type) Shape {
	name := typeName(t)
	ref := "#/$defs/" + name
	if _, ok := w.defs[name]; !ok {
		w.defs[name] = nil // a type may hold itself
		s := w.object(ref, w.fields(t))
		if w.TypeDoc != nil {
			s["description"] = w.TypeDoc(t)
		}
		if shaped, ok := reflect.New(t).Interface().(Shaped); ok {
			s = shaped.SchemaSpec(s)
		}
		w.defs[name] = s
	}
	return Shape{"$ref": ref}
}

func typeName(t reflect.Type) string {
	folder := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
	return folder + "." + t.Name()
}

// fields is the shapes of a struct's keys.
func (w *schemaWriter) fields(t reflect.Type) Shape {
	properties := Shape{}
	for _, f := range fieldsOf(t) {
		declared := t.FieldByIndex(f.index)
		s := w.of(declared.Type, f.rules)
		if w.FieldDoc != nil {
			owner := t
			if last := len(f.index) - 1; last > 0 {
				owner = t.FieldByIndex(f.index[:last]).Type
			}
			s["description"] = w.FieldDoc(owner, declared)
		}
		if f.hasDefault {
			s["default"] = f.preset.Any()
		}
		properties[f.name] = s
	}
	return properties
}

// object is a map of known keys, each also as key! and, where it may be a list, as key+. at is where it will stand.
func (w *schemaWriter) object(at string, properties Shape) Shape {
	s := or("object")
	s["properties"], s["additionalProperties"] = properties, false
	ruled := Shape{}
	for name, p := range properties {
		ref := Shape{"$ref": at + "/properties/" + name}
		ruled["^"+regexp.QuoteMeta(name)+"!$"] = ref
		if shape, ok := p.(Shape); ok && listed(shape) {
			ruled["^"+regexp.QuoteMeta(name)+`\+$`] = appended(ref)
		}
	}
	s["patternProperties"] = ruled
	return s
}

// appended is what key+ takes: a list, which stands there itself.
func appended(s Shape) Shape { return Shape{"allOf": []Shape{s, {"type": "array"}}} }

// listed tells whether a shape may be a list.
func listed(s Shape) bool {
	if any, ok := s["anyOf"].([]Shape); ok {
		return slices.ContainsFunc(any, listed)
	}
	if types, several := s["type"].([]string); several {
		return slices.Contains(types, "array")
	}
	return s["type"] == "array" || s["type"] == nil && s["$ref"] == nil && s["enum"] == nil && s["const"] == nil
}

// given is a shape that nothing, an empty value, has not.
func given(s Shape) Shape {
	out := maps.Clone(s)
	if any, ok := s["anyOf"].([]Shape); ok {
		var kept []Shape
		for _, one := range any {
			if one["type"] != "null" {
				kept = append(kept, given(one))
			}
		}
		out["anyOf"] = kept
		return out
	}
	if types, ok := s["type"].([]string); ok {
		out["type"] = slices.DeleteFunc(slices.Clone(types), func(t string) bool { return t == "null" })
		return out
	}
	if s["type"] == nil {
		out["not"] = Shape{"type": "null"}
	}
	return out
}

// single is any OneOrMany.
type single interface{ oneType() reflect.Type }

func (m *OneOrMany[T]) oneType() reflect.Type { return reflect.TypeFor[T]() }
