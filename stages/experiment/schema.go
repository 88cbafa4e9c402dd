package experiment

import (
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// What the types of this package ask beyond the tags of their fields, as JSON Schema says it.

// SchemaSpec implements spec.Shaped: a name alone, or a map.
func (*Arch) SchemaSpec(fields spec.Shape) spec.Shape {
	name := spec.Shape{"anyOf": []spec.Shape{{"enum": nn.Names()}, {"type": []string{"string", "null"}, "pattern": spec.HasExpression}}}
	delete(fields, "pattern")
	delete(fields, "patternErrorMessage")
	fields["properties"].(spec.Shape)["name"] = name
	fields["if"], fields["then"] = spec.Shape{"type": "string"}, name
	return fields
}

// SchemaSpec implements spec.Shaped: a path or a published name alone, or a map.
func (*Init) SchemaSpec(fields spec.Shape) spec.Shape {
	delete(fields, "pattern")
	delete(fields, "patternErrorMessage")
	return fields
}
