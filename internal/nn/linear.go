package nn

import "fmt"

// Linear is x W^T + b, [In] to [Out].
type Linear struct {
	Name    string
	In, Out int
}

func (l Linear) flatten(g *Graph, path string, x Value) Value {
	return g.append(join(path, l.Name), l, x)
}

// Shape is [Out].
func (l Linear) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 1 || in[0][0] != l.In {
		return nil, fmt.Errorf("a linear layer of %d inputs gets %s", l.In, in[0])
	}
	return Shape{l.Out}, nil
}

// Parameters are weight [Out,In] and bias [Out].
func (l Linear) Parameters() []Param {
	return []Param{
		{Name: "weight", Shape: Shape{l.Out, l.In}, Kind: Weight, Init: FanInUniform(l.In)},
		{Name: "bias", Shape: Shape{l.Out}, Kind: Bias, Init: FanInUniform(l.In)},
	}
}

// PointwiseLinear is Linear at each position, [In,H,W] to [Out,H,W].
type PointwiseLinear struct{ Linear }

// Pointwise is a linear layer at each position.
func Pointwise(name string, in, out int) PointwiseLinear {
	return PointwiseLinear{Linear{Name: name, In: in, Out: out}}
}

func (l PointwiseLinear) flatten(g *Graph, path string, x Value) Value {
	return g.append(join(path, l.Name), l, x)
}

// Shape is [Out,H,W].
func (l PointwiseLinear) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 3 || in[0][0] != l.In {
		return nil, fmt.Errorf("a linear layer of %d inputs at each position gets %s", l.In, in[0])
	}
	return Shape{l.Out, in[0][1], in[0][2]}, nil
}
