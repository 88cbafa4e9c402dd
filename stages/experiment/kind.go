package experiment

import (
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
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
	Axes   []graph.Axis  // its matrix values
	Params any           // what Kind.Params made, decoded
	Needs  []*graph.Node // nodes of the stages that it needs: one if the kind is Each

	stage  stageDecl
	points spec.Cell   // the values of its own matrix
	values *spec.Value // what Params was decoded from
}

// Path is a parameter that names a file or folder: relative to the file that wrote it, if it is relative.
func (c *Cell) Path(param string) string { return c.values.Get(param).Resolve() }

// Value is what a parameter was decoded from; nil where it has its default.
func (c *Cell) Value(param string) *spec.Value { return c.values.Get(param) }

// Place is where to show a mistake about a parameter: the matrix axis or the key that sets it, else the stage.
func (c *Cell) Place(param string) diag.Pos {
	for i, axis := range c.stage.Matrix.Axes {
		if axis.Name == param {
			return c.points[i].Pos
		}
	}
	if v := c.stage.Params.Get(param); v != nil {
		return v.Pos
	}
	return c.stage.Pos
}
