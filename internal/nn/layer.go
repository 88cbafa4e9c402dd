package nn

// Layer is a part of a network's description. The layers are those of this package: a layer knows how to write itself
// into a Graph.
type Layer interface {
	// flatten appends the layer's steps, which read x, and returns the value that holds its output.
	flatten(g *Graph, path string, x Value) Value
}

// Sequence runs layers one after the other, without a name of its own.
type Sequence []Layer

// Seq is a Sequence of layers.
func Seq(layers ...Layer) Sequence { return layers }

func (s Sequence) flatten(g *Graph, path string, x Value) Value {
	for _, layer := range s {
		x = layer.flatten(g, path, x)
	}
	return x
}

// Submodule gives a name to a sequence of layers: their names follow it after a dot, and its output can be tapped.
type Submodule struct {
	Name   string
	Layers Sequence
}

// Module names a sequence of layers.
func Module(name string, layers ...Layer) Submodule { return Submodule{Name: name, Layers: layers} }

func (m Submodule) flatten(g *Graph, path string, x Value) Value {
	path = join(path, m.Name)
	x = m.Layers.flatten(g, path, x)
	g.name(path, x)
	return x
}

// Sum adds what its branches make of the same input.
type Sum []Layer

// Residual is main(x) + shortcut(x); the empty Seq() as shortcut is x itself.
func Residual(main, shortcut Layer) Sum { return Sum{main, shortcut} }

func (b Sum) flatten(g *Graph, path string, x Value) Value {
	sum := b[0].flatten(g, path, x)
	for _, branch := range b[1:] {
		sum = g.append("", Add{}, sum, branch.flatten(g, path, x))
	}
	return sum
}

// Concat joins the channels of what its branches make of the same input.
type Concat []Layer

func (c Concat) flatten(g *Graph, path string, x Value) Value {
	var parts []Value
	for _, branch := range c {
		parts = append(parts, branch.flatten(g, path, x))
	}
	return g.append("", Join{}, parts...)
}

// Dense gives each of its layers the channels of its input and of all layers before, and leaves them all, joined.
type Dense []Layer

func (d Dense) flatten(g *Graph, path string, x Value) Value {
	parts := []Value{x}
	for _, layer := range d {
		joined := x
		if len(parts) > 1 {
			joined = g.append("", Join{}, parts...)
		}
		parts = append(parts, layer.flatten(g, path, joined))
	}
	return g.append("", Join{}, parts...)
}

// Gate multiplies its input with what its layers make of it, one factor a channel.
type Gate []Layer

func (m Gate) flatten(g *Graph, path string, x Value) Value {
	return g.append("", Multiply{}, x, Sequence(m).flatten(g, path, x))
}

// Auxiliary is a second classifier that looks on in training (Szegedy et al., 2014, arXiv:1409.4842, section 5): the
// network goes on with the tensor that it reads.
type Auxiliary struct {
	Name   string
	Layers Layer
}

func (a Auxiliary) flatten(g *Graph, path string, x Value) Value {
	before := len(g.Steps)
	g.Auxiliary = Module(a.Name, a.Layers).flatten(g, path, x)
	for i := before; i < len(g.Steps); i++ {
		g.Steps[i].Training = true
	}
	return x
}

func join(path, name string) string {
	if path == "" || name == "" {
		return path + name
	}
	return path + "." + name
}
