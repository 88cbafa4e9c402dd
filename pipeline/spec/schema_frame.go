package spec

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/expression"
)

// What frame, declared, matrix, extended and profile read by hand, as shapes.

const (
	// fileNames is what notFileName allows of ASCII, by what it does not: there is no way to write letters of all scripts that
	// the regular expressions of Go, Python and JavaScript share.
	fileNames   = "^[" + nameless + "]+$"
	nameless    = `^\x00-*,/:-@\[-\^` + "`" + `{-\x7f`
	identifiers = `^[A-Za-z_][A-Za-z0-9_]*$`
)

// root is a whole file.
func (w *schemaWriter) root() Shape {
	own := w.changeable()
	own["version"] = described(Shape{"const": 1}, "The format of the file: 1.")
	own["name"] = described(orExpression(fileNamed()), "The name of the run's folder below runs; without it, that of the file.")
	own["extends"] = described(w.extends(), "Files that this one is laid over, first to last: maps merge, everything else is replaced. Paths are relative to this file.")
	own["profile"] = described(anyText(), "The profile that is taken where --profile names none, or an expression that chooses one.")
	w.defs["profile"] = w.object("#/$defs/profile", w.inProfile())
	profiles := Shape{"type": []string{"object", "null"}}
	profiles["additionalProperties"] = Shape{"$ref": "#/$defs/profile"}
	profiles["propertyNames"] = Shape{"pattern": `[^+!]!?$`}
	own["profiles"] = described(profiles, "Named sets of changes, one of which is laid over the spec; the first is the main one.")
	s := w.object("#", own)
	s["type"] = "object"
	delete(s, "pattern")
	delete(s, "patternErrorMessage")
	s["title"] = "A spec of cyborg-run"
	s["if"] = Shape{
		"required": []string{"name", "stages"},
		"not":      Shape{"anyOf": []Shape{{"required": []string{"extends"}}, {"required": []string{"profiles"}}}},
	}
	s["then"] = Shape{"$ref": "#/$defs/whole"}
	w.defs["whole"] = w.whole()
	return s
}

// changeable is the keys that a profile may have too.
func (w *schemaWriter) changeable() Shape {
	w.defs["stages"] = w.stages()
	out := Shape{
		"title":       described(anyText(), "The heading of the report."),
		"description": described(anyText(), "What the experiment is for; it stands in the report."),
		"params":      described(w.params(), "Values that --set and profiles change, each a bare default or {default, help}; ${name} stands for one."),
		"stages":      described(Shape{"$ref": "#/$defs/stages"}, "The steps by names of yours: what each uses, what it needs, and its parameters."),
	}
	for _, name := range sectionNames(w.Sections) {
		t := reflect.TypeOf(w.Sections[name])
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		s := w.of(t, rules{})
		if slices.Contains(w.Kinds, name) {
			s = described(s, "What all stages that use "+name+" have in common; a stage's own keys are laid over it.")
		}
		out[name] = s
	}
	return out
}

// inProfile is what a profile may change; there, parameters are values only.
func (w *schemaWriter) inProfile() Shape {
	own := Shape{}
	for name := range w.changeable() {
		own[name] = Shape{"$ref": "#/properties/" + name}
	}
	own["params"] = Shape{"type": []string{"object", "null"}}
	return own
}

func described(s Shape, text string) Shape {
	s["description"] = text
	return s
}

// anyText is any text, or nothing.
func anyText() Shape { return Shape{"type": []string{"string", "null"}} }

// fileNamed is a text that can stand in the name of a file, see fileName.
func fileNamed() Shape {
	return Shape{"type": "string", "pattern": fileNames, "maxLength": maxName, "not": Shape{"enum": []string{".", ".."}}}
}

func (w *schemaWriter) extends() Shape {
	path := Shape{"type": "string", "minLength": 1, "not": Shape{"pattern": `\$\{`}}
	return Shape{"anyOf": []Shape{path, {"type": []string{"array", "null"}, "items": path}}}
}

func (w *schemaWriter) params() Shape {
	return Shape{
		"type": []string{"object", "null"},
		"propertyNames": Shape{"pattern": strings.TrimSuffix(identifiers, "$") + "[+!]?$",
			"not": Shape{"pattern": "^(" + strings.Join(expression.Reserved, "|") + ")[+!]?$"}},
		"patternProperties": Shape{`\+$`: Shape{"type": "array"}},
		"additionalProperties": Shape{
			"properties": Shape{
				"default": described(Shape{}, "The value where none is given; an expression may use other parameters."),
				"help":    Shape{"type": "string", "description": "What it is for."},
			},
			"patternProperties":    Shape{"^default[+!]$": Shape{}, "^help!$": Shape{"type": "string"}},
			"additionalProperties": false,
		},
	}
}

func (w *schemaWriter) stages() Shape {
	s := or("object")
	s["propertyNames"] = Shape{"pattern": "^[" + nameless + "]*[" + nameless + `+]!?$`,
		"anyOf": []Shape{{"maxLength": maxName}, {"pattern": "!$", "maxLength": maxName + 1}},
		"not":   Shape{"pattern": `^\.\.?!?$`}}
	s["additionalProperties"] = Shape{"$ref": "#/$defs/stage"}
	w.stage()
	return s
}

