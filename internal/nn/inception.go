package nn

import "strings"

// InceptionV3 is the third Inception network of Szegedy et al., 2016 (arXiv:1512.00567), as the authors train it: without
// the auxiliary classifier. Names and numbers are torchvision's, with transform_input: its published weights were made
// for images scaled to -1 to 1, and the network brings ImageNet's normalisation to that by itself.
func InceptionV3(classes int) *Network { return inception("inception_v3", classes, Seq()) }

// InceptionV3Auxiliary is InceptionV3 with the auxiliary classifier, as torchvision builds it.
func InceptionV3Auxiliary(classes int) *Network {
	return inception("inception_v3_aux", classes, Auxiliary{"AuxLogits", Seq( // 768x17x17
		AvgPool(5, Stride(3), Padding(0)),     // -> 768x5x5
		convUnit("conv0", 768, 128),           // -> 128x5x5
		convUnit("conv1", 128, 768, valid(5)), // -> 768x1x1
		Mean{}, Linear{"fc", 768, classes},
	)})
}

func inception(name string, classes int, auxiliary Layer) *Network {
	unit := func(c int) [2]float64 { // channel c of ImageNet's statistics to mean 0.5, deviation 0.5
		in := ImageNet(299)
		return [2]float64{in.Std[c] / 0.5, (in.Mean[c] - 0.5) / 0.5}
	}
	r, g, b := unit(0), unit(1), unit(2)
	return &Network{
		Name:  name,
		Input: ImageNet(299), // 3x299x299
		Layers: Seq(
			ChannelScale{Scale: [3]float64{r[0], g[0], b[0]}, Shift: [3]float64{r[1], g[1], b[1]}},
			convUnit("Conv2d_1a_3x3", 3, 32, valid(3), Stride(2)), // -> 32x149x149
			convUnit("Conv2d_2a_3x3", 32, 32, valid(3)),           // -> 32x147x147
			convUnit("Conv2d_2b_3x3", 32, 64, Kernel(3)),          // -> 64x147x147
			MaxPool(3, Stride(2), Padding(0)),                     // -> 64x73x73
			convUnit("Conv2d_3b_1x1", 64, 80),                     // -> 80x73x73
			convUnit("Conv2d_4a_3x3", 80, 192, valid(3)),          // -> 192x71x71
			MaxPool(3, Stride(2), Padding(0)),                     // -> 192x35x35
			inceptionA("Mixed_5b", 192, 32),                       // -> 256x35x35
			inceptionA("Mixed_5c", 256, 64),                       // -> 288x35x35
			inceptionA("Mixed_5d", 288, 64),                       // -> 288x35x35
			inceptionB("Mixed_6a", 288),                           // -> 768x17x17
			inceptionC("Mixed_6b", 128),                           // -> 768x17x17
			inceptionC("Mixed_6c", 160),                           // -> 768x17x17
			inceptionC("Mixed_6d", 160),                           // -> 768x17x17
			inceptionC("Mixed_6e", 192),                           // -> 768x17x17
			auxiliary,
			inceptionD("Mixed_7a"),       // -> 1280x8x8
			inceptionE("Mixed_7b", 1280), // -> 2048x8x8
			inceptionE("Mixed_7c", 2048), // -> 2048x8x8
		),
		Neck:    Dropout{P: 0.5},
		Head:    Linear{"fc", 2048, classes},
		Taps:    Taps{Pooled: "Mixed_7c", Authors: "Mixed_7c"},
		Classes: classes,
		Init:    initInception,
	}
}

// valid is a square kernel without padding.
func valid(k int) Option {
	return func(c *Conv2d) { Kernel(k)(c); Padding(0)(c) }
}

// tall and wide are kernels of one column and of one row, which keep the size.
func tall(k int) Option {
	return func(c *Conv2d) { c.Kernel, c.Padding = [2]int{k, 1}, [2]int{k / 2, 0} }
}

func wide(k int) Option {
	return func(c *Conv2d) { c.Kernel, c.Padding = [2]int{1, k}, [2]int{0, k / 2} }
}

