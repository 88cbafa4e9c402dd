package report

import (
	_ "embed" // the section
	"encoding/json"

	"github.com/cyborg-run/cyborg-run/internal/results"
)

//go:embed annotators.html
var annotatorsText string

// Annotators is what a stage that makes maps of annotations found out of who made them.
type Annotators struct {
	*results.Annotators
	Node      string
	Simulated bool // no person made them
}

// annotators is a row of the section on them.
type annotators struct {
	Annotators
	Measures []*annotatorsCell // nil: not defined
}

// annotatorsCell is a measure, and over how many images it was taken.
type annotatorsCell struct {
	Value  float64
	Images int
}

func newAnnotators(all []Annotators) (out []annotators) {
	for _, a := range all {
		out = append(out, annotators{a, []*annotatorsCell{newAnnotatorsCell(a.CC, a.Images), newAnnotatorsCell(a.IoU, a.Images), newAnnotatorsCell(a.Kappa, a.Rated)}})
	}
	return out
}

func newAnnotatorsCell(n *json.Number, images int) *annotatorsCell {
	if n == nil {
		return nil
	}
	v, err := n.Float64()
	if err != nil {
		return nil
	}
	return &annotatorsCell{v, images}
}
