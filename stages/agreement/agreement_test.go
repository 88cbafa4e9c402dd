package agreement

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

var update = flag.Bool("update", false, "write the golden table")

func TestTableIsAsReviewed(t *testing.T) {
	w := newWorld(t, Params{Images: 2})
	w.data("u1", 9, 7, "human")
	w.data("u2", 4, 7)
	w.models("u1", []string{"cross_entropy", "cyborg"}, 3)
	w.models("u2", []string{"cyborg"}, 1)
	out, _, err := w.run()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(out, "agreement.csv"))
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "agreement.csv")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("agreement.csv differs; look at it, and write it with -update if it is right:\n%s", d)
	}
}

// Two models on four images whose values can be worked out: what is undefined is left out and counted.
func TestByHand(t *testing.T) {
	w := newWorld(t, Params{Images: 6, Mean: []string{"u1", "u9"}})
	w.data("u1", 4, 7, "human") // the third image has no map
	equal := func(_ int, human []float64) []float64 { return human }
	w.cams("u1", "maps[loss=cyborg,seed=1]", map[string]string{"loss": "cyborg", "seed": "1"}, true, equal)
	w.cams("u1", "maps[loss=cyborg,seed=2]", map[string]string{"loss": "cyborg", "seed": "2"}, true, func(i int, human []float64) []float64 {
		if i == 0 {
			return make([]float64, len(human)) // a constant CAM
		}
		grid := make([]float64, len(human))
		for k, v := range human {
			grid[k] = 1 - v
		}
		return grid
	})
	for set, auc := range map[string]float64{"u1": 0.5, "u9": 0.75, "seen": 0.1} {
		w.scored(map[string]string{"loss": "cyborg", "seed": "1", "set": set}, auc)
	}
	w.scored(map[string]string{"loss": "cyborg", "seed": "2", "set": "u1"}, 1) // and not on u9
	out, a, err := w.run()
	if err != nil {
		t.Fatal(err)
	}
	of := func(run int, images, metric string) results.Measure {
		for _, m := range a.Runs[run].Measures {
			if m.Images == images && m.Metric == metric {
				return m
			}
		}
		return results.Measure{N: -1}
	}
	for _, c := range []struct {
		run            int
		images, metric string
		n, undefined   int
		mean           float64
	}{
		{0, "all", "cc", 3, 1, 1}, {0, "all", "sim", 3, 1, 1}, {0, "all", "kl", 3, 1, 0}, {0, "all", "auc_judd", 3, 1, 1}, {0, "all", "pointing", 3, 1, 1},
		{0, "Real", "cc", 1, 1, 1}, {0, "Synthetic", "cc", 2, 0, 1},
		{1, "all", "cc", 2, 2, -1}, {1, "all", "auc_judd", 2, 2, 0}, {1, "all", "pointing", 2, 2, 0}, {1, "Real", "cc", 0, 2, 0},
		{1, "all", "entropy", 2, 2, of(1, "all", "entropy").Mean}, {1, "all", "human_entropy", 3, 1, of(0, "all", "entropy").Mean},
	} {
		got := of(c.run, c.images, c.metric)
		if got.N != c.n || got.Undefined != c.undefined || math.Abs(got.Mean-c.mean) > 1e-7 {
			t.Errorf("run %d, %s, %s: %+v, want n %d, undefined %d, mean %v", c.run, c.images, c.metric, got, c.n, c.undefined, c.mean)
		}
	}
	for _, c := range a.Cells {
		if c.Metric == "cc" && (c.N != 2 || math.Abs(c.Mean) > 1e-7 || math.Abs(c.SD-math.Sqrt2) > 1e-7) {
			t.Errorf("over the runs: %+v", c)
		}
	}
	// Of four images, the first has a constant CAM by seed 2 and the third, without map, by both.
	if len(a.Stability) != 1 || a.Stability[0].Pairs != 1 || a.Stability[0].Undefined != 2 || a.Stability[0].Images != 4 || !(a.Stability[0].Mean < 0) {
		t.Errorf("stability: %+v", a.Stability)
	}
	if len(a.AUC) != 1 || a.AUC[0].N != 1 || a.AUC[0].Mean != 0.625 {
		t.Errorf("AUC: %+v", a.AUC)
	}
	sheet := a.Sheets[0]
	if len(a.Sheets) != 1 || len(sheet.Best) != 2 || len(sheet.Worst) != 1 || sheet.Best[0].Value != 1 || sheet.Best[0].Path != "images/1_000.png" || math.Abs(sheet.Worst[0].Value) > 1e-7 {
		t.Errorf("sheets: %+v", a.Sheets)
	}
	if a.Map != "human (simulated)" {
		t.Errorf("the map is called %q", a.Map)
	}
	for _, name := range []string{"average", "cc", "entropy", "stability", "sheet_cyborg"} {
		for _, ending := range []string{".svg", ".png"} {
			if _, err := os.Stat(filepath.Join(out, name+ending)); err != nil {
				t.Error(err)
			}
		}
	}
	svg, err := os.ReadFile(filepath.Join(out, "average.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"AUC 0.625", "human (simulated)", "seed 1", "seed 2", "mean of 2"} {
		if !strings.Contains(string(svg), words) {
			t.Errorf("average.svg lacks %q", words)
		}
	}
}

// The stability over all pairs is the mean of SSIM between the CAMs of every two seeds, image by image.
func TestStabilityIsTheMeanOverImagesAndPairs(t *testing.T) {
	w := newWorld(t, Params{})
	w.data("u1", 5, 8, "human")
	grids := map[string][][]float64{}
	for i, seed := range []string{"4", "7", "9"} {
		w.cams("u1", "maps[seed="+seed+"]", map[string]string{"seed": seed}, true, func(image int, human []float64) []float64 {
			grid := make([]float64, len(human))
			for k := range grid {
				grid[k] = math.Sin(float64((i+2)*k + 3*image + i))
			}
			single := make([]float64, len(grid))
			for k, v := range grid {
				single[k] = float64(float32(v))
			}
			grids[seed] = append(grids[seed], metrics.UnitRange(single))
			return grid
		})
	}
	_, a, err := w.run()
	if err != nil {
		t.Fatal(err)
	}
	ssim := func(x, y string) (mean float64) {
		for i := range grids[x] {
			mean += metrics.NewStructure(grids[x][i], 8, 8).SSIM(metrics.NewStructure(grids[y][i], 8, 8)) / 5
		}
		return mean
	}
	want := []float64{ssim("4", "7"), ssim("4", "9"), ssim("7", "9")}
	if len(a.Stability) != 1 || len(a.Stability[0].Values) != 3 || a.Stability[0].Setting != "model" {
		t.Fatalf("stability: %+v", a.Stability)
	}
	for i, v := range a.Stability[0].Values {
		if math.Abs(v-want[i]) > 1e-12 {
			t.Errorf("pair %d: %v, want %v", i, v, want[i])
		}
	}
	if mean := (want[0] + want[1] + want[2]) / 3; math.Abs(a.Stability[0].Mean-mean) > 1e-12 {
		t.Errorf("mean %v, want %v", a.Stability[0].Mean, mean)
	}
}

func TestWhatCannotBeMeasuredIsLeftOutAndSaid(t *testing.T) {
	steep := func(i int, human []float64) []float64 {
		grid := make([]float64, len(human))
		for k := range grid {
			grid[k] = float64((k*7 + i) % 11)
		}
		return grid
	}
	seed := func(n string) map[string]string { return map[string]string{"loss": "cyborg", "seed": n} }
	for name, c := range map[string]struct {
		make func(*world)
		want func(results.Agreement) bool
	}{
		"one seed": {func(w *world) {
			w.data("u1", 4, 4, "human")
			w.cams("u1", "maps[loss=cyborg,seed=1]", seed("1"), true, steep)
		}, func(a results.Agreement) bool {
			return len(a.Stability) == 0 && len(a.Sheets) == 1 && len(a.Notes) == 0 && a.Cells[0].N == 1 && a.Cells[0].SD == 0
		}},
		"no maps": {func(w *world) {
			w.data("u1", 4, 4)
			w.cams("u1", "maps[loss=cyborg,seed=1]", seed("1"), true, steep)
			w.cams("u1", "maps[loss=cyborg,seed=2]", seed("2"), true, steep)
		}, func(a results.Agreement) bool {
			return len(a.Sheets) == 0 && a.Map == "" && len(a.Cells) == 1 && a.Cells[0].Metric == "entropy" &&
				len(a.Notes) == 1 && strings.HasPrefix(a.Notes[0], "No image has a map") && a.Stability[0].Mean == 1
		}},
		"grids not kept": {func(w *world) {
			w.data("u1", 4, 4, "human")
			w.cams("u1", "maps[loss=cyborg,seed=1]", seed("1"), true, steep)
			w.cams("u1", "maps[loss=cyborg,seed=2]", seed("2"), false, steep)
		}, func(a results.Agreement) bool {
			return len(a.Stability) == 0 && len(a.Sheets) == 0 && strings.Contains(a.Notes[0], "were not kept") && a.Cells[0].N == 2
		}},
		"other data for each seed": {func(w *world) {
			w.data("u1", 4, 4, "human")
			w.data("u2", 4, 4, "human")
			w.cams("u1", "maps[loss=cyborg,seed=1]", seed("1"), true, steep)
			w.cams("u2", "maps[loss=cyborg,seed=2]", seed("2"), true, steep)
			w.job.CAMs["maps[loss=cyborg,seed=2]"] = Seen{Data: "data.u2", Set: "u1"}
		}, func(a results.Agreement) bool {
			return len(a.Stability) == 0 && strings.Contains(a.Notes[0], "different data")
		}},
		"one image": {func(w *world) {
			w.data("u1", 1, 4, "human")
			w.cams("u1", "maps[loss=cyborg,seed=1]", seed("1"), true, steep)
		}, func(a results.Agreement) bool {
			return len(a.Sheets[0].Best) == 1 && len(a.Sheets[0].Worst) == 0 && len(a.Runs[0].Measures) == 2*len(measureNames())
		}},
		"all CAMs constant": {func(w *world) {
			w.data("u1", 4, 4, "human")
			for _, n := range []string{"1", "2"} {
				w.cams("u1", "maps[loss=cyborg,seed="+n+"]", seed(n), true, func(_ int, human []float64) []float64 { return make([]float64, len(human)) })
			}
		}, func(a results.Agreement) bool {
			return len(a.Stability) == 0 && len(a.Sheets) == 0 && len(a.Cells) == 1 && a.Cells[0].Metric == humanEntropy
		}},
		"two stages on one set": {func(w *world) {
			w.data("u1", 4, 4, "human")
			w.cams("u1", "maps[loss=cyborg,seed=1]", seed("1"), true, steep)
			w.cams("u1", "others[loss=cyborg,seed=1]", seed("1"), true, steep)
		}, func(a results.Agreement) bool { return cmp.Equal(a.Sets, []string{"u1 (maps)", "u1 (others)"}) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Params{Images: 2})
			c.make(w)
			_, a, err := w.run()
			if err != nil {
				t.Fatal(err)
			}
			if !c.want(a) {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	good := func(t *testing.T) *world {
		w := newWorld(t, Params{})
		w.data("u1", 3, 4, "human")
		w.models("u1", []string{"cyborg"}, 2)
		return w
	}
	file := func(w *world, name string) string { return filepath.Join(w.inputs[CAMs][0].Path, "cams", name) }
	for want, spoil := range map[string]func(w *world){
		`its data set "data.u1" is not at hand`: func(w *world) { w.inputs[Data] = nil },
		"are the same loss, seed and set":       func(w *world) { w.inputs[CAMs][1].Axes = w.inputs[CAMs][0].Axes },
		"the header is not path,label":          func(w *world) { w.check(os.WriteFile(file(w, "agreement.csv"), []byte("a,b\n"), 0o644)) },
		"line 2: cc \"x\" is no number": func(w *world) {
			raw, err := os.ReadFile(file(w, "agreement.csv"))
			w.check(err)
			head, rest, _ := strings.Cut(string(raw), "Real,")
			_, rest, _ = strings.Cut(rest, "Real,")
			_, rest, _ = strings.Cut(rest, ",")
			w.check(os.WriteFile(file(w, "agreement.csv"), []byte(head+"Real,0.25,Real,x,"+rest), 0o644))
		},
		"it ends before its array does": func(w *world) {
			raw, err := os.ReadFile(file(w, "grids.npy"))
			w.check(err)
			w.check(os.WriteFile(file(w, "grids.npy"), raw[:len(raw)-4], 0o644))
		},
		"mean.npy": func(w *world) { w.check(os.Remove(file(w, "mean.npy"))) },
	} {
		t.Run(want, func(t *testing.T) {
			w := good(t)
			spoil(w)
			out, _, err := w.run()
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
			if _, err := os.Stat(filepath.Join(out, "agreement.json")); err == nil {
				t.Error("a result was written all the same")
			}
		})
	}
}

func TestTheSameInputsGiveTheSameBytes(t *testing.T) {
	w := newWorld(t, Params{Images: 3, Metric: "kl"})
	w.data("u1", 8, 4, "human")
	w.models("u1", []string{"cross_entropy", "cyborg"}, 2)
	first, a, err := w.run()
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := w.run()
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(first)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 14 {
		t.Errorf("%d files, 14 expected: six figures twice, agreement.csv, agreement.json", len(files))
	}
	for _, f := range files {
		x, err := os.ReadFile(filepath.Join(first, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(second, f.Name()))
		if err != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs (%v)", f.Name(), err)
		}
	}
	for _, s := range a.Sheets { // of KL, less is better
		if s.Best[0].Value > s.Best[1].Value || s.Best[len(s.Best)-1].Value > s.Worst[0].Value {
			t.Errorf("%s: %+v then %+v", s.Setting, s.Best, s.Worst)
		}
	}
	if len(a.Sheets) != 2 {
		t.Errorf("%d sheets", len(a.Sheets))
	}
}

func TestEnds(t *testing.T) {
	var all []candidate
	for _, v := range []float64{3, 1, 2, 2, 5} {
		all = append(all, candidate{value: v, row: len(all)})
	}
	for n, want := range map[int][2][]int{0: {}, 1: {{4}, {1}}, 2: {{4, 0}, {3, 1}}, 9: {{4, 0, 2}, {3, 1}}} {
		best, worst := ends(append([]candidate(nil), all...), n, false)
		var got [2][]int
		for _, c := range best {
			got[0] = append(got[0], c.row)
		}
		for _, c := range worst {
			got[1] = append(got[1], c.row)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%d: %s", n, d)
		}
	}
}

// The average CAM of each set stands by itself, beside the map of its own images, or that of another set that is named.
func TestAveragesOfSeveralSets(t *testing.T) {
	w := newWorld(t, Params{})
	w.data("people", 3, 5, "human")
	w.data("unseen", 3, 5)
	for _, set := range []string{"people", "unseen"} {
		w.cams(set, "maps[loss=cyborg,seed=1,set="+set+"]", map[string]string{"loss": "cyborg", "seed": "1", "set": set}, true,
			func(image int, human []float64) []float64 {
				grid := make([]float64, 25)
				for k := range grid {
					grid[k] = float64(image + k)
				}
				return grid
			})
	}
	out, _, err := w.run()
	if err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(filepath.Join(out, "average.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{">cyborg on people<", ">cyborg on unseen<", ">human (simulated)<", ">human (simulated) of people<"} {
		if n := strings.Count(string(svg), words); n != 1 {
			t.Errorf("average.svg has %q %d times", words, n)
		}
	}
}
