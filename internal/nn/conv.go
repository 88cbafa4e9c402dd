package nn

import "fmt"

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
