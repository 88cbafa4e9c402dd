package spec

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Decoder is a type that reads itself from a value, such as a map that holds one of several things. It is called with
// values that are neither nil, empty nor Invalid.
type Decoder interface {
	DecodeSpec(v *Value, diags *diag.List)
}

// Decode fills into, a pointer, from v, and reports every problem. What v does not give gets its default; v may be nil.
//
// Struct fields are keys by their tag yaml:"name"; embedded structs lend theirs. Tags say more:
//
//	default:"50"        the value when the key is not given, as YAML
//	required:"true"     the key must be given
//	min:"1" max:"9"     bounds, inclusive; of a list: how many entries
//	above:"0" below:"1" bounds, exclusive
//	enum:"a|b"          the only texts that there are
//
// Numbers, texts, truth values, time.Duration ("90s"), lists, map[string]T, pointers (nil when not given), any, *Value
// (as it stands), Named, OneOrMany and Decoder are understood. An int field takes 50.0, a float field takes 50; a text
// field takes text only, but for --set, which cannot quote.
func Decode(v *Value, into any, diags *diag.List) {
	decode(v, reflect.ValueOf(into).Elem(), rules{}, diags)
}

var (
	valueType    = reflect.TypeFor[*Value]()
	durationType = reflect.TypeFor[time.Duration]()
)

func decode(v *Value, out reflect.Value, r rules, diags *diag.List) {
	if v != nil && v.Kind == Invalid || diags != nil && diags.Len() > maxProblems {
		return
	}
	if out.Type() == valueType {
		if v != nil {
			out.Set(reflect.ValueOf(v))
		}
		return
	}
	if d, ok := out.Addr().Interface().(Decoder); ok && !v.Absent() {
		if e, ok := d.(entries); ok {
			e.decodeEntries(v, r, diags)
		} else {
			d.DecodeSpec(v, diags)
		}
		return
	}
	switch {
	case out.Type() == durationType:
		decodeDuration(v, out, diags)
	case out.Kind() == reflect.Pointer:
		if !v.Absent() {
			out.Set(reflect.New(out.Type().Elem()))
			decode(v, out.Elem(), r, diags)
		}
	case out.Kind() == reflect.Struct:
		decodeStruct(v, out, diags)
	case v.Absent():
	case out.Kind() == reflect.Slice:
		decodeList(v, out, r, diags)
	case out.Kind() == reflect.Map:
		decodeMap(v, out, r, diags)
	case out.Kind() == reflect.Interface:
		if plain := v.Any(); plain != nil {
			out.Set(reflect.ValueOf(plain))
		}
	default:
		decodeScalar(v, out, r, diags)
	}
}

func decodeStruct(v *Value, out reflect.Value, diags *diag.List) {
	if !v.Absent() && v.Kind != Map {
		wrong(v, "a map of keys", diags)
		return
	}
	fields := fieldsOf(out.Type())
	for _, key := range v.keys() {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.name == key.Name }) {
			where := ""
			if p := v.Path(); p != "" {
				where = " in " + p
			}
			names := make([]string, len(fields))
			for i, f := range fields {
				names[i] = f.name
			}
			diags.Add(key.Pos, UnknownKey, "unknown key %q%s%s", key.Name, where, orList(key.Name, names))
		}
	}
	for _, f := range fields {
		item, to := v.Get(f.name), out.FieldByIndex(f.index)
		switch {
		case !item.Absent():
			if _, ok := to.Addr().Interface().(Decoder); !ok {
				f.standard(to)
			}
			decode(item, to, f.rules, diags)
		case f.required && v != nil && diags != nil:
			diags.Add(v.Pos, Missing, "%s is missing", join(v.Path(), f.name))
		case f.hasDefault:
			f.standard(to)
		case to.Kind() == reflect.Struct:
			decode(nil, to, f.rules, nil)
		}
	}
}

