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
