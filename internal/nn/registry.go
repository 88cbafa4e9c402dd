package nn

// networks are all architectures, by the names that specs use. A new one is a file and a line here.
var networks = []struct {
	name  string
	build func(classes int) *Network
}{
	{"resnet18", ResNet18},
	{"resnet34", ResNet34},
	{"resnet50", ResNet50},
	{"resnet101", ResNet101},
	{"resnet152", ResNet152},
	{"resnet_small", ResNetSmall},
	{"densenet121", DenseNet121},
	{"densenet161", DenseNet161},
	{"densenet169", DenseNet169},
	{"densenet201", DenseNet201},
	{"inception_v3", InceptionV3},
	{"inception_v3_aux", InceptionV3Auxiliary},
	{"xception", Xception},
	{"efficientnet_b0", EfficientNetB0},
	{"convnext_tiny", ConvNeXtTiny},
}

// Lookup finds the architecture of that name; call what it returns with the number of classes.
func Lookup(name string) (build func(classes int) *Network, ok bool) {
	for _, n := range networks {
		if n.name == name {
			return n.build, true
		}
	}
	return nil, false
}

// Names are the names of all architectures.
func Names() []string {
	names := make([]string, len(networks))
	for i, n := range networks {
		names[i] = n.name
	}
	return names
}