// stage keeps the shape of a stage, and one for each kind.
func (w *schemaWriter) stage() {
	frame := w.stageFrame()
	properties := maps.Clone(frame)
	properties["uses!"] = frame["uses"] // the kinds' own shapes, below, are asked of what is a kind
	s := Shape{"type": []string{"object", "string", "null"}, "pattern": isExpression, "properties": properties}
	if len(w.Kinds) == 0 {
		w.defs["stage"] = s
		return
	}
	var cases []Shape
	all := maps.Clone(frame)
	for _, kind := range w.Kinds {
		t := reflect.TypeOf(w.Sections[kind]).Elem()
		keys := Shape{}
		for name := range frame {
			keys[name] = Shape{"$ref": "#/$defs/stage/properties/" + name}
		}
		w.reference(t)
		for _, f := range fieldsOf(t) {
			keys[f.name] = Shape{"$ref": "#/$defs/" + typeName(t) + "/properties/" + f.name}
			all[f.name] = true
		}
		keys["matrix"] = w.axes(t)
		at := "stage." + kind
		w.defs[at] = w.object("#/$defs/"+at, keys)
		cases = append(cases, Shape{"if": usesKind(kind), "then": Shape{"$ref": "#/$defs/" + at}})
	}
	var names []string
	for name := range all {
		names = append(names, regexp.QuoteMeta(name))
	}
	slices.Sort(names)
	s["if"] = Shape{"anyOf": []Shape{{"required": []string{"uses"}}, {"required": []string{"uses!"}}}}
	s["else"] = Shape{"propertyNames": Shape{"pattern": "^(" + strings.Join(names, "|") + ")[+!]?$"}} // some kind's
	s["allOf"] = cases
	w.defs["stage"] = s
}

func usesKind(kind string) Shape {
	has := func(key string) Shape {
		return Shape{"required": []string{key}, "properties": Shape{key: Shape{"const": kind}}}
	}
	return Shape{"anyOf": []Shape{has("uses"), has("uses!")}}
}

// stageFrame is the keys that every stage may have.
func (w *schemaWriter) stageFrame() Shape {
	uses := anyText()
	if len(w.Kinds) > 0 {
		uses = orExpression(Shape{"enum": w.Kinds})
	}
	need := Shape{"type": "string"}
	s := w.fields(reflect.TypeFor[Handling]())
	s["uses"] = described(uses, "The kind of stage.")
	s["needs"] = described(Shape{"anyOf": []Shape{need, {"type": []string{"array", "null"}, "items": need}}}, "The stages that must be done before, by name: one, or a list.")
	s["matrix"] = described(w.matrix(), "Axes, each a parameter with the values that it takes in turn: a list, or a whole number n for 1 to n. The stage is done for each combination.")
	return s
}

// matrix is the axes of a stage and how they are combined.
func (w *schemaWriter) matrix() Shape {
	value := Shape{"type": []string{"string", "number", "boolean"}, "pattern": fileNames + "|" + HasExpression, "maxLength": maxName, "not": Shape{"enum": []string{".", ".."}}}
	values := maps.Clone(value)
	values["type"], values["items"] = []string{"string", "number", "boolean", "array"}, value
	axis := maps.Clone(values)
	axis["minItems"], axis["uniqueItems"] = 1, true
	axis["if"], axis["then"] = Shape{"type": "integer"}, Shape{"minimum": 1, "maximum": maxCells}

	name := Shape{"type": "string"}
	group := Shape{"type": "array", "items": name, "minItems": 2, "uniqueItems": true}
	zip := Shape{"anyOf": []Shape{group, {"type": "array", "items": group}, {"type": "string", "pattern": isExpression}, {"type": "null"}}}
	combinations := func(of Shape) Shape {
		s := or("array")
		s["items"] = Shape{"type": []string{"object", "string"}, "pattern": isExpression, "minProperties": 1, "additionalProperties": of}
		return s
	}
	s := w.object("#/$defs/matrix", Shape{
		zipKey:     described(zip, "Axes that advance together, [arch, side], or a list of such lists."),
		excludeKey: described(combinations(values), "Combinations that are left out: those that have all the given values, [{loss: a, seed: [1, 2]}]."),
		includeKey: described(combinations(value), "Combinations to add, with a value for every axis."),
	})
	s["propertyNames"] = Shape{"pattern": strings.TrimSuffix(identifiers, "$") + "[+!]?$"}
	s["allOf"] = []Shape{{"patternProperties": Shape{`\+$`: Shape{"type": "array"}}}}
	s["additionalProperties"] = axis
	w.defs["matrix"] = s
	return Shape{"$ref": "#/$defs/matrix"}
}

// SchemaSpec implements Shaped.
func (b *Bytes) SchemaSpec(Shape) Shape {
	return orExpression(Shape{"type": "string", "pattern": `^([0-9]+\.?[0-9]*|\.[0-9]+) ?([TGMK]i|[TGMk])?B$`})
}