func decodeList(v *Value, out reflect.Value, r rules, diags *diag.List) {
	if v.Kind != List {
		wrong(v, "a list", diags)
		return
	}
	r.count(v, diags)
	list := reflect.MakeSlice(out.Type(), v.Len(), v.Len())
	for i, item := range v.List() {
		if item.Absent() {
			wrong(item, "a value", diags)
			continue
		}
		decode(item, list.Index(i), r.entry(), diags)
	}
	out.Set(list)
}

func decodeMap(v *Value, out reflect.Value, r rules, diags *diag.List) {
	if v.Kind != Map {
		wrong(v, "a map", diags)
		return
	}
	made := reflect.MakeMapWithSize(out.Type(), v.Len())
	for i, key := range v.Keys {
		item := reflect.New(out.Type().Elem()).Elem()
		decode(v.items[i], item, r.entry(), diags)
		made.SetMapIndex(reflect.ValueOf(key.Name).Convert(out.Type().Key()), item)
	}
	out.Set(made)
}

func decodeDuration(v *Value, out reflect.Value, diags *diag.List) {
	if v.Absent() {
		return
	}
	d, err := time.ParseDuration(v.Text())
	if v.Kind != String || err != nil || d < 0 {
		wrong(v, `a time such as "90s" or "2h30m"`, diags)
		return
	}
	out.SetInt(int64(d))
}

func decodeScalar(v *Value, out reflect.Value, r rules, diags *diag.List) {
	switch out.Kind() {
	case reflect.Bool:
		if v.Kind != Bool {
			wrong(v, "true or false", diags)
			return
		}
		out.SetBool(v.truth)
	case reflect.String:
		if v.FromSet() && (v.Kind == Int || v.Kind == Float || v.Kind == Bool) {
			v = textOf(v)
		}
		if v.Kind != String {
			hint := ""
			if v.Kind == Int || v.Kind == Float || v.Kind == Bool {
				hint = ": write it in quotes"
			}
			diags.Add(v.Pos, WrongType, "%s: text is needed, %s%s", pathOr(v), isWhat(v), hint)
			return
		}
		if r.choice(v, diags) {
			out.SetString(v.text)
		}
	case reflect.Float32, reflect.Float64:
		f := v.float
		if v.Kind == Int {
			f = float64(v.whole)
		}
		if v.Kind != Int && v.Kind != Float || math.IsNaN(f) || math.IsInf(f, 0) {
			wrong(v, "a number", diags)
			return
		}
		if r.bounds(v, f, diags) {
			out.SetFloat(f)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n := v.whole
		if v.Kind == Float && v.float == math.Trunc(v.float) && math.Abs(v.float) < 1<<63 {
			n = int(v.float)
		} else if v.Kind != Int {
			wrong(v, "a whole number", diags)
			return
		}
		if !r.bounds(v, float64(n), diags) {
			return
		}
		if out.CanInt() && !out.OverflowInt(int64(n)) {
			out.SetInt(int64(n))
		} else if out.CanUint() && n >= 0 && !out.OverflowUint(uint64(n)) {
			out.SetUint(uint64(n))
		} else {
			diags.Add(v.Pos, OutOfRange, "%s: %s is out of range", pathOr(v), brief(v))
		}
	default:
		panic(fmt.Sprintf("spec.Decode: %s is no type for a spec", out.Type()))
	}
}

// wrong reports a value of the wrong type.
func wrong(v *Value, needed string, diags *diag.List) {
	diags.Add(v.Pos, WrongType, "%s: %s is needed, %s", pathOr(v), needed, isWhat(v))
}

func isWhat(v *Value) string {
	switch v.Kind {
	case Null:
		return "there is none"
	case Map, List, Invalid:
		return "this is " + v.Kind.String()
	}
	return brief(v) + " is " + v.Kind.String()
}

func pathOr(v *Value) string {
	if p := v.Path(); p != "" {
		return p
	}
	return "the spec"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (v *Value) keys() []Key {
	if v == nil {
		return nil
	}
	return v.Keys
}

// parseTag reads a number out of a tag; tags are written by programmers.
func parseTag(tag string) float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(tag), 64)
	if err != nil {
		panic("spec: bad number in a struct tag: " + tag)
	}
	return f
}