// convUnit is convolution, batch norm, ReLU.
func convUnit(name string, in, out int, options ...Option) Layer {
	norm := BatchNorm("bn", out)
	norm.Eps = 0.001
	return Module(name, Conv("conv", in, out, options...), norm, ReLU{})
}

// inceptionA is figure 5 of the paper, with a 5x5 convolution.
func inceptionA(name string, in, pool int) Layer {
	return Module(name, Concat{
		convUnit("branch1x1", in, 64),
		Seq(convUnit("branch5x5_1", in, 48), convUnit("branch5x5_2", 48, 64, Kernel(5))),
		Seq(convUnit("branch3x3dbl_1", in, 64), convUnit("branch3x3dbl_2", 64, 96, Kernel(3)), convUnit("branch3x3dbl_3", 96, 96, Kernel(3))),
		Seq(AvgPool(3), convUnit("branch_pool", in, pool)),
	})
}

// inceptionB halves height and width (figure 10).
func inceptionB(name string, in int) Layer {
	return Module(name, Concat{
		convUnit("branch3x3", in, 384, valid(3), Stride(2)),
		Seq(convUnit("branch3x3dbl_1", in, 64), convUnit("branch3x3dbl_2", 64, 96, Kernel(3)), convUnit("branch3x3dbl_3", 96, 96, valid(3), Stride(2))),
		MaxPool(3, Stride(2), Padding(0)),
	})
}

// inceptionC splits 7x7 into 1x7 and 7x1 (figure 6).
func inceptionC(name string, c int) Layer {
	return Module(name, Concat{
		convUnit("branch1x1", 768, 192),
		Seq(convUnit("branch7x7_1", 768, c), convUnit("branch7x7_2", c, c, wide(7)), convUnit("branch7x7_3", c, 192, tall(7))),
		Seq(
			convUnit("branch7x7dbl_1", 768, c),
			convUnit("branch7x7dbl_2", c, c, tall(7)), convUnit("branch7x7dbl_3", c, c, wide(7)),
			convUnit("branch7x7dbl_4", c, c, tall(7)), convUnit("branch7x7dbl_5", c, 192, wide(7)),
		),
		Seq(AvgPool(3), convUnit("branch_pool", 768, 192)),
	})
}

// inceptionD halves height and width again.
func inceptionD(name string) Layer {
	return Module(name, Concat{
		Seq(convUnit("branch3x3_1", 768, 192), convUnit("branch3x3_2", 192, 320, valid(3), Stride(2))),
		Seq(
			convUnit("branch7x7x3_1", 768, 192), convUnit("branch7x7x3_2", 192, 192, wide(7)), convUnit("branch7x7x3_3", 192, 192, tall(7)),
			convUnit("branch7x7x3_4", 192, 192, valid(3), Stride(2)),
		),
		MaxPool(3, Stride(2), Padding(0)),
	})
}

// inceptionE widens: its branches split once more (figure 7).
func inceptionE(name string, in int) Layer {
	return Module(name, Concat{
		convUnit("branch1x1", in, 320),
		Seq(convUnit("branch3x3_1", in, 384), Concat{convUnit("branch3x3_2a", 384, 384, wide(3)), convUnit("branch3x3_2b", 384, 384, tall(3))}),
		Seq(
			convUnit("branch3x3dbl_1", in, 448), convUnit("branch3x3dbl_2", 448, 384, Kernel(3)),
			Concat{convUnit("branch3x3dbl_3a", 384, 384, wide(3)), convUnit("branch3x3dbl_3b", 384, 384, tall(3))},
		),
		Seq(AvgPool(3), convUnit("branch_pool", in, 192)),
	})
}

// initInception: normal distributions of a fixed deviation. torchvision cuts them at 20 deviations and more, which no
// draw reaches.
func initInception(op Operation, p Param) Init {
	switch op.(type) {
	case Conv2d, Linear:
		switch {
		case p.Kind != Weight:
			return p.Init
		case strings.HasPrefix(p.Name, "AuxLogits.fc."):
			return Init{Normal, 0.001}
		}
		return Init{Normal, 0.1} // also of AuxLogits.conv1, whose smaller deviation torchvision names but does not use
	}
	return p.Init
}
