package annotation_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// python runs a script that prints one JSON value, with v as JSON in a file whose name is its first argument.
func python[T any](t *testing.T, script string, v any) (out T) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "in.json")
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(testenv.RunPython(t, "import json, sys\nimport numpy as np\nv = json.load(open(sys.argv[1]))\n"+script, file), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// far is the largest difference of two lists.
func far(t *testing.T, a, b []float64) (largest float64) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%d values, Python has %d", len(a), len(b))
	}
	for i := range a {
		largest = max(largest, math.Abs(a[i]-b[i]))
	}
	return largest
}

func noise(w, h int, seed uint64) *annotation.Map {
	random, m := rand.New(rand.NewPCG(seed, 0)), annotation.NewMap(w, h)
	for i := range m.V {
		m.V[i] = random.Float64()
	}
	return m
}

// The fixations of all viewers of a real photograph, by duration, are NumPy's sum of Gaussians; and, put into the pixels that
// they lie in, those of SciPy's filter.
func TestSpreadOfRealFixations(t *testing.T) {
	file, err := os.Open(testenv.Shared(t, "data/osie/fixations.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	set, err := annotation.ReadFixations(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Images) != 70 || len(set.Images["1002.jpg"]) != 15 {
		t.Fatalf("%d images, %d viewers of 1002.jpg", len(set.Images), len(set.Images["1002.jpg"]))
	}
	const w, h, sigma = 400, 300, 12
	var points, centred []annotation.Point
	for _, record := range set.Images["1002.jpg"] {
		for _, p := range record.Points {
			p.X, p.Y = p.X/2, p.Y/2
			points = append(points, p)
			if p.Inside(w, h) {
				centred = append(centred, annotation.Point{X: math.Floor(p.X) + 0.5, Y: math.Floor(p.Y) + 0.5, Weight: p.Weight})
			}
		}
	}
	sum := annotation.NewMap(w, h)
	sum.Spread(points, sigma)
	want := python[[]float64](t, `
y, x = np.mgrid[0:300, 0:400] + 0.5
total = sum(p["Weight"] * np.exp(-((x - p["X"])**2 + (y - p["Y"])**2) / (2 * 12**2)) for p in v)
print(json.dumps(total.ravel().tolist()))`, points)
	if d := far(t, sum.V, want); d > 1e-7*sum.Max() {
		t.Errorf("differs from the sum of Gaussians by up to %g of %g", d, sum.Max())
	}
	grid := annotation.NewMap(w, h)
	grid.Spread(centred, sigma)
	want = python[[]float64](t, `
from scipy.ndimage import gaussian_filter
m = np.zeros((300, 400))
for p in v:
    m[int(p["Y"]), int(p["X"])] += p["Weight"]
m = gaussian_filter(m, 12, mode="constant", truncate=6) * (2 * np.pi * 12**2)
print(json.dumps(m.ravel().tolist()))`, centred)
	if d := far(t, grid.V, want); d > 1e-6*grid.Max() {
		t.Errorf("differs from SciPy's filter by up to %g of %g", d, grid.Max())
	}
}

func TestSmoothAsSciPy(t *testing.T) {
	m := noise(37, 23, 1)
	want := python[[][]float64](t, `
from scipy.ndimage import gaussian_filter
print(json.dumps([gaussian_filter(np.array(v).reshape(23, 37), sigma).ravel().tolist() for sigma in (0.4, 2, 7.3, 40)]))`, m.V)
	for k, sigma := range []float64{0.4, 2, 7.3, 40} { // the last reaches over the picture several times
		if d := far(t, m.Smooth(sigma).V, want[k]); d > 1e-12 {
			t.Errorf("sigma %v: differs by up to %g", sigma, d)
		}
	}
}

func TestAreaAsSciPy(t *testing.T) {
	m := noise(60, 40, 2).Smooth(1.2)
	m.Scale(1 / m.Max())
	filled, err := m.Grain(annotation.Area, 0.6)
	if err != nil {
		t.Fatal(err)
	}
	type filling struct {
		Filled []float64
		Holes  int
	}
	want := python[filling](t, `
from scipy.ndimage import binary_fill_holes
m = np.array(v).reshape(40, 60) >= 0.6
filled = binary_fill_holes(m)
print(json.dumps({"Filled": filled.astype(float).ravel().tolist(), "Holes": int(filled.sum() - m.sum())}))`, m.V)
	if want.Holes == 0 {
		t.Fatal("there are no holes to fill")
	}
	if d := far(t, filled.V, want.Filled); d > 0 {
		t.Error("other holes than SciPy's are filled")
	}
}

// Polygons cover what Pillow's do when it draws them sixteen times as large; those made on an image of half the size, what
// they do once they are drawn twice as large.
func TestPolygonsAsPillow(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 0))
	polygons := make([][]float64, 20)
	for k := range polygons {
		polygons[k] = make([]float64, 2*(3+random.IntN(9)))
		for i := range polygons[k] {
			polygons[k][i] = math.Round(random.Float64()*60-5) + 0.5
		}
	}
	want := python[[][]float64](t, `
from PIL import Image, ImageDraw
out = []
for p in v:
    big = Image.new("L", (50 * 16, 40 * 16))
    ImageDraw.Draw(big).polygon([(p[i] * 16 - 0.5, p[i + 1] * 16 - 0.5) for i in range(0, len(p), 2)], fill=1)
    out.append(np.array(big, float).reshape(40, 16, 50, 16).mean((1, 3)).ravel().tolist())
print(json.dumps(out))`, polygons)
	for k, values := range polygons {
		text, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		set, err := annotation.ReadCOCO(strings.NewReader(`{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"segmentation":[`+string(text)+`]}]}`), true, nil)
		if err != nil {
			t.Fatal(err)
		}
		region := set.Images["a"][0].Regions[0]
		region.EvenOdd = true // as Pillow fills
		half := annotation.Region{EvenOdd: true, W: 25, H: 20, Lines: [][]annotation.Vec{nil}}
		for _, v := range region.Lines[0] {
			half.Lines[0] = append(half.Lines[0], annotation.Vec{X: v.X / 2, Y: v.Y / 2})
		}
		for name, region := range map[string]annotation.Region{"as it is": region, "from half the size": half.Scaled(50, 40)} {
			m := annotation.NewMap(50, 40)
			m.Draw(region, 1)
			mean := 0.0
			for i := range m.V {
				mean += math.Abs(m.V[i]-want[k][i]) / float64(len(m.V))
			}
			if d := far(t, m.V, want[k]); d > 0.2 || mean > 0.01 { // Pillow also draws the outline, one of its pixels wide
				t.Errorf("%v %s: differs by up to %.3f, %.4f in the mean", values, name, d, mean)
			}
		}
	}
}

func TestPairsAsNumPy(t *testing.T) {
	maps := []*annotation.Map{noise(20, 15, 4).Smooth(1), noise(20, 15, 5).Smooth(2), noise(20, 15, 6)}
	want := python[[]annotation.Pair](t, `
m = [np.array(x["V"]) for x in v]
out = []
for a in range(3):
    for b in range(a + 1, 3):
        p, q = m[a] >= m[a].max() / 2, m[b] >= m[b].max() / 2
        out.append({"CC": np.corrcoef(m[a], m[b])[0, 1], "IoU": (p & q).sum() / (p | q).sum()})
print(json.dumps(out))`, maps)
	for i, p := range annotation.Pairs(maps) {
		if math.Abs(p.CC-want[i].CC) > 1e-12 || math.Abs(p.IoU-want[i].IoU) > 1e-12 {
			t.Errorf("pair %d: %v, NumPy has %v", i, p, want[i])
		}
	}
}
