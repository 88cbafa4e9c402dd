package nn

import "strconv"

// ResNetConfig is a column of table 1 of He et al., 2015.
type ResNetConfig struct {
	Name    string
	Block   func(in, width, stride int) Layer
	Widen   int    // output channels of a block, in units of its width
	Blocks  [4]int // blocks of layer1 to layer4
	Authors string // the last convolution: see Taps
	Classes int
}

// ResNet18 has 18 layers of weights.
func ResNet18(classes int) *Network {
	return ResNet(ResNetConfig{"resnet18", basicBlock, 1, [4]int{2, 2, 2, 2}, "layer4.1.conv2", classes})
}

// ResNet34 has 34 layers of weights.
func ResNet34(classes int) *Network {
	return ResNet(ResNetConfig{"resnet34", basicBlock, 1, [4]int{3, 4, 6, 3}, "layer4.2.conv2", classes})
}

// ResNet50 has 50 layers of weights.
func ResNet50(classes int) *Network {
	return ResNet(ResNetConfig{"resnet50", bottleneck, 4, [4]int{3, 4, 6, 3}, "layer4.2.conv3", classes})
}

// ResNet101 has 101 layers of weights.
func ResNet101(classes int) *Network {
	return ResNet(ResNetConfig{"resnet101", bottleneck, 4, [4]int{3, 4, 23, 3}, "layer4.2.conv3", classes})
}

// ResNet152 has 152 layers of weights.
func ResNet152(classes int) *Network {
	return ResNet(ResNetConfig{"resnet152", bottleneck, 4, [4]int{3, 8, 36, 3}, "layer4.2.conv3", classes})
}

// ResNet is the residual network of He et al., 2015 (arXiv:1512.03385), with torchvision's parameter names, so that its
// published weights load as they are.
func ResNet(c ResNetConfig) *Network {
	return &Network{
		Name:  c.Name,
		Input: ImageNet(224), // 3x224x224
		Layers: Seq(
			// -> 64x112x112
			Conv("conv1", 3, 64, Kernel(7), Stride(2)), BatchNorm("bn1", 64), ReLU{},
			MaxPool(3, Stride(2)),                               // -> 64x56x56
			c.layer("layer1", 64, 64, 1, c.Blocks[0]),           // -> 64x56x56,  x Widen channels
			c.layer("layer2", 64*c.Widen, 128, 2, c.Blocks[1]),  // -> 128x28x28, x Widen
			c.layer("layer3", 128*c.Widen, 256, 2, c.Blocks[2]), // -> 256x14x14, x Widen
			c.layer("layer4", 256*c.Widen, 512, 2, c.Blocks[3]), // -> 512x7x7,   x Widen
		),
		Head:    Linear{"fc", 512 * c.Widen, c.Classes},
		Taps:    Taps{Pooled: "layer4", Authors: c.Authors},
		Classes: c.Classes,
	}
}

// layer is a row of residual blocks of one width; the first block changes the channels and takes the stride.
func (c ResNetConfig) layer(name string, in, width, stride, blocks int) Layer {
	row := []Layer{Module("0", c.Block(in, width, stride))}
	for i := 1; i < blocks; i++ {
		row = append(row, Module(strconv.Itoa(i), c.Block(width*c.Widen, width, 1)))
	}
	return Module(name, row...)
}

// basicBlock is two 3x3 convolutions (figure 5, left).
func basicBlock(in, width, stride int) Layer {
	return Seq(
		Residual(
			Seq(
				Conv("conv1", in, width, Kernel(3), Stride(stride)), BatchNorm("bn1", width), ReLU{},
				Conv("conv2", width, width, Kernel(3)), BatchNorm("bn2", width),
			),
			shortcut(in, width, stride),
		),
		ReLU{},
	)
}

// bottleneck is 1x1, 3x3, 1x1 (figure 5, right); the stride is in the 3x3 convolution, as in torchvision ("ResNet v1.5"),
// not in the first 1x1 as in the paper.
func bottleneck(in, width, stride int) Layer {
	out := 4 * width
	return Seq(
		Residual(
			Seq(
				Conv("conv1", in, width), BatchNorm("bn1", width), ReLU{},
				Conv("conv2", width, width, Kernel(3), Stride(stride)), BatchNorm("bn2", width), ReLU{},
				Conv("conv3", width, out), BatchNorm("bn3", out),
			),
			shortcut(in, out, stride),
		),
		ReLU{},
	)
}

// shortcut is the identity where the shapes agree, a projection otherwise (option B of section 3.3).
func shortcut(in, out, stride int) Layer {
	if in == out && stride == 1 {
		return Seq()
	}
	return Module("downsample", Conv("0", in, out, Stride(stride)), BatchNorm("1", out))
}
