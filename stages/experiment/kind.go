package experiment

import (
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Kind is a kind of stage as specs use it.
type Kind struct {
	*pipeline.Stage

	// Params makes a pointer to the kind's parameters, for decoding. A matrix axis sets the parameter of its name.
	Params func() any

	// Each: one node for every node of the stage that it needs, with that one's matrix values before its own. Otherwise a
	// node gathers all nodes of the stages that it needs.
	Each bool

	// Needs lists the kinds of which at least one must be among a stage's needs.
	Needs []string

	// Bind wires the node: its parameters as the worker gets them, its inputs, its cores. Name, Stage and Axes are set.
	Bind func(b *Builder, c *Cell, n *graph.Node)
}

// Cell is one combination of a stage's matrix values.
type Cell struct {
	Stage  string        // the stage's name in the spec
	At     *spec.Value   // the stage in the spec
	Axes   []graph.Axis  // its matrix values
	Params any           // what Kind.Params made, decoded
	Needs  []*graph.Node // nodes of the stages that it needs: one if the kind is Each
}

// Place is where to show a mistake about a parameter: the matrix axis or the key that sets it, else the stage.
func (c *Cell) Place(param string) *spec.Value {
	if v := c.At.Get("matrix").Get(param); v != nil {
		return v
	}
	if v := c.At.Get(param); v != nil {
		return v
	}
	return c.At
}
