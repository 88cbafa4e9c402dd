package experiment

import (
	"encoding/json"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Weight is what a term of a loss is multiplied with: a number, adaptive, or a number that goes from one to another over the
// first epochs or steps of a training and stays there.
type Weight struct {
	Value    float64 `yaml:"-" json:"-"` // where it is a number alone
	Adaptive bool    `yaml:"-" json:"-"` // where it follows from the terms

	// From is the weight of the first step.
	From float64 `yaml:"from" json:"from" default:"0"`
	// To is the weight when the epochs or steps are over.
	To float64 `yaml:"to" json:"to" default:"1"`
	// Epochs is over how many epochs it goes; it is the same in all steps of an epoch. Either epochs or steps is given.
	Epochs int `yaml:"epochs" json:"epochs,omitempty" min:"0" max:"100000"`
	// Steps is over how many steps it goes.
	Steps int `yaml:"steps" json:"steps,omitempty" min:"0"`
	// Shape is the way from one to the other: a straight line, half a wave of the cosine, or a jump at the end.
	Shape string `yaml:"shape" json:"shape,omitempty" default:"linear" enum:"linear|cosine|step"`
}

// Changes tells whether the weight goes from one number to another.
func (w Weight) Changes() bool { return w.Epochs > 0 || w.Steps > 0 }

const adaptive = "adaptive"

type ramp Weight // without the methods of Weight

// PlainJSON implements store.Plain: a number, "adaptive" or a map.
func (w Weight) PlainJSON() any {
	switch {
	case w.Adaptive:
		return adaptive
	case !w.Changes():
		return w.Value
	}
	return ramp(w)
}

// MarshalJSON implements json.Marshaler.
func (w Weight) MarshalJSON() ([]byte, error) { return json.Marshal(w.PlainJSON()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Weight) UnmarshalJSON(raw []byte) error {
	*w = Weight{}
	switch raw[0] {
	case '{':
		return json.Unmarshal(raw, (*ramp)(w))
	case '"':
		w.Adaptive = true
		return nil
	}
	return json.Unmarshal(raw, &w.Value)
}

// DecodeSpec implements spec.Decoder: a number, adaptive, or a map.
func (w *Weight) DecodeSpec(v *spec.Value, diags *diag.List) {
	*w = Weight{}
	switch v.Kind {
	case spec.Int, spec.Float:
		spec.Decode(v, &w.Value, diags)
	case spec.String:
		if w.Adaptive = v.Text() == adaptive; !w.Adaptive {
			diags.Add(v.Pos, spec.NotAllowed, "%s: %q is not one of a number, adaptive and a map{from, to, epochs or steps, shape}", v.Path(), v.Text())
		}
	default:
		before := diags.Len()
		spec.Decode(v, (*ramp)(w), diags)
		if diags.Len() == before && (w.Epochs > 0) == (w.Steps > 0) {
			diags.Add(v.Pos, spec.NotAllowed, "%s: a weight that changes needs a length: one of epochs and steps, such as {to: 0.5, epochs: 10}", v.Path())
		}
	}
}

// SchemaSpec implements spec.Shaped.
func (*Weight) SchemaSpec(fields spec.Shape) spec.Shape {
	fields["type"] = []string{"object", "number", "string", "null"}
	fields["pattern"] = "^" + adaptive + "$|" + spec.HasExpression
	fields["patternErrorMessage"] = "a number, adaptive or a map is needed, or an expression, ${...}"
	return fields
}

// SpecWords is what the reference calls its type.
func (*Weight) SpecWords() string { return "number, text or map" }
