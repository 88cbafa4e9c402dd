package nn_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

func network(t testing.TB, name string) *nn.Network {
	t.Helper()
	build, ok := nn.Lookup(name)
	if !ok {
		t.Fatalf("no network %s; there are %v", name, nn.Names())
	}
	return build(2)
}

func TestEveryNetworkFitsItsInput(t *testing.T) {
	for _, name := range nn.Names() {
		t.Run(name, func(t *testing.T) {
			n := network(t, name)
			if n.Name != name {
				t.Errorf("registered as %s, calls itself %s", name, n.Name)
			}
			g := n.Graph()
			shapes, err := g.Shapes(nn.Shape{3, n.Input.Side, n.Input.Side})
			if err != nil {
				t.Fatal(err)
			}
			if got := shapes[g.Logits]; !got.Equal(nn.Shape{2}) {
				t.Errorf("logits are %s, want 2", got)
			}
			if v, ok := g.Value(n.Taps.Pooled); !ok || v != g.Features {
				t.Errorf("the pooled tap %s is not the tensor that is averaged", n.Taps.Pooled)
			}
			v, ok := g.Value(n.Taps.Authors)
			if !ok {
				t.Fatalf("no module %s", n.Taps.Authors)
			}
			if got, want := shapes[v], shapes[g.Features]; !got.Equal(want) {
				t.Errorf("the authors' tap is %s, the head takes %s", got, want)
			}
		})
	}
}

func TestGrid(t *testing.T) {
	for _, c := range []struct {
		network string
		side    int
		tap     string
		h, w    int
	}{
		{"resnet50", 224, "pooled", 7, 7},
		{"resnet50", 224, "authors", 7, 7},
		{"resnet50", 96, "authors", 3, 3},
		{"resnet50", 225, "pooled", 8, 8},
		{"resnet50", 224, "layer4.0.downsample", 7, 7},
		{"resnet18", 64, "layer4.0.bn1", 2, 2},
		{"resnet_small", 96, "pooled", 12, 12},
		{"resnet_small", 96, "authors", 12, 12},
		{"densenet121", 224, "authors", 7, 7},
		{"densenet161", 224, "pooled", 7, 7},
		{"inception_v3", 299, "authors", 8, 8},
		{"xception", 299, "authors", 10, 10},
		{"xception", 299, "pooled", 10, 10},
		{"efficientnet_b0", 224, "authors", 7, 7},
		{"convnext_tiny", 224, "authors", 7, 7},
	} {
		t.Run(fmt.Sprint(c.network, "/", c.side, "/", c.tap), func(t *testing.T) {
			h, w, err := network(t, c.network).Grid(c.side, c.tap)
			if err != nil || h != c.h || w != c.w {
				t.Errorf("got %d x %d, %v; want %d x %d", h, w, err, c.h, c.w)
			}
		})
	}
}

func TestGridErrors(t *testing.T) {
	for _, c := range []struct {
		side int
		tap  string
		want string
	}{
		{224, "layer5", `network resnet18 has no module "layer5" to tap; take pooled (layer4), authors (layer4.1.conv2) or another module of as many channels`},
		{224, "fc", "network resnet18: the output of fc is 2: a map needs height and width"},
		{224, "layer3", "network resnet18: layer3 has 256 channels; a CAM needs the 512 that fc weighs, such as those of layer4"},
		{0, "pooled", "network resnet18 on 0 x 0 pixels: at conv1: a window of 7 x 7 does not fit into 3x0x0"},
	} {
		_, _, err := network(t, "resnet18").Grid(c.side, c.tap)
		if err == nil || err.Error() != c.want {
			t.Errorf("Grid(%d, %q):\n got %v\nwant %s", c.side, c.tap, err, c.want)
		}
	}
}

func TestShapeOf(t *testing.T) {
	for module, want := range map[string]string{"conv1": "64x112x112", "layer3.5.bn1": "256x14x14", "layer2": "512x28x28", "fc": "2"} {
		shape, err := network(t, "resnet50").ShapeOf(224, module)
		if err != nil || shape.String() != want {
			t.Errorf("%s: %s, %v; want %s", module, shape, err, want)
		}
	}
	if _, err := network(t, "resnet50").ShapeOf(224, "layer5"); err == nil {
		t.Error("a module that is not there has a shape")
	}
}

