package nn

import "strconv"

// ConvNeXtTiny is the smallest network of Liu et al., 2022 (arXiv:2201.03545), with torchvision's parameter names. No
// code of the CYBORG authors uses it; as in their other networks, their tap is the output of the last weights of the last
// block. Its pooled features pass a layer norm before the head, so that even the CAM of the pooled tap is not exact.
func ConvNeXtTiny(classes int) *Network {
	widths, blocks := [4]int{96, 192, 384, 768}, [4]int{3, 3, 9, 3}
	const total, drop = 18, 0.1

	features := []Layer{Module("0", Conv("0", 3, 96, Kernel(4), Stride(4), Padding(0), WithBias()), norm("1", 96))} // 3x224x224 -> 96x56x56
	name := func() string { return strconv.Itoa(len(features)) }
	done := 0
	for i, width := range widths {
		if i > 0 {
			features = append(features, Module(name(), norm("0", width/2), Conv("1", width/2, width, Kernel(2), Stride(2), Padding(0), WithBias())))
		}
		var stage []Layer
		for j := range blocks[i] {
			stage = append(stage, Module(strconv.Itoa(j), convNeXtBlock(width, drop*float64(done)/(total-1))))
			done++
		}
		features = append(features, Module(name(), stage...)) // -> 96x56x56, 192x28x28, 384x14x14, 768x7x7
	}
	return &Network{
		Name:    "convnext_tiny",
		Input:   ImageNet(224),
		Layers:  Module("features", features...),
		Neck:    norm("classifier.0", 768),
		Head:    Linear{"classifier.2", 768, classes},
		Taps:    Taps{Pooled: "features", Authors: "features.7.2.block.5"},
		Classes: classes,
		Init: func(op Operation, p Param) Init {
			switch op.(type) {
			case Conv2d, Linear, PointwiseLinear:
				if p.Kind == Weight {
					return Init{Normal, 0.02}
				}
				return Zeros
			}
			return p.Init
		},
	}
}

// convNeXtBlock is a 7x7 convolution of each channel and two linear layers at each position (figure 4).
func convNeXtBlock(width int, drop float64) Layer {
	return Residual(
		Seq(
			Module("block",
				Conv("0", width, width, Kernel(7), Groups(width), WithBias()), norm("2", width),
				Pointwise("3", width, 4*width), GELU{}, Pointwise("5", 4*width, width),
			),
			LayerScale{Channels: width, First: 1e-6},
			StochasticDepth{P: drop},
		),
		Seq(),
	)
}

func norm(name string, channels int) Layer {
	return LayerNorm{Name: name, Channels: channels, Eps: 1e-6}
}
