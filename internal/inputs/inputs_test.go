package inputs_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/inputs"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/pack/packtest"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

func open(t *testing.T, path string) *pack.Set {
	t.Helper()
	set, err := pack.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	return set
}

// The figures are those of torchvision's normalised tensors.
func TestMeasureEqualsTorchvision(t *testing.T) {
	set := open(t, packtest.Noise(t, 3, 10, 20, 5))
	raw := filepath.Join(t.TempDir(), "pixels")
	if err := os.WriteFile(raw, set.Pixels(), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
import json, sys, numpy, torch
from torchvision.transforms.functional import normalize
x = torch.from_numpy(numpy.fromfile(sys.argv[1], dtype=numpy.uint8).reshape(10, 20, 20, 3)).permute(0, 3, 1, 2)
y = normalize(x.double() / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
print(json.dumps([[c.mean().item(), c.std(correction=0).item(), c.min().item(), c.max().item()] for c in y.unbind(1)]))`
	var want [3][4]float64
	if err := json.Unmarshal(testenv.RunPython(t, script, raw), &want); err != nil {
		t.Fatal(err)
	}
	for i, c := range inputs.Measure(set, nn.ImageNet(20)) {
		for k, got := range []float64{c.Mean, c.SD, c.Min, c.Max} {
			if math.Abs(got-want[i][k]) > 1e-12 {
				t.Errorf("%s: figure %d is %v, torchvision's %v", c.Name, k, got, want[i][k])
			}
		}
	}
}

func TestChooseSpreadsOverLabels(t *testing.T) {
	set := open(t, packtest.Noise(t, 1, 20, 8, 2)) // Real and Synthetic in turn
	if diff := cmp.Diff([]int{0, 6, 12, 1, 11}, inputs.Choose(set, 5)); diff != "" {
		t.Error(diff)
	}
	all := inputs.Choose(set, 100)
	slices.Sort(all)
	if len(all) != 20 || len(slices.Compact(all)) != 20 {
		t.Errorf("of 20 images: %v", all)
	}
}

// The page shows each image with its maps, says which image has none, and refers to nothing outside of itself.
func TestPage(t *testing.T) {
	set := open(t, packtest.Noise(t, 1, 6, 8, 2, "human"))
	var page strings.Builder
	err := inputs.Write(&page, "mine <b>", 6, []inputs.Dataset{{Name: "train", Network: "resnet18", Input: nn.ImageNet(8), Set: set}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		"<figure>": 6, `<img src="data:image/png;base64,`: 6 + 4, "no map</span>": 2, "mine &lt;b&gt;": 2, "4 of 6 images (simulated": 1,
		"6 images, 3 Real, 3 Synthetic; 8 x 8 pixels; maps on a grid of 2 x 2": 1, "http": 0,
	} {
		if got := strings.Count(page.String(), text); got != want {
			t.Errorf("%q is there %d times, want %d", text, got, want)
		}
	}
}
