package nn

// ResNetSmall is the shallow residual network of the quick start: 12x12 cells from 96x96 pixels. A cell sees 65 pixels
// at most, so that evidence stays where it is in the image. It has 45,522 parameters.
func ResNetSmall(classes int) *Network {
	return &Network{
		Name:  "resnet_small",
		Input: ImageNet(96), // 3x96x96
		Layers: Seq(
			// -> 16x48x48
			Conv("conv1", 3, 16, Kernel(5), Stride(2)), BatchNorm("bn1", 16), ReLU{},
			MaxPool(3, Stride(2)),                                // -> 16x24x24
			Module("layer1", Module("0", basicBlock(16, 16, 1))), // -> 16x24x24
			Module("layer2", Module("0", basicBlock(16, 32, 2))), // -> 32x12x12
			Module("layer3", Module("0", narrowBlock(32, 64))),   // -> 64x12x12
		),
		Head:    Linear{"fc", 64, classes},
		Taps:    Taps{Pooled: "layer3", Authors: "layer3.0.conv2"},
		Classes: classes,
	}
}

// narrowBlock is a residual block whose second convolution is 1x1 and so does not widen the receptive field.
func narrowBlock(in, out int) Layer {
	return Seq(
		Residual(
			Seq(
				Conv("conv1", in, out, Kernel(3)), BatchNorm("bn1", out), ReLU{},
				Conv("conv2", out, out), BatchNorm("bn2", out),
			),
			shortcut(in, out, 1),
		),
		ReLU{},
	)
}