func TestMisfitNamesTheModule(t *testing.T) {
	for _, c := range []struct {
		layers nn.Layer
		want   string
	}{
		{nn.Module("a", nn.Conv("conv", 4, 8)), "at a.conv: a convolution of 4 channels gets 3x8x8"},
		{nn.Seq(nn.Conv("conv", 3, 8), nn.BatchNorm("bn", 3)), "at bn: a batch norm of 3 channels gets 8x8x8"},
		{nn.Residual(nn.Conv("conv", 3, 8), nn.Seq()), "at conv: a sum gets 8x8x8 and 3x8x8"},
		{nn.Conv("conv", 3, 8), "at fc: a linear layer of 5 inputs gets 8"},
	} {
		n := &nn.Network{Name: "x", Layers: c.layers, Head: nn.Linear{Name: "fc", In: 5, Out: 2}}
		_, err := n.Graph().Shapes(nn.Shape{3, 8, 8})
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// Writing over a tensor is safe only where neither another reader, a tap nor a gradient needs it.
func TestInPlace(t *testing.T) {
	block := nn.Residual(
		nn.Seq(nn.Conv("conv", 8, 8), nn.BatchNorm("bn", 8)),
		nn.Seq(),
	)
	n := &nn.Network{
		Layers: nn.Seq(nn.Conv("stem", 3, 8), nn.ReLU{}, nn.Module("block", block), nn.ReLU{}, nn.MaxPool(2), nn.ReLU{}),
		Head:   nn.Linear{Name: "fc", In: 8, Out: 2},
	}
	for _, c := range []struct {
		keep []string
		want string
	}{
		{nil, "stem ReLU! block.conv block.bn Add! ReLU! MaxPool2d ReLU Mean fc"},
		{[]string{"stem"}, "stem ReLU block.conv block.bn Add! ReLU! MaxPool2d ReLU Mean fc"},
		{[]string{"block.bn"}, "stem ReLU! block.conv block.bn Add ReLU! MaxPool2d ReLU Mean fc"},
		{[]string{"block"}, "stem ReLU! block.conv block.bn Add! ReLU MaxPool2d ReLU Mean fc"},
	} {
		g := n.Graph()
		var keep []nn.Value
		for _, module := range c.keep {
			v, ok := g.Value(module)
			if !ok {
				t.Fatalf("no module %s", module)
			}
			keep = append(keep, v)
		}
		var got []string
		for i, inPlace := range g.InPlace(keep...) {
			name := g.Steps[i].Name
			if name == "" {
				name = strings.TrimPrefix(fmt.Sprintf("%T", g.Steps[i].Operation), "nn.")
			}
			if inPlace {
				name += "!"
			}
			got = append(got, name)
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("keeping %v:\n got %s\nwant %s", c.keep, got, c.want)
		}
	}
}

func TestResNetSmallParameters(t *testing.T) {
	var got []string
	count := 0
	for _, p := range network(t, "resnet_small").Parameters() {
		if p.Trainable() {
			count += p.Shape.Numel()
			if strings.HasSuffix(p.Name, ".weight") && len(p.Shape) != 1 {
				got = append(got, p.Name+" "+p.Shape.String())
			}
		}
	}
	want := []string{
		"conv1.weight 16x3x5x5",
		"layer1.0.conv1.weight 16x16x3x3", "layer1.0.conv2.weight 16x16x3x3",
		"layer2.0.conv1.weight 32x16x3x3", "layer2.0.conv2.weight 32x32x3x3", "layer2.0.downsample.0.weight 32x16x1x1",
		"layer3.0.conv1.weight 64x32x3x3", "layer3.0.conv2.weight 64x64x1x1", "layer3.0.downsample.0.weight 64x32x1x1",
		"fc.weight 2x64",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if count != 45522 {
		t.Errorf("%d trainable values", count)
	}
}

// The names, shapes and order of torchvision's state_dict, and for Xception of timm's, for every network that they have.
func TestStateDictEqualsPyTorch(t *testing.T) {
	names := nn.Names()
	const script = `
import json, sys
out = {}
for name in sys.argv[1:]:
    with torch.device("meta"):
        net = build(name)
    learned = {k for k, _ in net.named_parameters()}
    out[name] = [[k, list(v.shape), k in learned, v.dtype == torch.int64] for k, v in net.state_dict().items()]
print(json.dumps(out))`
	var want map[string][][4]any
	if err := json.Unmarshal(testenv.RunPython(t, testenv.Networks+script, names...), &want); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			var got, reference []string
			for _, p := range network(t, name).Parameters() {
				got = append(got, fmt.Sprint(p.Name, []int(p.Shape), p.Trainable(), p.Kind == nn.Counter))
			}
			for _, p := range want[name] {
				reference = append(reference, fmt.Sprint(p[0], p[1], p[2], p[3]))
			}
			if diff := cmp.Diff(reference, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLookupTakesWholeNames(t *testing.T) {
	for _, name := range []string{"", "resnet", "ResNet50", "resnet500"} {
		if _, ok := nn.Lookup(name); ok {
			t.Errorf("%q is no network", name)
		}
	}
}
