package worker

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/npy"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/pack/packtest"
	"github.com/cyborg-run/cyborg-run/stages/cam"
)

// Every image has its row and its grid, in the order of the set; the measures are those of the CAM by hand and the image's
// own map, and empty where it has none.
func TestTableAndGrids(t *testing.T) {
	final, data := weights(t), packtest.Noise(t, 1, 9, 32, 4, "human")
	set, err := pack.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	cells, has, err := set.Map("human")
	if err != nil {
		t.Fatal(err)
	}
	const share = 0.7
	dir, index := explain(t, final, data, cam.Params{Images: 2, Class: "predicted", Tap: "pooled", Map: "human", Batch: 4, Points: share, Grids: 9})
	file, err := os.Open(filepath.Join(dir, "agreement.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Concat([]string{"path", "label", "score", "predicted"}, metrics.MapNames, []string{"human_entropy"}); !slices.Equal(rows[0], want) {
		t.Fatalf("header %v", rows[0])
	}
	grids, shape, err := npy.Load(filepath.Join(dir, "grids.npy"), 9*4*4)
	if err != nil || !slices.Equal(shape, []int{9, 4, 4}) || len(rows) != 1+9 {
		t.Fatalf("%d rows, grids of shape %v, %v", len(rows)-1, shape, err)
	}
	total, defined := 0.0, 0.0
	for i, row := range set.Rows() {
		got := rows[1+i]
		grid, predicted := byHand(t, final, set, i, -1)
		if got[0] != row.Path || got[1] != row.Label || got[3] != metrics.Label(predicted) {
			t.Errorf("image %d: %v", i, got)
		}
		if score, err := strconv.ParseFloat(got[2], 64); err != nil || (score > 0.5) != (predicted == metrics.Synthetic) {
			t.Errorf("image %d: score %s, predicted class %d", i, got[2], predicted)
		}
		var human []float64
		if has[i] {
			for _, v := range cells[i*16 : i*16+16] {
				human = append(human, float64(v)/255)
			}
		}
		want := append(metrics.CompareMaps(metrics.UnitRange(grid), human, share), metrics.Entropy(metrics.UnitRange(human)))
		for k, v := range want {
			if text := got[4+k]; (text == "") != math.IsNaN(v) || text != "" && math.Abs(number(t, text)-v) > 1e-4*(1+math.Abs(v)) {
				t.Errorf("image %d: %s is %q, by hand %v", i, rows[0][4+k], text, v)
			}
		}
		for k, v := range grid {
			if math.Abs(float64(grids[16*i+k])-v) > 1e-4*(1+math.Abs(v)) {
				t.Fatalf("image %d: cell %d of its grid is %v, by hand %v", i, k, grids[16*i+k], v)
			}
		}
		if got[4] != "" {
			total, defined = total+number(t, got[4]), defined+1
		}
	}
	if defined != 6 || math.Abs(index.Human-total/defined) > 1e-7 {
		t.Errorf("the index has the correlation %v, the table %v over %v images", index.Human, total/defined, defined)
	}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Grids are kept up to the number of images that was asked for; the averages as numbers always.
func TestGridsAreBounded(t *testing.T) {
	final := weights(t)
	for grids, want := range map[int]bool{0: false, 4: false, 5: true} {
		dir, _ := explain(t, final, packtest.Noise(t, 1, 5, 32, 4), cam.Params{Class: "predicted", Tap: "pooled", Map: "human", Batch: 2, Points: 0.5, Grids: grids})
		if _, err := os.Stat(filepath.Join(dir, "grids.npy")); (err == nil) != want {
			t.Errorf("5 images, grids: %d: %v", grids, err)
		}
		if mean, shape, err := npy.Load(filepath.Join(dir, "mean.npy"), 16); err != nil || !slices.Equal(shape, []int{4, 4}) || slices.Max(mean) > 1 {
			t.Errorf("mean.npy: %v %v %v", mean, shape, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "human_mean.npy")); err == nil {
			t.Error("an average of human maps, where there are none")
		}
	}
}
