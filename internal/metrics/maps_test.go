package metrics

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

func TestSSIMEqualsScikitImage(t *testing.T) {
	var golden struct {
		Cases []struct {
			A, B [][]float64
			SSIM float64
		}
	}
	raw, err := os.ReadFile(filepath.Join("testdata", "ssim.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) < 20 {
		t.Fatalf("%d cases", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		h, w := len(c.A), len(c.A[0])
		if got := NewStructure(flat(c.A), h, w).SSIM(NewStructure(flat(c.B), h, w)); math.Abs(got-c.SSIM) > 1e-12 {
			t.Errorf("%dx%d: %v, scikit-image %v", h, w, got, c.SSIM)
		}
	}
}

func TestSSIMIsSymmetricAndOneForEqualMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, w := rapid.IntRange(1, 15).Draw(t, "h"), rapid.IntRange(1, 15).Draw(t, "w")
		unit := rapid.SliceOfN(rapid.Float64Range(0, 1), h*w, h*w)
		a, b := NewStructure(unit.Draw(t, "a"), h, w), NewStructure(unit.Draw(t, "b"), h, w)
		if one := a.SSIM(a); math.Abs(one-1) > 1e-12 {
			t.Fatalf("a map with itself: %v", one)
		}
		if ab, ba := a.SSIM(b), b.SSIM(a); ab != ba || ab > 1+1e-12 || ab < -1-1e-12 {
			t.Fatalf("%v and %v", ab, ba)
		}
	})
}

const saliencyPython = `
import sys, json, numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score
out = []
for m, human, share in json.load(open(sys.argv[1])):
    m, human = np.array(m), np.array(human)
    h = (human - human.min()) / (human.max() - human.min())
    p, q = m / m.sum(), h / h.sum()
    y = h >= share
    e = np.finfo(float).eps
    z = stats.zscore(m)
    top = m == m.max()
    out.append([stats.pearsonr(m, h)[0], np.minimum(p, q).sum(), (q * np.log(e + q / (p + e))).sum(), z[y].mean(),
                roc_auc_score(y, m), stats.entropy(p), y[top].mean()])
print(json.dumps(out))`

// Every measure against NumPy, SciPy and scikit-learn, on maps with few levels and so with many ties.
func TestCompareMapsAgainstPython(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var cases [][3]any
	for _, cells := range []int{4, 49, 64, 100, 144, 196} {
		for _, levels := range []int{2, 5, 255} {
			draw := func() []float64 {
				m := make([]float64, cells)
				for i := range m {
					m[i] = float64(random.IntN(levels+1)) / float64(levels)
				}
				m[0], m[1] = 0, 1 // unit range
				return m
			}
			human := draw()
			human[0], human[1] = 0.5, 0 // not in unit range in general
			human[2] = 0.9
			cases = append(cases, [3]any{draw(), human, 0.25 + 0.75*random.Float64()})
		}
	}
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "maps.json")
	if err := os.WriteFile(file, input, 0o644); err != nil {
		t.Fatal(err)
	}
	var want [][]float64
	if err := json.Unmarshal(testenv.RunPython(t, saliencyPython, file), &want); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		got := CompareMaps(c[0].([]float64), c[1].([]float64), c[2].(float64))
		for k, name := range MapNames {
			if math.Abs(got[k]-want[i][k]) > 1e-12*math.Max(1, math.Abs(want[i][k])) {
				t.Errorf("case %d: %s %v, Python %v", i, name, got[k], want[i][k])
			}
		}
	}
}

func TestCompareMapsByHand(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		cam, human []float64
		share      float64
		want       []float64 // by MapNames
	}{
		"equal":         {[]float64{0, 0, 1, 1}, []float64{0, 0, 9, 9}, 0.5, []float64{1, 1, 0, 1, 1, math.Ln2, 1}},
		"opposite":      {[]float64{1, 1, 0, 0}, []float64{0, 0, 9, 9}, 0.5, []float64{-1, 0, -math.Log(0x1p-52) - math.Ln2, -1, 0, math.Ln2, 0}},
		"tied":          {[]float64{1, 0, 1, 0}, []float64{0, 0, 9, 9}, 0.5, []float64{0, 0.5, nan, 0, 0.5, math.Ln2, 0.5}},
		"no map":        {[]float64{0, 1, 0, 0}, nil, 0.5, []float64{nan, nan, nan, nan, nan, 0, nan}},
		"constant map":  {[]float64{0, 1, 0, 0}, []float64{3, 3, 3, 3}, 0.5, []float64{nan, nan, nan, nan, nan, 0, nan}},
		"constant CAM":  {[]float64{0, 0, 0, 0}, []float64{0, 0, 9, 9}, 0.5, []float64{nan, nan, nan, nan, nan, nan, nan}},
		"empty":         {nil, nil, 0.5, []float64{nan, nan, nan, nan, nan, nan, nan}},
		"all are below": {[]float64{0, 0, 1, 1}, []float64{0, 4, 9, 5}, 1, []float64{nan, nan, nan, 1, 5.0 / 6, math.Ln2, 0.5}},
	} {
		t.Run(name, func(t *testing.T) {
			got := CompareMaps(c.cam, c.human, c.share)
			for k, want := range c.want {
				if name == "tied" && k == 2 || name == "all are below" && k < 3 {
					continue // without a round value
				}
				if math.IsNaN(want) != math.IsNaN(got[k]) || math.Abs(got[k]-want) > 1e-9 {
					t.Errorf("%s: %v, want %v", MapNames[k], got[k], want)
				}
			}
		})
	}
}

func TestMarked(t *testing.T) {
	for share, want := range map[float64][]int{0.5: {1, 2}, 1: {2}, 0.51: {2}, 0.001: {1, 2}} {
		if got := Marked([]float64{2, 3, 4, 2}, share); !slices.Equal(got, want) {
			t.Errorf("from %v on: %v, want %v", share, got, want)
		}
	}
	if got := Marked([]float64{2, 2}, 0.5); got != nil {
		t.Errorf("a constant map has the points %v", got)
	}
}

func TestEntropyLiesBelowItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 200).Draw(t, "map")
		if e := Entropy(m); e < 0 || e > math.Log(float64(len(m)))+1e-12 {
			t.Fatalf("%v of %d cells", e, len(m))
		}
	})
}
