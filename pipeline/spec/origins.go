package spec

import (
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Origin says where one leaf of a resolved document comes from: a scalar, or an empty list or map.
type Origin struct {
	Path  string // as --set writes it
	Value *Value
	Place Place
}

// Place is where a value was written.
type Place struct {
	Pos     diag.Pos // of the value, or of the expression that made it; in an argument of --set, the File is the argument
	Default bool     // nobody wrote it
	Profile string   // the profile that it is part of
	Via     []Via    // what the expression used, in its order
}

// Via is a parameter ("params.seeds") or an environment variable ("env(DATA)", which has no place) that an expression
// used.
type Via struct {
	Name  string
	Place Place
}

// Origins lists every leaf of the document in its order, and the defaults of those keys that are not given. sections
// are the Go types of the top-level keys, as in Options; a kind of stage that is used but has no section of its own
// gets its defaults in front of the stages.
func (d *Document) Origins(sections map[string]any) []Origin {
	t := &tracer{}
	root := d.Root
	for i, key := range root.Keys {
		switch section, known := sections[key.Name]; {
		case key.Name == "stages":
			d.traceUnwritten(t, sections)
			d.traceStages(t, sections)
		case known:
			t.typed(key.Name, root.items[i], nil, reflect.TypeOf(section), false)
		default:
			t.leaves(key.Name, root.items[i])
		}
	}
	return t.all
}

// traceUnwritten lists the defaults of kinds that stages use and that have no section.
func (d *Document) traceUnwritten(t *tracer, sections map[string]any) {
	var done []string
	for _, s := range d.Stages {
		kind := s.Uses.Text()
		section, known := sections[kind]
		if !known || slices.Contains(done, kind) || d.Root.Get(kind) != nil {
			continue
		}
		done = append(done, kind)
		t.structure(kind, nil, nil, pointed(reflect.TypeOf(section)), false)
	}
}

func (d *Document) traceStages(t *tracer, sections map[string]any) {
	handling := reflect.TypeFor[Handling]()
	stages := d.Root.Get("stages")
	if stages.Len() == 0 {
		t.leaf("stages", stages)
	}
	for _, stage := range stages.List() {
		path := "stages." + stage.name
		kind := stage.Get("uses").Text()
		section, known := sections[kind]
		if stage.Kind != Map || !known {
			t.leaves(path, stage)
			continue
		}
		for i, key := range stage.Keys {
			item, below := stage.items[i], d.Root.Get(kind).Get(key.Name)
			if f := fieldOf(handling, key.Name); f != nil {
				t.typed(path+"."+key.Name, item, nil, handling.FieldByIndex(f.index).Type, false)
			} else if f := fieldOf(pointed(reflect.TypeOf(section)), key.Name); f != nil {
				t.typed(path+"."+key.Name, item, below, pointed(reflect.TypeOf(section)).FieldByIndex(f.index).Type, true)
			} else {
				t.leaves(path+"."+key.Name, item)
			}
		}
	}
}

// tracer collects origins.
type tracer struct{ all []Origin }

func (t *tracer) leaf(path string, v *Value) {
	t.all = append(t.all, Origin{Path: path, Value: v, Place: v.place()})
}

// leaves lists v, whose type is not known.
func (t *tracer) leaves(path string, v *Value) {
	if len(v.items) == 0 {
		t.leaf(path, v)
		return
	}
	for _, item := range v.items {
		t.leaves(path+"."+item.name, item)
	}
}

// typed lists v, which is decoded as a value of the type. below is what stands at this key of the section that v, part
// of a stage, is laid over. covered tells that the defaults of a struct at this place are listed with the section.
func (t *tracer) typed(path string, v, below *Value, of reflect.Type, covered bool) {
	if of.Kind() == reflect.Pointer && of != valueType {
		covered = covered && !below.Absent()
		of = of.Elem()
	}
	decoder := reflect.PointerTo(of).Implements(reflect.TypeFor[Decoder]())
	made := reflect.New(of).Interface()
	switch list, isEntries := made.(entries); {
	case v.Absent() || len(v.items) == 0 && v.Kind != Map:
		t.leaf(path, v)
	case isEntries:
		item := of.Elem()
		if e, ok := list.(named); ok {
			item = e.entryType()
		} else if v.Kind != List {
			t.typed(path, v, nil, item, false)
			return
		}
		t.each(path, v, below, item)
	case decoder || of == valueType:
		t.leaves(path, v)
	case of.Kind() == reflect.Struct && v.Kind == Map:
		t.structure(path, v, below, of, covered)
	case (of.Kind() == reflect.Slice || of.Kind() == reflect.Map) && len(v.items) > 0:
		t.each(path, v, below, of.Elem())
	default:
		t.leaves(path, v)
	}
}

func (t *tracer) each(path string, v, below *Value, of reflect.Type) {
	if len(v.items) == 0 {
		t.leaf(path, v)
	}
	for _, item := range v.items {
		var under *Value
		if v.Kind == Map {
			under = below.Get(item.name)
		}
		t.typed(path+"."+item.name, item, under, of, !under.Absent())
	}
}

// structure lists the keys of a struct: those given in their order, then the defaults.
func (t *tracer) structure(path string, v, below *Value, of reflect.Type, covered bool) {
	for i, key := range v.keys() {
		if f := fieldOf(of, key.Name); f != nil {
			t.typed(path+"."+key.Name, v.items[i], below.Get(key.Name), of.FieldByIndex(f.index).Type, covered)
		} else {
			t.leaves(path+"."+key.Name, v.items[i])
		}
	}
	for _, f := range fieldsOf(of) {
		if covered || !v.Get(f.name).Absent() {
			continue
		}
		field := of.FieldByIndex(f.index).Type
		switch {
		case f.hasDefault:
			t.typed(path+"."+f.name, f.preset, nil, field, false)
		case field.Kind() == reflect.Struct && !reflect.PointerTo(field).Implements(reflect.TypeFor[Decoder]()):
			t.structure(path+"."+f.name, nil, nil, field, false)
		}
	}
}

func fieldOf(t reflect.Type, name string) *field {
	fields := fieldsOf(t)
	if i := slices.IndexFunc(fields, func(f field) bool { return f.name == name }); i >= 0 {
		return &fields[i]
	}
	return nil
}

func pointed(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// place is where v was written.
func (v *Value) place() Place {
	p := Place{Pos: v.Pos}
	writer := v.origin
	if v.made != nil {
		writer = v.made.by
		for _, u := range v.made.of {
			via := Via{Name: u.name}
			if u.value != nil {
				via.Place = u.value.place()
			}
			if !slices.ContainsFunc(p.Via, func(have Via) bool { return have.Name == via.Name }) {
				p.Via = append(p.Via, via)
			}
		}
	}
	if writer != nil {
		p.Default, p.Profile = writer.preset, writer.profile
	}
	if p.Default {
		p.Pos = diag.Pos{}
	}
	return p
}

// Brief is the value in one line of YAML.
func (v *Value) Brief() string {
	n := node(v)
	n.Style = yaml.FlowStyle
	raw, err := yaml.Marshal(n)
	line := strings.TrimSuffix(string(raw), "\n")
	if err != nil || strings.Contains(line, "\n") {
		n.Style = yaml.DoubleQuotedStyle
		raw, _ = yaml.Marshal(n)
		line = strings.ReplaceAll(strings.TrimSuffix(string(raw), "\n"), "\n", " ")
	}
	return line
}
