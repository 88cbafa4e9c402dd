package spec

import (
	"reflect"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Stage is the frame of one entry of `stages`. Whether the kind and the needed stages exist is for the graph to say.
type Stage struct {
	Name   string
	Pos    diag.Pos // of the name
	Uses   *Value   // the kind, a text; nil when it is missing, which was reported
	Needs  []*Value // names of stages, each a text
	Matrix Matrix
	Handling
	Params *Value // a map: all other keys, the kind's own parameters
}

// CheckKeys reports the keys that neither every stage has nor those of its kind, of which params points to the parameters.
func (s Stage) CheckKeys(params any, diags *diag.List) {
	known := stageKeys()
	for _, f := range fieldsOf(reflect.TypeOf(params).Elem()) {
		known = append(known, f.name)
	}
	for _, key := range s.Params.Keys {
		if slices.Contains(known, key.Name) {
			continue
		}
		hint := Suggest(key.Name, known)
		switch {
		case slices.Contains([]string{zipKey, excludeKey, includeKey}, key.Name):
			hint = "; it belongs into matrix, beside the axes"
		case hint == "":
			hint = "; there are: " + strings.Join(known, ", ")
		}
		diags.Add(key.Pos, UnknownKey, "unknown key %q in %s%s", key.Name, s.Params.Path(), hint)
	}
}

// frame reads what every spec has.
func (l *loader) frame(d *Document) {
	root := d.Root
	if root.Get("version") == nil {
		l.diags.Add(diag.Pos{File: d.Path}, Missing, "version: 1 is missing; it says which format the spec is written in")
	}
	d.Title, d.Description = l.text(root, "title"), l.text(root, "description")
	d.Name = l.text(root, "name")
	if v := root.Get("name"); v.Kind == String && notFileName(d.Name) != "" {
		l.diags.Add(v.Pos, BadName, "name: %s becomes the name of a folder: %s", quote(d.Name), notFileName(d.Name))
	}
	if l.Sections != nil {
		known := slices.Concat(frame, sectionNames(l.Sections))
		for _, key := range root.Keys {
			if !slices.Contains(known, key.Name) {
				l.diags.Add(key.Pos, UnknownKey, "unknown key %q in the spec%s", key.Name, orList(key.Name, known))
			}
		}
	}
	stages := root.Get("stages")
	if stages.Absent() || stages.Kind == Invalid {
		return
	}
	if stages.Kind != Map {
		l.diags.Add(stages.Pos, WrongType, "stages: a map of stages is needed, this is %s", describe(stages))
		return
	}
	for i, key := range stages.Keys {
		d.Stages = append(d.Stages, l.stage(key, stages.items[i]))
	}
}

func (l *loader) text(root *Value, key string) string {
	v := root.Get(key)
	if v.Absent() || v.Kind == Invalid {
		return ""
	}
	if v.Kind != String {
		l.diags.Add(v.Pos, WrongType, "%s: text is needed, this is %s", key, describe(v))
		return ""
	}
	return v.text
}

func (l *loader) stage(key Key, v *Value) Stage {
	s := Stage{Name: key.Name, Pos: key.Pos}
	if why := notFileName(key.Name); why != "" {
		l.diags.Add(key.Pos, BadName, "stages: the name %s becomes part of file names: %s", quote(key.Name), why)
	}
	if v.Kind == Invalid {
		s.Params = v
		return s
	}
	if v.Kind != Map {
		l.diags.Add(v.Pos, WrongType, "stages.%s: a map with uses, needs, matrix and the kind's parameters is needed, this is %s", key.Name, describe(v))
		s.Params = &Value{Kind: Invalid, Pos: v.Pos, parent: v.parent, name: v.name}
		return s
	}
	switch uses := v.Get("uses"); {
	case uses.Absent():
		l.diags.Add(key.Pos, Missing, "stages.%s: uses is missing; it says what kind of stage this is", key.Name)
	case uses.Kind == Invalid:
	case uses.Kind != String:
		l.diags.Add(uses.Pos, WrongType, "stages.%s.uses: the name of a kind of stage is needed, this is %s", key.Name, describe(uses))
	default:
		s.Uses = uses
	}
	if needs := v.Get("needs"); !needs.Absent() {
		list := []*Value{needs}
		if needs.Kind == List {
			list = needs.items
		}
		for _, need := range list {
			switch need.Kind {
			case String:
				s.Needs = append(s.Needs, need)
			case Invalid:
			default:
				l.diags.Add(need.Pos, WrongType, "stages.%s.needs: names of stages are needed, this is %s", key.Name, describe(need))
			}
		}
	}
	s.Matrix = l.matrix(v.Get("matrix"))
	for name, into := range map[string]any{"resources": &s.Resources, "retry": &s.Retry, "limits": &s.Limits} {
		if given := v.Get(name); !given.Absent() {
			decode(given, reflect.ValueOf(into).Elem(), rules{}, l.diags)
		}
	}
	s.Params = v.drop("uses", "needs", "matrix", "resources", "retry", "limits")
	return s
}
