package nn

import (
	"math"
	"strconv"
)

// EfficientNetB0 is the base network of Tan and Le, 2019 (arXiv:1905.11946), with torchvision's parameter names. No
// code of the CYBORG authors uses it; as in their other networks, their tap is the last convolution.
func EfficientNetB0(classes int) *Network {
	// The rows of table 1: expansion, kernel, stride, channels out, layers.
	rows := [][5]int{{1, 3, 1, 16, 1}, {6, 3, 2, 24, 2}, {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3}, {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}}
	const blocks = 16

	in, done := 32, 0
	features := []Layer{convNorm("0", 3, in, true, Kernel(3), Stride(2))} // 3x224x224 -> 32x112x112
	for i, row := range rows {
		var stage []Layer
		expansion, kernel, stride, out := row[0], row[1], row[2], row[3]
		for j := range row[4] {
			stage = append(stage, Module(strconv.Itoa(j), mbConv(in, out, expansion, kernel, stride, 0.2*float64(done)/blocks)))
			in, stride, done = out, 1, done+1
		}
		features = append(features, Module(strconv.Itoa(i+1), stage...))
	}
	features = append(features, convNorm("8", 320, 1280, true)) // -> 1280x7x7
	return &Network{
		Name:    "efficientnet_b0",
		Input:   ImageNet(224),
		Layers:  Module("features", features...),
		Neck:    Dropout{P: 0.2},
		Head:    Linear{"classifier.1", 1280, classes},
		Taps:    Taps{Pooled: "features", Authors: "features.8.0"},
		Classes: classes,
		Init: func(op Operation, p Param) Init {
			switch op.(type) {
			case Linear:
				if p.Kind == Weight {
					return Init{Uniform, 1 / math.Sqrt(float64(classes))}
				}
				return Zeros
			case Conv2d:
				if p.Kind == Bias {
					return Zeros
				}
			}
			return p.Init
		},
	}
}

// mbConv is a mobile inverted bottleneck with squeeze and excitation: widen, filter each channel, weigh the channels,
// narrow.
func mbConv(in, out, expansion, kernel, stride int, drop float64) Layer {
	var block []Layer
	name := func() string { return strconv.Itoa(len(block)) }
	wide := in * expansion
	if expansion > 1 {
		block = append(block, convNorm(name(), in, wide, true))
	}
	block = append(block, convNorm(name(), wide, wide, true, Kernel(kernel), Stride(stride), Groups(wide)))
	block = append(block, Module(name(), Gate{
		Mean{KeepPlane: true}, Conv("fc1", wide, in/4, WithBias()), SiLU{}, Conv("fc2", in/4, wide, WithBias()), Sigmoid{},
	}))
	block = append(block, convNorm(name(), wide, out, false))
	if in != out || stride > 1 {
		return Module("block", block...)
	}
	return Residual(Seq(Module("block", block...), StochasticDepth{P: drop}), Seq())
}

// convNorm is convolution, batch norm and, if wished, SiLU.
func convNorm(name string, in, out int, activate bool, options ...Option) Layer {
	row := Seq(Conv("0", in, out, options...), BatchNorm("1", out))
	if activate {
		row = append(row, SiLU{})
	}
	return Module(name, row...)
}
