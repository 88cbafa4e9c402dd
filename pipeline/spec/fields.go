package spec

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// field is one key of a struct.
type field struct {
	name       string
	index      []int
	required   bool
	hasDefault bool
	preset     *Value        // the default
	plain      reflect.Value // the same as the field has it, where that is a number, a text or a truth value
	rules
}

// rules is what the tags of a field allow.
type rules struct {
	min, max, above, below *float64
	enum                   []string
}

var known sync.Map // reflect.Type to []field

// fieldsOf is the keys of a struct type, those of embedded structs in their place.
func fieldsOf(t reflect.Type) []field {
	if have, ok := known.Load(t); ok {
		return have.([]field)
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, tagged := f.Tag.Lookup("yaml")
		name, option, _ := strings.Cut(name, ",")
		if f.Anonymous && (!tagged || option == "inline") && f.Type.Kind() == reflect.Struct {
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				fields = append(fields, inner)
			}
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		made := field{name: name, index: []int{i}, required: f.Tag.Get("required") == "true", rules: rulesOf(f.Tag)}
		if written, ok := f.Tag.Lookup("default"); ok {
			made.hasDefault, made.preset = true, preset(name, written)
			made.plain = made.asPlain(f.Type)
		}
		fields = append(fields, made)
	}
	known.Store(t, fields)
	return fields
}

func rulesOf(tag reflect.StructTag) rules {
	number := func(name string) *float64 {
		text, ok := tag.Lookup(name)
		if !ok {
			return nil
		}
		f := parseTag(text)
		return &f
	}
	r := rules{min: number("min"), max: number("max"), above: number("above"), below: number("below")}
	if enum, ok := tag.Lookup("enum"); ok {
		r.enum = strings.Split(enum, "|")
	}
	return r
}

// entry is the rules for each entry of a list or map: the bounds count the entries, the choices are theirs.
func (r rules) entry() rules { return rules{enum: r.enum} }

func (r rules) bounds(v *Value, f float64, diags *diag.List) bool {
	say := func(what string, bound float64) bool {
		diags.Add(v.Pos, OutOfRange, "%s: %s is %s %s", pathOr(v), brief(v), what, number(bound))
		return false
	}
	switch {
	case r.min != nil && f < *r.min:
		return say("less than", *r.min)
	case r.max != nil && f > *r.max:
		return say("more than", *r.max)
	case r.above != nil && f <= *r.above:
		return say("not above", *r.above)
	case r.below != nil && f >= *r.below:
		return say("not below", *r.below)
	}
	return true
}

func (r rules) count(v *Value, diags *diag.List) {
	n := float64(v.Len())
	if r.min != nil && n < *r.min {
		diags.Add(v.Pos, OutOfRange, "%s: at least %s entries are needed, there are %d", pathOr(v), number(*r.min), v.Len())
	}
	if r.max != nil && n > *r.max {
		diags.Add(v.Pos, OutOfRange, "%s: at most %s entries are allowed, there are %d", pathOr(v), number(*r.max), v.Len())
	}
}

func (r rules) choice(v *Value, diags *diag.List) bool {
	if r.enum == nil || slices.Contains(r.enum, v.text) {
		return true
	}
	diags.Add(v.Pos, NotAllowed, "%s: %s is not one of %s%s", pathOr(v), brief(v), strings.Join(r.enum, ", "), Suggest(v.text, r.enum))
	return false
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// standard puts the default into a field.
func (f field) standard(to reflect.Value) {
	if to.Kind() == reflect.Struct && !f.hasDefault {
		decode(nil, to, rules{}, nil)
		return
	}
	if !f.hasDefault {
		return
	}
	if f.plain.IsValid() { // most are, and each node of a matrix has dozens
		to.Set(f.plain)
		return
	}
	f.decodePreset(to)
}

func (f field) decodePreset(to reflect.Value) {
	var diags diag.List
	decode(f.preset, to, rules{}, &diags)
	if err := diags.Err(); err != nil {
		panic("spec: bad default of " + f.name + ": " + err.Error())
	}
}

// asPlain is the default decoded, where a copy of it may serve for every struct: nothing in it is shared.
func (f field) asPlain(t reflect.Type) (v reflect.Value) {
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map, reflect.Struct, reflect.Pointer, reflect.Interface:
		return v
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[Decoder]()) {
		return v
	}
	v = reflect.New(t).Elem()
	f.decodePreset(v)
	return v
}

