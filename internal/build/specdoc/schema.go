package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages"
)

// schemaPage is the place of the JSON Schema below the module's root.
const schemaPage = "specs/cyborg-run.schema.json"

// schema is the text of the JSON Schema, with what the comments say as descriptions.
func schema(root string) ([]byte, error) {
	s := newSource(root, module)
	var failed error
	keep := func(text string, err error) string {
		failed = errors.Join(failed, err)
		return text
	}
	o := spec.SchemaOptions{
		Sections: stages.Sections(),
		TypeDoc:  func(t reflect.Type) string { return keep(s.typeDoc(t)) },
		FieldDoc: func(t reflect.Type, f reflect.StructField) string { return keep(s.fieldDoc(t, f)) },
	}
	for _, kind := range stages.Kinds() {
		o.Kinds = append(o.Kinds, kind.Kind)
	}
	made := spec.Schema(o)
	if failed != nil {
		return nil, failed
	}
	return written(made)
}

// written is a schema as a file, its head first.
func written(s spec.Shape) ([]byte, error) {
	head := []string{"$schema", "title", "type", "properties", "patternProperties", "additionalProperties", "if", "then", "$defs"}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if !slices.Contains(head, key) {
			head = append(head, key)
		}
	}
	var out bytes.Buffer
	out.WriteString("{")
	between := "\n"
	for _, key := range head {
		var value bytes.Buffer
		encoder := json.NewEncoder(&value)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("  ", "  ")
		if err := encoder.Encode(s[key]); err != nil {
			return nil, err
		}
		out.WriteString(between + `  "` + key + `": `)
		out.Write(bytes.TrimSpace(value.Bytes()))
		between = ",\n"
	}
	out.WriteString("\n}\n")
	return out.Bytes(), nil
}
