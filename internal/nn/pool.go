package nn

import "fmt"

// MaxPool2d is the maximum over a sliding window.
type MaxPool2d struct {
	stateless
	Window
}

// MaxPool is a pooling with a square kernel; its options are those of Conv that concern the window.
func MaxPool(kernel int, options ...Option) MaxPool2d {
	return MaxPool2d{Window: Conv("", 0, 0, append([]Option{Kernel(kernel)}, options...)...).Window}
}

func (m MaxPool2d) flatten(g *Graph, _ string, x Value) Value { return g.append("", m, x) }

// Shape is [C,H',W'].
func (m MaxPool2d) Shape(in ...Shape) (Shape, error) { return m.pooled("a max pooling", in[0]) }

// AvgPool2d is the mean over a sliding window; zeros of the padding count.
type AvgPool2d struct {
	stateless
	Window
}

// AvgPool is a pooling with a square kernel; its options are those of Conv that concern the window.
func AvgPool(kernel int, options ...Option) AvgPool2d {
	return AvgPool2d{Window: MaxPool(kernel, options...).Window}
}

func (a AvgPool2d) flatten(g *Graph, _ string, x Value) Value { return g.append("", a, x) }

// Shape is [C,H',W'].
func (a AvgPool2d) Shape(in ...Shape) (Shape, error) { return a.pooled("an average pooling", in[0]) }

func (w Window) pooled(what string, in Shape) (Shape, error) {
	if len(in) != 3 {
		return nil, fmt.Errorf("%s gets %s", what, in)
	}
	height, width, err := w.slide(in)
	return Shape{in[0], height, width}, err
}

// Mean averages over height and width, [C,H,W] to [C]: the deterministic form of global average pooling. With KeepPlane
// it leaves [C,1,1].
type Mean struct {
	stateless
	KeepPlane bool
}

func (m Mean) flatten(g *Graph, _ string, x Value) Value { return g.append("", m, x) }

// Shape is [C], or [C,1,1].
func (m Mean) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 3 {
		return nil, fmt.Errorf("a global average gets %s", in[0])
	}
	if m.KeepPlane {
		return Shape{in[0][0], 1, 1}, nil
	}
	return in[0][:1], nil
}
