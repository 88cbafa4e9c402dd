package nn_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/nn"
)

// Each level of a decoder joins the encoder's tensor of its scale: channels and height, coarse to fine, then the image's own
// height, where there is none.
func TestDecoderFollowsTheScales(t *testing.T) {
	for name, want := range map[string]string{
		"resnet18":        "256x14 128x28 64x56 64x112 0x224",
		"resnet50":        "1024x14 512x28 256x56 64x112 0x224",
		"resnet_small":    "16x24 16x48 0x96",
		"densenet121":     "512x14 256x28 128x56 64x112 0x224",
		"inception_v3":    "768x17 288x35 192x71 64x147 0x299",
		"xception":        "728x19 256x37 128x74 64x147 0x299",
		"efficientnet_b0": "672x14 240x28 144x56 96x112 0x224", // widened for the next stride
		"convnext_tiny":   "384x14 192x28 96x56 0x224",
	} {
		t.Run(name, func(t *testing.T) {
			n := network(t, name)
			auto, err := n.Autoencoder(nn.Decoder{Skips: true})
			if err != nil {
				t.Fatal(err)
			}
			g := auto.Graph()
			shapes, err := g.Shapes(nn.Shape{3, n.Input.Side, n.Input.Side})
			if err != nil {
				t.Fatal(err)
			}
			if got := shapes[g.Logits]; !got.Equal(nn.Shape{1, n.Input.Side, n.Input.Side}) {
				t.Errorf("the decoder draws %s", got)
			}
			var levels []string
			for i, step := range g.Steps {
				if _, ok := step.Operation.(nn.Enlarge); !ok {
					continue
				}
				joined := 0
				if next := g.Steps[i+1]; len(next.In) == 2 {
					joined = shapes[next.In[1]][0]
				}
				levels = append(levels, fmt.Sprintf("%dx%d", joined, shapes[i+1][1]))
			}
			if got := strings.Join(levels, " "); got != want {
				t.Errorf("levels %s, want %s", got, want)
			}
		})
	}
}

// An autoencoder has the encoder's tensors as the classifier has them, and those of its decoder; skips only widen levels.
func TestAutoencodersOfEveryNetwork(t *testing.T) {
	for _, name := range nn.Names() {
		t.Run(name, func(t *testing.T) {
			n := network(t, name)
			if n.HasAuxiliary() {
				if _, err := n.Autoencoder(nn.Decoder{}); err == nil || !strings.Contains(err.Error(), "auxiliary classifier") {
					t.Error(err)
				}
				return
			}
			names := func(params []nn.Param) (all []string) {
				for _, p := range params {
					all = append(all, p.Name+" "+p.Shape.String())
				}
				return all
			}
			encoder := names(n.Encoder())
			for _, skips := range []bool{true, false} {
				auto, err := n.Autoencoder(nn.Decoder{Skips: skips})
				if err != nil {
					t.Fatal(err)
				}
				own := slices.DeleteFunc(auto.Parameters(), func(p nn.Param) bool { return nn.OfDecoder(p.Name) })
				if d := cmp.Diff(encoder, names(own)); d != "" {
					t.Error(d)
				}
			}
			head := slices.DeleteFunc(names(n.Parameters()), func(p string) bool { return slices.Contains(encoder, p) })
			if len(head) == 0 || len(head)+len(encoder) != len(n.Parameters()) || !strings.HasPrefix(head[len(head)-1], n.Head.Name+".bias") {
				t.Errorf("beside the encoder there is %v", head)
			}
		})
	}
	if _, err := nn.Scripted(nn.Script{Path: "net.pt"}, nn.ImageNet(32), "", 2).Autoencoder(nn.Decoder{}); err == nil {
		t.Error("a network in TorchScript got a decoder")
	}
}
