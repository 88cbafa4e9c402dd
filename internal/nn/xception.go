package nn

import (
	"fmt"
	"strings"
)

// Xception is the network of Chollet, 2017 (arXiv:1610.02357), in the form of the weights xception-b5690688.pth and with
// the names of their PyTorch code (Cadene, pretrained-models): its head is last_linear. Images are scaled to -1 to 1. The
// authors read the last separable convolution, before its batch norm.
func Xception(classes int) *Network {
	layers := []Layer{ // 3x299x299
		Conv("conv1", 3, 32, valid(3), Stride(2)), BatchNorm("bn1", 32), ReLU{}, // -> 32x149x149
		Conv("conv2", 32, 64, valid(3)), BatchNorm("bn2", 64), ReLU{}, // -> 64x147x147
		// entry flow
		xceptionBlock("block1", 2, false, 64, 128, 128), // -> 128x74x74
		xceptionBlock("block2", 2, true, 128, 256, 256), // -> 256x37x37
		xceptionBlock("block3", 2, true, 256, 728, 728), // -> 728x19x19
	}
	for i := 4; i <= 11; i++ { // middle flow
		layers = append(layers, xceptionBlock(fmt.Sprint("block", i), 1, true, 728, 728, 728, 728)) // -> 728x19x19
	}
	layers = append(layers, // exit flow
		xceptionBlock("block12", 2, true, 728, 728, 1024),              // -> 1024x10x10
		separable("conv3", 1024, 1536), BatchNorm("bn3", 1536), ReLU{}, // -> 1536x10x10
		separable("conv4", 1536, 2048), BatchNorm("bn4", 2048), Module("act4", ReLU{}), // -> 2048x10x10
	)
	half := [3]float64{0.5, 0.5, 0.5}
	return &Network{
		Name:    "xception",
		Input:   Input{Side: 299, Mean: half, Std: half},
		Layers:  Seq(layers...),
		Head:    Linear{"last_linear", 2048, classes},
		Taps:    Taps{Pooled: "act4", Authors: "conv4"},
		Classes: classes,
		Rename: func(name string) string {
			if rest, ok := strings.CutPrefix(name, "fc."); ok { // timm's name for the head, and that of the published file
				return "last_linear." + rest
			}
			return name
		},
	}
}

// separable is a 3x3 convolution of each channel, then a 1x1 one across them (figure 4).
func separable(name string, in, out int) Layer {
	return Module(name, Conv("conv1", in, in, Kernel(3), Groups(in)), Conv("pointwise", in, out))
}

// xceptionBlock is a residual row of separable convolutions through the given widths (figure 5); the stride is in a
// pooling at the end.
func xceptionBlock(name string, stride int, relu bool, widths ...int) Layer {
	var row []Layer
	place := 0
	next := func() string { place++; return fmt.Sprint(place - 1) }
	for i, out := range widths[1:] {
		if i > 0 || relu {
			row = append(row, ReLU{})
			next()
		}
		row = append(row, separable(next(), widths[i], out), BatchNorm(next(), out))
	}
	if stride > 1 {
		row = append(row, MaxPool(3, Stride(stride)))
	}
	in, out := widths[0], widths[len(widths)-1]
	skip := Seq()
	if in != out || stride > 1 {
		skip = Seq(Conv("skip", in, out, Stride(stride)), BatchNorm("skipbn", out))
	}
	return Module(name, Residual(skip, Module("rep", row...)))
}
