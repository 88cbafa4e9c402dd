// Package nn describes networks as data: which layers, in which order, under which names. It holds no tensors and needs
// no libtorch, so the runner can ask a network for its shapes; package model gives it weights and runs it.
//
// Terms. A layer is a part of the description. An operation is a layer that computes one tensor (Conv2d, ReLU); the other
// layers (Sequence, Submodule, Sum, Concat, Dense, Gate) only arrange operations. A module is any named layer; its full name joins the names
// around it with dots, as torchvision does, so that published weights load as they are: layer4.2.conv3.weight. A tap is
// the module whose output a class activation map (CAM) reads. Shapes are without the batch: C x H x W, or C once pooled.
//
// All values here are plain data: built once, never changed, safe for any goroutine.
package nn

import (
	"fmt"
	"strings"
)

// Network is all that the program knows of an architecture.
//
// An image passes Layers, is averaged over height and width, passes Neck and then Head:
//
//	[3,Side,Side] -> Layers -> [C,h,w] -> mean -> [C] -> Neck -> [C] -> Head -> [Classes]
type Network struct {
	Name    string
	Input   Input
	Layers  Layer  // from the image to the tensor that is averaged
	Neck    Layer  // between the average and the head, such as Dropout; nil for nothing
	Head    Linear // the classifier, whose weight rows are the CAM's channel weights
	Taps    Taps
	Classes int
	// Init is the distribution of a tensor's first values where it is not the operation's own; p has its full name and
	// brings that one along. nil changes none.
	Init func(op Operation, p Param) Init
	// Rename is the name here of a tensor that published files know under another one; nil changes none.
	Rename func(name string) string
	// Decoder makes an autoencoder of the network: see Autoencoder. nil for a classifier.
	Decoder *Decoder
	// Script is a network that Python wrote, in place of Layers, Neck and Head's sizes; nil for the networks of this package.
	Script *Script
}

// Script is a network in TorchScript, of which nothing is known but what the user says. Its forward returns logits, or
// logits and the tensor that is averaged and classified, which both taps then are.
type Script struct {
	Path string // of the file
	Map  int    // height and width of that tensor, in cells; 0 where forward returns logits alone
}

// Scripted is the network of a file that torch.jit.save wrote. head is the full name of the linear head's weight, empty
// where no CAM is asked for.
func Scripted(script Script, input Input, head string, classes int) *Network {
	const features = "features"
	return &Network{
		Name: "torchscript", Input: input, Head: Linear{Name: strings.TrimSuffix(head, ".weight"), Out: classes},
		Taps: Taps{Pooled: features, Authors: features}, Classes: classes, Script: &script,
	}
}

// Input is what a network expects of its images: x = (pixel/255 - Mean) / Std for each of red, green and blue.
type Input struct {
	Side      int // pixels, height = width
	Mean, Std [3]float64
}

// ImageNet is the input of networks trained on ImageNet, with the channel statistics that torchvision uses.
func ImageNet(side int) Input {
	return Input{Side: side, Mean: [3]float64{0.485, 0.456, 0.406}, Std: [3]float64{0.229, 0.224, 0.225}}
}

// Taps names the two modules that a CAM may read.
type Taps struct {
	Pooled  string // the tensor that is averaged and classified: the CAM of Zhou et al., 2016 (arXiv:1512.04150)
	Authors string // the tensor that the authors' code (CVRL/CYBORG, train_cam.py) reads
}

// HasAuxiliary says whether the network has an auxiliary classifier.
func (n *Network) HasAuxiliary() bool { return n.Script == nil && n.Graph().Auxiliary != Image }

// Tap is the full name of the module that tap means: "pooled", "authors", or any module's own name.
func (n *Network) Tap(tap string) (string, error) {
	switch tap {
	case "pooled":
		return n.Taps.Pooled, nil
	case "authors":
		return n.Taps.Authors, nil
	}
	if n.Script != nil {
		return "", fmt.Errorf("a network in TorchScript has one tap, pooled, not %q: the feature map that its forward returns", tap)
	}
	if _, ok := n.Graph().Value(tap); !ok {
		return "", fmt.Errorf("network %s has no module %q to tap; take pooled (%s), authors (%s) or another module of as many channels",
			n.Name, tap, n.Taps.Pooled, n.Taps.Authors)
	}
	return tap, nil
}

// Grid is the height and width of a tap's output (and so of its CAM) for images of side x side pixels. The tap must have
// the channels that the head weighs.
func (n *Network) Grid(side int, tap string) (h, w int, err error) {
	name, err := n.Tap(tap)
	if err != nil {
		return 0, 0, err
	}
	if n.Script != nil {
		if n.Head.Name == "" || n.Script.Map == 0 {
			return 0, 0, fmt.Errorf("network %s makes no CAMs as it is: name the weight of its head and the side of its feature map: arch: {torchscript: ..., head: fc.weight, map: 7}",
				n.Name)
		}
		return n.Script.Map, n.Script.Map, nil
	}
	shape, err := n.ShapeOf(side, name)
	if err != nil {
		return 0, 0, err
	}
	if len(shape) != 3 {
		return 0, 0, fmt.Errorf("network %s: the output of %s is %s: a map needs height and width", n.Name, name, shape)
	}
	if shape[0] != n.Head.In {
		return 0, 0, fmt.Errorf("network %s: %s has %d channels; a CAM needs the %d that %s weighs, such as those of %s",
			n.Name, name, shape[0], n.Head.In, n.Head.Name, n.Taps.Pooled)
	}
	return shape[1], shape[2], nil
}

// ShapeOf is the shape of the named module's output for images of side x side pixels.
func (n *Network) ShapeOf(side int, module string) (Shape, error) {
	g := n.Graph()
	value, ok := g.Value(module)
	if !ok {
		return nil, fmt.Errorf("network %s has no module %q", n.Name, module)
	}
	shapes, err := g.Shapes(Shape{3, side, side})
	if err != nil {
		return nil, fmt.Errorf("network %s on %d x %d pixels: %w", n.Name, side, side, err)
	}
	return shapes[value], nil
}

// Parameters lists the network's parameters and buffers in the order and under the names of torchvision's state_dict.
func (n *Network) Parameters() []Param { return n.Graph().Parameters() }
