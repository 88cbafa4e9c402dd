package nn

import (
	"fmt"
	"slices"
	"strings"
)

// Decoder turns an encoder's features back into one map of the image's height and width, in place of the average and the
// head: network and decoder are an autoencoder then, whose logits are [1,Side,Side] before the sigmoid.
//
// It is a U-Net's (Ronneberger et al., 2015, arXiv:1505.04597) over the encoder's scales. A scale ends where the next tensor
// that all paths pass through has at most two thirds of its height; its last such tensor is what a skip reads. From the
// features up, each level repeats cells to the height and width of the next scale (nearest neighbour), joins that scale's
// tensor where there are skips (none at the image's size), and applies a 3x3 convolution, batch norm and ReLU twice; a 3x3
// convolution with bias leaves the map. Levels have 16 channels at the image's size and twice as many at each coarser one, up
// to 256.
type Decoder struct {
	Skips bool
}

// decoderName begins the names of all its modules.
const decoderName = "decoder"

// DecoderTensors is the pattern of the names of all its tensors.
const DecoderTensors = decoderName + ".*"

// OfDecoder tells whether a tensor of that name belongs to the decoder and not to the encoder.
func OfDecoder(name string) bool { return strings.HasPrefix(name, decoderName+".") }

// Encoder lists the tensors of a network without its neck, head and auxiliary classifier, in the order of Parameters.
func (n *Network) Encoder() []Param {
	g := &Graph{init: n.Init, values: map[string]Value{}}
	g.Features = n.Layers.flatten(g, "", Image)
	g.Steps = slices.DeleteFunc(g.Steps, func(s Step) bool { return s.Training })
	return g.Parameters()
}

// Autoencoder is the network with a decoder in place of the average, the neck and the head. The encoder keeps its names. It
// has to be one of this package, without an auxiliary classifier.
func (n *Network) Autoencoder(d Decoder) (*Network, error) {
	switch {
	case n.Script != nil:
		return nil, fmt.Errorf("a network in TorchScript cannot get a decoder: its layers are not known; take one of the program's own")
	case n.HasAuxiliary():
		return nil, fmt.Errorf("network %s has an auxiliary classifier, which an autoencoder does not train; take the network without, such as inception_v3", n.Name)
	}
	own := *n
	own.Neck, own.Head, own.Decoder = nil, Linear{}, &d
	return &own, nil
}

// attach appends the decoder to an encoder whose last value holds its features.
func (d Decoder) attach(g *Graph, image Shape) Value {
	x := g.Features
	shapes, err := g.Shapes(image)
	if err != nil {
		return x // whoever asks for the graph's shapes meets it again
	}
	scales := append(d.scales(g, shapes), Image)
	channels := shapes[x][0]
	for level, scale := range scales {
		size, width := shapes[scale], min(16<<(len(scales)-1-level), 256)
		x = g.append("", Enlarge{Height: size[1], Width: size[2]}, x)
		if d.Skips && scale != Image {
			x = g.append("", Join{}, x, scale)
			channels += size[0]
		}
		x = Module(fmt.Sprint(level),
			Conv("conv1", channels, width, Kernel(3)), BatchNorm("bn1", width), ReLU{},
			Conv("conv2", width, width, Kernel(3)), BatchNorm("bn2", width), ReLU{},
		).flatten(g, decoderName, x)
		channels = width
	}
	return Conv("out", channels, 1, Kernel(3), WithBias()).flatten(g, decoderName, x)
}

// scales are the last values of the encoder's scales between its features and the image's own size, coarse to fine.
func (d Decoder) scales(g *Graph, shapes []Shape) []Value {
	var ends []Value
	last := Image
	for _, v := range g.passes() {
		if shapes[last][1] < shapes[Image][1] && 3*shapes[v][1] <= 2*shapes[last][1] {
			ends = append(ends, last)
		}
		last = v
	}
	slices.Reverse(ends)
	return ends
}

// passes are the values up to the features that all paths from the image pass through, in order.
func (g *Graph) passes() []Value {
	var all []Value
	earliest := g.Features // of what the steps behind read
	for v := g.Features; v > Image; v-- {
		if earliest >= v {
			all = append(all, v)
		}
		earliest = min(earliest, slices.Min(g.Steps[v-1].In))
	}
	slices.Reverse(all)
	return all
}

// Enlarge repeats the cells of [C,h,w] to a height and width, as nearest-neighbour interpolation does.
type Enlarge struct {
	stateless
	Height, Width int
}

// Shape is [C,Height,Width].
func (e Enlarge) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 3 {
		return nil, fmt.Errorf("an enlargement gets %s", in[0])
	}
	return Shape{in[0][0], e.Height, e.Width}, nil
}