// preset is a default as a Value.
func preset(name, written string) *Value {
	node, _, err := decodeYAML(written)
	if err != nil {
		panic("spec: bad default of " + name + ": " + err.Error())
	}
	from := &origin{set: true, preset: true, source: &source{path: "default:" + written}}
	if node == nil {
		return text("", diag.Pos{}, from)
	}
	c := converter{source: from.source, origin: from, diags: &diag.List{}}
	v := c.value(node, 0)
	v.adopt()
	return v
}

// sectionNames is the keys of sections.
func sectionNames(sections map[string]any) []string {
	names := make([]string, 0, len(sections))
	for name := range sections {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// knownPath follows a --set path through the Go type of its section. Structs know their keys; the names of a map's
// entries are the user's, and must be there already.
func knownPath(v *Value, section any, a argument, steps []string, diags *diag.List) bool {
	t := reflect.TypeOf(section)
	for i, step := range steps[1:] {
		for t != nil && t.Kind() == reflect.Pointer && t != valueType {
			t = t.Elem()
		}
		if t == nil {
			return true
		}
		names, next := v.Names(), reflect.Type(nil)
		switch entries, ok := reflect.New(t).Interface().(named); {
		case ok:
			next = entries.entryType()
		case reflect.PointerTo(t).Implements(reflect.TypeFor[Decoder]()):
			return true
		case t.Kind() == reflect.Map:
			next = t.Elem()
		case t.Kind() == reflect.Struct:
			names = nil
			for _, f := range fieldsOf(t) {
				names = append(names, f.name)
				if f.name == step {
					next = t.FieldByIndex(f.index).Type
				}
			}
		default:
			return true
		}
		if !slices.Contains(names, step) {
			diags.Add(a.step(i+1), BadSet, "%s has no %q%s", strings.Join(steps[:i+1], "."), step, orList(step, names))
			return false
		}
		v, t = v.Get(step), next
	}
	return true
}

// knownKey checks step i of a --set path, a key of a struct; more are keys beside those of the struct.
func knownKey(section any, a argument, steps []string, i int, more []string, diags *diag.List) bool {
	t := pointed(reflect.TypeOf(section))
	if t.Kind() != reflect.Struct || fieldOf(t, steps[i]) != nil {
		return true
	}
	names := slices.Clone(more)
	for _, f := range fieldsOf(t) {
		names = append(names, f.name)
	}
	diags.Add(a.step(i), BadSet, "%s has no %q%s", strings.Join(steps[:i], "."), steps[i], orList(steps[i], names))
	return false
}

// stageKeys is the keys that a stage of any kind has.
func stageKeys() []string {
	names := []string{"uses", "needs", "matrix"}
	for _, f := range fieldsOf(reflect.TypeFor[Handling]()) {
		names = append(names, f.name)
	}
	return names
}

// PresetBy is the path of a key whose default is that text, and that v does not give; empty where there is none. into is what
// v was decoded into.
func PresetBy(into any, v *Value, text string) string {
	return presetBy(reflect.TypeOf(into).Elem(), v, text)
}

func presetBy(t reflect.Type, v *Value, text string) string {
	for _, f := range fieldsOf(t) {
		given := v.Get(f.name)
		if f.hasDefault && given.Absent() && f.preset.Kind == String && f.preset.text == text {
			return f.name
		}
		if inner := t.FieldByIndex(f.index).Type; inner.Kind() == reflect.Struct {
			if path := presetBy(inner, given, text); path != "" {
				return f.name + "." + path
			}
		}
	}
	return ""
}
