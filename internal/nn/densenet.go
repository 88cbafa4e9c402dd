package nn

import (
	"fmt"
	"regexp"
)

// DenseNetConfig is a column of table 1 of Huang et al., 2017.
type DenseNetConfig struct {
	Name    string
	Growth  int    // channels that each layer adds
	Stem    int    // channels before the first block
	Blocks  [4]int // layers of denseblock1 to denseblock4
	Classes int
}

// DenseNet121 has 121 layers of weights.
func DenseNet121(classes int) *Network {
	return DenseNet(DenseNetConfig{"densenet121", 32, 64, [4]int{6, 12, 24, 16}, classes})
}

// DenseNet161 has 161 layers of weights.
func DenseNet161(classes int) *Network {
	return DenseNet(DenseNetConfig{"densenet161", 48, 96, [4]int{6, 12, 36, 24}, classes})
}

// DenseNet169 has 169 layers of weights.
func DenseNet169(classes int) *Network {
	return DenseNet(DenseNetConfig{"densenet169", 32, 64, [4]int{6, 12, 32, 32}, classes})
}

// DenseNet201 has 201 layers of weights.
func DenseNet201(classes int) *Network {
	return DenseNet(DenseNetConfig{"densenet201", 32, 64, [4]int{6, 12, 48, 32}, classes})
}

// DenseNet is the densely connected network of Huang et al., 2017 (arXiv:1608.06993), with torchvision's parameter names.
// The authors read the last batch norm's output; what is pooled is its ReLU, which has no name in torchvision.
func DenseNet(c DenseNetConfig) *Network {
	features := []Layer{ // 3x224x224
		Conv("conv0", 3, c.Stem, Kernel(7), Stride(2)), BatchNorm("norm0", c.Stem), ReLU{}, // -> Stem x112x112
		MaxPool(3, Stride(2)), // -> Stem x56x56
	}
	width := c.Stem
	for i, layers := range c.Blocks { // 56x56, 28x28, 14x14, 7x7
		if i > 0 {
			features = append(features, transition(fmt.Sprint("transition", i), width))
			width /= 2
		}
		features = append(features, c.block(fmt.Sprint("denseblock", i+1), width, layers))
		width += layers * c.Growth
	}
	features = append(features, BatchNorm("norm5", width)) // 1024x7x7 in DenseNet-121
	return &Network{
		Name:    c.Name,
		Input:   ImageNet(224),
		Layers:  Seq(Module("features", features...), Module("relu5", ReLU{})),
		Head:    Linear{"classifier", width, c.Classes},
		Taps:    Taps{Pooled: "relu5", Authors: "features"},
		Classes: c.Classes,
		Init:    initDenseNet,
		Rename:  renameDenseNet,
	}
}

// block is layers of 1x1 and 3x3 convolutions, each of which reads all before it (figure 1; "B" of section 3).
func (c DenseNetConfig) block(name string, in, layers int) Layer {
	var dense Dense
	for i := range layers {
		inner := 4 * c.Growth
		dense = append(dense, Module(fmt.Sprint("denselayer", i+1),
			BatchNorm("norm1", in+i*c.Growth), ReLU{}, Conv("conv1", in+i*c.Growth, inner),
			BatchNorm("norm2", inner), ReLU{}, Conv("conv2", inner, c.Growth, Kernel(3)),
		))
	}
	return Module(name, dense)
}

// transition halves channels, height and width ("C" of section 3).
func transition(name string, in int) Layer {
	return Module(name, BatchNorm("norm", in), ReLU{}, Conv("conv", in, in/2), AvgPool(2, Stride(2), Padding(0)))
}

// initDenseNet: He's normal distribution by the inputs, and a head without bias.
func initDenseNet(op Operation, p Param) Init {
	switch op.(type) {
	case Conv2d:
		return KaimingNormalIn(p.Shape)
	case Linear:
		if p.Kind == Bias {
			return Zeros
		}
	}
	return p.Init
}

var denseNetDots = regexp.MustCompile(`^(.*denselayer\d+\.(?:norm|conv))\.([12]\.)`)

// renameDenseNet: torchvision's published files write denselayer1.norm.1.weight, of a time when names could have dots.
func renameDenseNet(name string) string { return denseNetDots.ReplaceAllString(name, "$1$2") }
