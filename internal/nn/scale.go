package nn

import "fmt"

// ChannelScale is Scale x + Shift in each of the image's three channels: a normalisation within the network.
type ChannelScale struct {
	stateless
	Scale, Shift [3]float64
}

func (c ChannelScale) flatten(g *Graph, _ string, x Value) Value { return g.append("", c, x) }

// Shape is the input's.
func (c ChannelScale) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 3 || in[0][0] != 3 {
		return nil, fmt.Errorf("a scaling of three channels gets %s", in[0])
	}
	return in[0], nil
}

// LayerScale multiplies each channel by a learned factor that begins at First (Touvron et al., 2021, arXiv:2103.17239).
type LayerScale struct {
	Channels int
	First    float64
}

func (l LayerScale) flatten(g *Graph, path string, x Value) Value { return g.append(path, l, x) }

// Shape is the input's.
func (l LayerScale) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 3 || in[0][0] != l.Channels {
		return nil, fmt.Errorf("a layer scale of %d channels gets %s", l.Channels, in[0])
	}
	return in[0], nil
}

// Parameters are layer_scale [Channels,1,1], of the module around it.
func (l LayerScale) Parameters() []Param {
	return []Param{{Name: "layer_scale", Shape: Shape{l.Channels, 1, 1}, Kind: Weight, Init: Init{Constant, l.First}}}
}
