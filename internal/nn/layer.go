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

func join(path, name string) string {
	if path == "" || name == "" {
		return path + name
	}
	return path + "." + name
}
