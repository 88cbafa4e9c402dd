package nn

import "fmt"

// BatchNorm2d normalises each channel over the batch and the plane (Ioffe and Szegedy, 2015, arXiv:1502.03167), and
// keeps running statistics for evaluation: running = (1-Momentum) running + Momentum batch.
type BatchNorm2d struct {
	Name          string
	Channels      int
	Momentum, Eps float64
}

// BatchNorm is a batch norm with PyTorch's defaults.
func BatchNorm(name string, channels int) BatchNorm2d {
	return BatchNorm2d{Name: name, Channels: channels, Momentum: 0.1, Eps: 1e-5}
}

func (b BatchNorm2d) flatten(g *Graph, path string, x Value) Value {
	return g.append(join(path, b.Name), b, x)
}

// Shape is the input's.
func (b BatchNorm2d) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 3 || in[0][0] != b.Channels {
		return nil, fmt.Errorf("a batch norm of %d channels gets %s", b.Channels, in[0])
	}
	return in[0], nil
}

// Parameters are weight, bias, running_mean and running_var [Channels], and the counter num_batches_tracked.
func (b BatchNorm2d) Parameters() []Param {
	shape := Shape{b.Channels}
	return []Param{
		{Name: "weight", Shape: shape, Kind: Weight, Init: Ones},
		{Name: "bias", Shape: shape, Kind: Bias, Init: Zeros},
		{Name: "running_mean", Shape: shape, Kind: Buffer, Init: Zeros},
		{Name: "running_var", Shape: shape, Kind: Buffer, Init: Ones},
		{Name: "num_batches_tracked", Shape: Shape{}, Kind: Counter, Init: Zeros},
	}
}

// LayerNorm normalises the channels of each position (Ba et al., 2016, arXiv:1607.06450), of [C,H,W] or of [C].
type LayerNorm struct {
	Name     string
	Channels int
	Eps      float64
}

func (l LayerNorm) flatten(g *Graph, path string, x Value) Value {
	return g.append(join(path, l.Name), l, x)
}

// Shape is the input's.
func (l LayerNorm) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 1 && len(in[0]) != 3 || in[0][0] != l.Channels {
		return nil, fmt.Errorf("a layer norm of %d channels gets %s", l.Channels, in[0])
	}
	return in[0], nil
}

// Parameters are weight and bias [Channels].
func (l LayerNorm) Parameters() []Param {
	shape := Shape{l.Channels}
	return []Param{{Name: "weight", Shape: shape, Kind: Weight, Init: Ones}, {Name: "bias", Shape: shape, Kind: Bias, Init: Zeros}}
}
