package nn

import (
	"fmt"
	"slices"
	"strings"
)

// Graph is a network as the list of its operations in the order of execution: what the tree of layers means.
type Graph struct {
	Steps    []Step
	Features Value // what Layers leaves and Mean averages; of an autoencoder, what its decoder leaves, which Logits is too
	Logits   Value // what Head leaves
	// Auxiliary is what the auxiliary classifier leaves; Image where there is none.
	Auxiliary Value

	init    func(Operation, Param) Init
	modules []string // in order of completion
	values  map[string]Value
}

// Value is the number of a tensor in a graph: 0 is the image, i+1 is what Steps[i] computes.
type Value int

// Image is the value that holds the network's input.
const Image Value = 0

// Step is one operation with its place in the network.
type Step struct {
	Name string // the module's full name; "" for operations without one
	Operation
	In []Value
	// Training says that the step is taken in training alone.
	Training bool
}

// Graph writes the network out.
func (n *Network) Graph() *Graph {
	g := &Graph{init: n.Init, values: map[string]Value{}}
	g.Features = n.Layers.flatten(g, "", Image)
	if n.Decoder != nil {
		g.Logits = n.Decoder.attach(g, Shape{3, n.Input.Side, n.Input.Side})
		g.Features = g.Logits
		return g
	}
	x := Mean{}.flatten(g, "", g.Features)
	if n.Neck != nil {
		x = n.Neck.flatten(g, "", x)
	}
	g.Logits = n.Head.flatten(g, "", x)
	return g
}

// append adds an operation and returns the value that it computes.
func (g *Graph) append(name string, op Operation, in ...Value) Value {
	g.Steps = append(g.Steps, Step{Name: name, Operation: op, In: in})
	out := Value(len(g.Steps))
	if name != "" && !ofModule(op) {
		g.name(name, out)
	}
	return out
}

// ofModule says whether an operation's tensors are the own ones of the module around it.
func ofModule(op Operation) bool {
	_, ok := op.(LayerScale)
	return ok
}

func (g *Graph) name(module string, v Value) {
	if _, taken := g.values[module]; taken {
		panic(fmt.Sprintf("nn: two modules are called %s", module))
	}
	g.values[module] = v
	g.modules = append(g.modules, module)
}

// Value finds the output of a module by its full name.
func (g *Graph) Value(module string) (Value, bool) {
	v, ok := g.values[module]
	return v, ok
}

// Modules are the full names of all modules; a module comes after those inside it.
func (g *Graph) Modules() []string { return slices.Clone(g.modules) }

// Shapes are the shapes of all values, by number, for an input of the given shape.
func (g *Graph) Shapes(image Shape) ([]Shape, error) {
	shapes, place := []Shape{image}, "the input"
	for _, step := range g.Steps {
		in := make([]Shape, len(step.In))
		for i, v := range step.In {
			in[i] = shapes[v]
		}
		if step.Name != "" {
			place = step.Name
		}
		out, err := step.Shape(in...)
		if err != nil {
			return nil, fmt.Errorf("at %s: %w", place, err)
		}
		shapes = append(shapes, out)
	}
	return shapes, nil
}

// Parameters lists the tensors that the operations keep, by full name, in order.
func (g *Graph) Parameters() []Param {
	all, _ := g.Layout()
	return all
}

// Layout lists the tensors that the operations keep, by full name, in PyTorch's order: that of the operations, but a
// module's own come before those of the modules in it. first is, by step, the index of its first tensor.
func (g *Graph) Layout() (all []Param, first []int) {
	var order []int // of the steps
	for i, step := range g.Steps {
		at := len(order)
		if ofModule(step.Operation) {
			at = slices.IndexFunc(order, func(j int) bool { return strings.HasPrefix(g.Steps[j].Name, step.Name+".") })
		}
		order = slices.Insert(order, at, i)
	}
	first = make([]int, len(g.Steps))
	for _, i := range order {
		first[i] = len(all)
		step := g.Steps[i]
		for _, p := range step.Parameters() {
			p.Name = join(step.Name, p.Name)
			if g.init != nil {
				p.Init = g.init(step.Operation, p)
			}
			all = append(all, p)
		}
	}
	return all, first
}

// LastUse is, for each value, the index of the last step that reads it; -1 where none does.
func (g *Graph) LastUse() []int {
	last := make([]int, len(g.Steps)+1)
	for v := range last {
		last[v] = -1
	}
	for i, step := range g.Steps {
		for _, v := range step.In {
			last[v] = i
		}
	}
	return last
}

// InPlace says for each step whether it may write its result over its first input, when the values in keep must survive
// as they are. It may where nobody else reads that input, now or in the backward pass: it is not the image, it is not
// kept, this step is its only reader, and the operation that made it does not need its own result for the gradient.
func (g *Graph) InPlace(keep ...Value) []bool {
	readers := make([]int, len(g.Steps)+1)
	for _, step := range g.Steps {
		for _, v := range step.In {
			readers[v]++
		}
	}
	inPlace := make([]bool, len(g.Steps))
	for i, step := range g.Steps {
		target := step.In[0]
		if target == Image || readers[target] > 1 || slices.Contains(keep, target) {
			continue
		}
		inPlace[i] = overwrites(step.Operation) && overwritable(g.Steps[target-1].Operation)
	}
	return inPlace
}

// overwrites says whether an operation has an in-place form whose gradient does not need the input.
func overwrites(op Operation) bool {
	switch op.(type) {
	case ReLU, Add:
		return true
	}
	return false
}

// overwritable says whether an operation's gradient does without the operation's result.
func overwritable(op Operation) bool {
	switch op.(type) {
	case Conv2d, BatchNorm2d, Linear, Add, Join:
		return true
	}
	return false
}
