package store

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// ParamParts flattens a JSON-marshalable value into one part for each leaf: params.optimizer.sgd.lr = 0.005. The names
// and values are those of its JSON. Plain structs are walked as they are, since a plan does so for every node.
func ParamParts(prefix string, params any) ([]Part, error) {
	w := walks.Get().(*walk)
	defer walks.Put(w)
	w.parts, w.err = w.parts[:0], nil
	w.value(prefix, reflect.ValueOf(params))
	if w.err != nil {
		return nil, fmt.Errorf("parameters: %w", w.err)
	}
	return slices.Clone(w.parts), nil
}

var walks = sync.Pool{New: func() any { return new(walk) }}

// Plain is a value whose JSON is that of another one: MarshalJSON is json.Marshal(v.PlainJSON()). It is walked as that
// one, which spares the way over bytes.
type Plain interface{ PlainJSON() any }

type walk struct {
	parts []Part
	err   error
}

func (w *walk) leaf(name, value string) { w.parts = append(w.parts, Part{name, value}) }

func (w *walk) value(name string, v reflect.Value) {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		if v.Kind() == reflect.Pointer && special(v.Type()) {
			break
		}
		v = v.Elem()
	}
	if !v.IsValid() || w.err != nil {
		return
	}
	if special(v.Type()) {
		if plain, ok := v.Interface().(Plain); ok {
			w.value(name, reflect.ValueOf(plain.PlainJSON()))
		} else {
			w.marshaled(name, v)
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		w.leaf(name, strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.leaf(name, strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.leaf(name, strconv.FormatUint(v.Uint(), 10))
	case reflect.Float64:
		if f := v.Float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			w.leaf(name, number(f))
			return
		}
		w.marshaled(name, v)
	case reflect.String:
		if s := v.String(); utf8.ValidString(s) {
			w.leaf(name, strconv.Quote(s))
			return
		}
		w.marshaled(name, v)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			w.marshaled(name, v) // base64
			return
		}
		for i := range v.Len() {
			w.value(name+"."+strconv.Itoa(i), v.Index(i))
		}
	case reflect.Struct:
		for _, f := range fieldsOf(v.Type(), name) {
			if x := v.FieldByIndex(f.index); !(f.omitEmpty && empty(x)) && !(f.omitZero && zero(x)) {
				w.value(f.name, x)
			}
		}
	default: // maps too: JSON says in which order their keys come
		w.marshaled(name, v)
	}
}

// number is a float64 as encoding/json writes it.
func number(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		text := strconv.FormatFloat(f, 'e', -1, 64)
		if n := len(text); n >= 4 && text[n-4:n-1] == "e-0" {
			text = text[:n-2] + text[n-1:]
		}
		return text
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

func zero(v reflect.Value) bool {
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return z.IsZero()
	}
	return v.IsZero()
}

// field is one of a struct that is walked, under the name of its part.
type field struct {
	index               []int
	name                string
	key                 string
	omitEmpty, omitZero bool
}

type place struct {
	typ    reflect.Type
	prefix string
}

var walked sync.Map // place to []field; names are made once for all nodes of a kind

func fieldsOf(t reflect.Type, prefix string) []field {
	if known, ok := walked.Load(place{t, prefix}); ok {
		return known.([]field)
	}
	fields := collect(t, prefix, nil, nil)
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.key, b.key) })
	walked.Store(place{t, prefix}, fields)
	return fields
}

// collect lists a struct's fields, those of embedded structs as its own; an outer field hides an inner one of its name.
func collect(t reflect.Type, prefix string, at []int, into []field) []field {
	var embedded []int
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && key == "":
			embedded = append(embedded, i)
			continue
		case !f.IsExported() || key == "-" && options == "":
			continue
		case key == "":
			key = f.Name
		}
		if !slices.ContainsFunc(into, func(outer field) bool { return outer.key == key }) {
			into = append(into, field{append(slices.Clone(at), i), prefix + "." + key, key,
				strings.Contains(options, "omitempty"), strings.Contains(options, "omitzero")})
		}
	}
	for _, i := range embedded {
		into = collect(t.Field(i).Type, prefix, append(slices.Clone(at), i), into)
	}
	return into
}

var unusual sync.Map // reflect.Type to bool

// special types say themselves what they are in JSON, or have fields that JSON moves about.
func special(t reflect.Type) bool {
	if known, ok := unusual.Load(t); ok {
		return known.(bool)
	}
	pointer := reflect.PointerTo(t) // has the methods of t too
	is := pointer.Implements(reflect.TypeFor[json.Marshaler]()) || pointer.Implements(reflect.TypeFor[encoding.TextMarshaler]()) ||
		t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			f := t.Field(i)
			is = is || strings.Contains(f.Tag.Get("json"), ",string") || f.Anonymous && !plain(f)
		}
	}
	is = is || t == reflect.TypeFor[json.Number]() || t.Kind() == reflect.Struct && siblings(t)
	unusual.Store(t, is)
	return is
}

// siblings tells whether two embedded structs have a field of the same name.
func siblings(t reflect.Type) bool {
	seen := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.Anonymous || f.Type.Kind() != reflect.Struct {
			continue
		}
		for _, inner := range collect(f.Type, "", nil, nil) {
			if seen[inner.key] {
				return true
			}
			seen[inner.key] = true
		}
	}
	return false
}

// plain tells an embedded struct whose fields are simply those of the outer one; two of them that share a name are left
// to JSON.
func plain(f reflect.StructField) bool {
	return f.IsExported() && f.Type.Kind() == reflect.Struct && f.Tag.Get("json") == "" && !special(f.Type)
}

// marshaled flattens what only JSON itself can say.
func (w *walk) marshaled(prefix string, v reflect.Value) {
	if v.CanAddr() {
		v = v.Addr()
	}
	raw, err := json.Marshal(v.Interface())
	if err != nil {
		w.err = err
		return
	}
	var tree any
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if w.err = decoder.Decode(&tree); w.err == nil {
		w.tree(prefix, tree)
	}
}

func (w *walk) tree(name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			w.tree(name+"."+k, v[k])
		}
	case []any:
		for i, item := range v {
			w.tree(name+"."+strconv.Itoa(i), item)
		}
	case string:
		w.leaf(name, strconv.Quote(v))
	case json.Number:
		w.leaf(name, v.String())
	case bool:
		w.leaf(name, strconv.FormatBool(v))
	}
}
