package experiment

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// FirstPort is the input of a training with the first weights that another stage of the spec made.
const FirstPort = "init"

// Pretraining is the kind whose weights are those of an encoder: all of a network's but its neck's and head's.
const Pretraining = "pretrain"

// First makes the weights of the stage that init names an input of a node: those of its node that has the same values on the
// axes that both have. network is what they go into. Without a stage it does nothing.
func (b *Builder) First(c *Cell, n *graph.Node, init Init, network *nn.Network) {
	if init.Stage == "" {
		return
	}
	at := b.initPlace(c)
	if !b.firstStage(n, at, init.Stage) {
		return
	}
	made := b.made[init.Stage]
	fitting := slices.DeleteFunc(slices.Clone(made), func(m *graph.Node) bool { return !agree(m.Axes, n.Axes) })
	switch {
	case len(made) == 0: // its own mistakes were reported
	case len(fitting) == 0:
		b.Diags.Add(at, spec.BadMatrix, "model.init: none of the %d nodes of the stage %q has the axes of %s; give both stages the same values", len(made), init.Stage, n.Name)
	case len(fitting) > 1:
		b.Diags.Add(at, spec.BadMatrix, "model.init: %d nodes of the stage %q could be where %s starts, such as %s and %s; give this stage the axis in which they differ, or take it from that one",
			len(fitting), init.Stage, n.Name, fitting[0].Name, fitting[1].Name)
	default:
		if err := b.fits(fitting[0], init, network); err != nil {
			b.Diags.Add(at, spec.NotAllowed, "model.init: the weights of %s do not fit: %v", fitting[0].Name, err)
			return
		}
		n.Needs = append(n.Needs, graph.Edge{Port: FirstPort, From: fitting[0], Output: "final.pth"})
	}
}

// initPlace is where the spec says where a cell's training starts.
func (b *Builder) initPlace(c *Cell) diag.Pos {
	if c.stage.Params.Get("init") == nil {
		if v := b.doc.Root.Get("model").Get("init"); !v.Absent() {
			return v.Pos
		}
	}
	return c.Place("init")
}

// firstStage builds the stage that first weights come from, or says why they cannot.
func (b *Builder) firstStage(n *graph.Node, at diag.Pos, name string) bool {
	switch uses := b.uses(name); {
	case uses == "":
		var names []string
		for _, s := range b.doc.Stages {
			names = append(names, s.Name)
		}
		b.Diags.Add(at, spec.UnknownStage, "model.init: %q is not a stage%s; there are: %s", name, spec.Suggest(name, names), strings.Join(names, ", "))
		return false
	case !b.hasKind(name): // reported
		return false
	case uses != "train" && uses != Pretraining:
		b.Diags.Add(at, spec.NotAllowed, "model.init: the stage %q uses %s; first weights come from one that uses train or %s", name, uses, Pretraining)
		return false
	case !b.build(name):
		b.Diags.Add(at, spec.StageCycle, "model.init: %s starts from the stage %q, which starts from it or needs it, a circle; give the stage that comes first an init of its own: {uses: train, init: ''}",
			n.Name, name)
		return false
	}
	return true
}

// agree tells whether two nodes have the same value on each axis that both have.
func agree(a, b []graph.Axis) bool {
	for _, one := range a {
		if slices.ContainsFunc(b, func(other graph.Axis) bool { return other.Name == one.Name && other.Value != one.Value }) {
			return false
		}
	}
	return true
}

// fits compares the tensors of a node's weights with those of the network that starts from them. Of a network in TorchScript
// nothing is known before it runs.
func (b *Builder) fits(from *graph.Node, init Init, network *nn.Network) error {
	trained, ok := from.Params.(WithNetwork)
	if !ok {
		return nil
	}
	source, ok := b.network(trained.Network().Model.Arch)
	if !ok || source.Script != nil || network.Script != nil {
		return nil
	}
	given, what := source.Parameters(), source.Name
	if from.Stage.Kind == Pretraining {
		given, what = source.Encoder(), "the encoder of "+what
	}
	shapes := map[string]nn.Shape{}
	for _, p := range given {
		shapes[p.Name] = p.Shape
	}
	excepted := func(name string) bool {
		return slices.ContainsFunc(init.Except, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok })
	}
	problem := func(name, what string) error {
		return fmt.Errorf("tensor %s %s; the same network is needed, but for what `except` names, such as %s.*", name, what, network.Head.Name)
	}
	for _, p := range network.Parameters() {
		shape, there := shapes[p.Name]
		delete(shapes, p.Name)
		switch {
		case excepted(p.Name):
		case !there:
			return problem(p.Name, "of "+network.Name+" is not in "+what)
		case !shape.Equal(p.Shape):
			return problem(p.Name, fmt.Sprintf("is %s in %s, %s in %s", shape, what, p.Shape, network.Name))
		}
	}
	for _, p := range given {
		if _, left := shapes[p.Name]; left && !excepted(p.Name) {
			return problem(p.Name, "of "+what+" is not in "+network.Name)
		}
	}
	return nil
}
