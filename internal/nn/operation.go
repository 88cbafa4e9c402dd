package nn

import "fmt"

// Operation computes one tensor from one or more.
type Operation interface {
	// Shape is the output's shape for inputs of these shapes; an error says what does not fit.
	Shape(in ...Shape) (Shape, error)
	// Parameters lists what the operation learns or keeps, under names relative to its own.
	Parameters() []Param
}

// Window is how a convolution or a pooling walks over its input; each pair is (vertical, horizontal).
type Window struct {
	Kernel, Stride, Padding, Dilation [2]int
}

// slide is the output's height and width: floor((size + 2 padding - dilation (kernel-1) - 1) / stride) + 1.
func (w Window) slide(in Shape) (height, width int, err error) {
	var out [2]int
	for i, size := range in[1:] {
		room := size + 2*w.Padding[i] - w.Dilation[i]*(w.Kernel[i]-1) - 1
		if room < 0 {
			return 0, 0, fmt.Errorf("a window of %d x %d does not fit into %s", w.Kernel[0], w.Kernel[1], in)
		}
		out[i] = room/w.Stride[i] + 1
	}
	return out[0], out[1], nil
}

// Option changes a window or a convolution.
type Option func(*Conv2d)

// Kernel sets a square kernel; the default is 1 x 1.
func Kernel(k int) Option { return func(c *Conv2d) { c.Kernel = [2]int{k, k} } }

// Stride sets both strides; the default is 1.
func Stride(s int) Option { return func(c *Conv2d) { c.Stride = [2]int{s, s} } }

// Padding sets both paddings; the default keeps the size at stride 1: dilation (kernel-1) / 2.
func Padding(p int) Option { return func(c *Conv2d) { c.Padding = [2]int{p, p} } }

// Dilation sets both dilations; the default is 1.
func Dilation(d int) Option { return func(c *Conv2d) { c.Dilation = [2]int{d, d} } }

// Groups splits the channels; the default is 1, and as many as there are input channels is a depthwise convolution.
func Groups(n int) Option { return func(c *Conv2d) { c.Groups = n } }

// WithBias adds a bias to each output channel; the default has none, because a batch norm follows.
func WithBias() Option { return func(c *Conv2d) { c.Bias = true } }

// Conv2d is a two-dimensional convolution, [In,H,W] to [Out,H',W'].
type Conv2d struct {
	Name    string
	In, Out int
	Window
	Groups int
	Bias   bool
}

// Conv is a convolution from in to out channels.
func Conv(name string, in, out int, options ...Option) Conv2d {
	const auto = -1
	c := Conv2d{Name: name, In: in, Out: out, Groups: 1, Window: Window{
		Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Padding: [2]int{auto, auto}}}
	for _, option := range options {
		option(&c)
	}
	for i, p := range c.Padding {
		if p == auto {
			c.Padding[i] = c.Dilation[i] * (c.Kernel[i] - 1) / 2
		}
	}
	return c
}

func (c Conv2d) flatten(g *Graph, path string, x Value) Value {
	return g.append(join(path, c.Name), c, x)
}

// Shape is [Out,H',W'].
func (c Conv2d) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 3 || in[0][0] != c.In {
		return nil, fmt.Errorf("a convolution of %d channels gets %s", c.In, in[0])
	}
	h, w, err := c.slide(in[0])
	return Shape{c.Out, h, w}, err
}

// Parameters are weight [Out, In/Groups, kernel height, kernel width] and, with Bias, bias [Out].
func (c Conv2d) Parameters() []Param {
	shape := Shape{c.Out, c.In / c.Groups, c.Kernel[0], c.Kernel[1]}
	weight := Param{Name: "weight", Shape: shape, Kind: Weight, Init: KaimingNormal(c.Out * c.Kernel[0] * c.Kernel[1])}
	if !c.Bias {
		return []Param{weight}
	}
	return []Param{weight, {Name: "bias", Shape: Shape{c.Out}, Kind: Bias, Init: FanInUniform(shape[1] * shape[2] * shape[3])}}
}

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

// ReLU is max(x, 0).
type ReLU struct{}

func (r ReLU) flatten(g *Graph, _ string, x Value) Value { return g.append("", r, x) }

// Shape is the input's.
func (r ReLU) Shape(in ...Shape) (Shape, error) { return in[0], nil }

// Parameters are none.
func (r ReLU) Parameters() []Param { return nil }

// MaxPool2d is the maximum over a sliding window.
type MaxPool2d struct{ Window }

// MaxPool is a pooling with a square kernel; its options are those of Conv that concern the window.
func MaxPool(kernel int, options ...Option) MaxPool2d {
	return MaxPool2d{Conv("", 0, 0, append([]Option{Kernel(kernel)}, options...)...).Window}
}

func (m MaxPool2d) flatten(g *Graph, _ string, x Value) Value { return g.append("", m, x) }

// Shape is [C,H',W'].
func (m MaxPool2d) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 3 {
		return nil, fmt.Errorf("a max pooling gets %s", in[0])
	}
	h, w, err := m.slide(in[0])
	return Shape{in[0][0], h, w}, err
}

// Parameters are none.
func (m MaxPool2d) Parameters() []Param { return nil }

// Mean averages over height and width, [C,H,W] to [C]: the deterministic form of global average pooling.
type Mean struct{}

func (m Mean) flatten(g *Graph, _ string, x Value) Value { return g.append("", m, x) }

// Shape is [C].
func (m Mean) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 3 {
		return nil, fmt.Errorf("a global average gets %s", in[0])
	}
	return in[0][:1], nil
}

// Parameters are none.
func (m Mean) Parameters() []Param { return nil }

// Dropout zeroes each value with probability P while training and scales the others by 1/(1-P).
type Dropout struct{ P float64 }

func (d Dropout) flatten(g *Graph, _ string, x Value) Value { return g.append("", d, x) }

// Shape is the input's.
func (d Dropout) Shape(in ...Shape) (Shape, error) { return in[0], nil }

// Parameters are none.
func (d Dropout) Parameters() []Param { return nil }

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

// Add is the sum of two tensors of one shape: what a Sum does.
type Add struct{}

// Shape is that of both inputs.
func (a Add) Shape(in ...Shape) (Shape, error) {
	if !in[0].Equal(in[1]) {
		return nil, fmt.Errorf("a sum gets %s and %s", in[0], in[1])
	}
	return in[0], nil
}

// Parameters are none.
func (a Add) Parameters() []Param { return nil }
