package agreement

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/npy"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/pack/packtest"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// world is a made-up run: data sets of noise with maps on two of three images, and the CAMs of its models.
type world struct {
	t      testing.TB
	job    Job
	inputs map[string][]task.Input
	packs  map[string]string // by set
}

func newWorld(t testing.TB, p Params) *world {
	if p.Compare == "" {
		p.Compare, p.Repeat, p.Baseline = "loss", "seed", "cross_entropy"
	}
	if p.Metric == "" {
		p.Metric = "cc"
	}
	return &world{t: t, job: Job{Params: p, CAMs: map[string]Seen{}}, inputs: map[string][]task.Input{}, packs: map[string]string{}}
}

// data adds a set of images on a grid of cells x cells.
func (w *world) data(set string, images, cells int, maps ...string) {
	w.packs[set] = packtest.Noise(w.t, uint64(len(w.packs)+1), images, 24, cells, maps...)
	w.inputs[Data] = append(w.inputs[Data], task.Input{Node: "data." + set, Path: w.packs[set]})
}

// cams adds a node of cam: of each image the grid that draw makes of the image's human map (zeros where it has none).
func (w *world) cams(set, node string, axes map[string]string, keep bool, draw func(image int, human []float64) []float64) {
	w.t.Helper()
	data, err := pack.Open(w.packs[set])
	w.check(err)
	defer data.Close()
	h, width := data.Grid()
	folder := filepath.Join(w.t.TempDir(), "out")
	dir := filepath.Join(folder, "cams")
	w.check(os.MkdirAll(dir, 0o755))
	index := results.CAM{}
	var cells []byte
	var has []bool
	if len(data.MapNames()) > 0 {
		index.MapName = data.MapNames()[0] + " (simulated)"
		cells, has, err = data.Map(data.MapNames()[0])
		w.check(err)
	}
	var table strings.Builder
	fmt.Fprintf(&table, "path,label,score,predicted,%s\n", strings.Join(measureNames(), ","))
	var grids []float32
	mean, humanMean, mapped := make([]float64, h*width), make([]float64, h*width), 0.0
	for i, row := range data.Rows() {
		var human []float64
		full := make([]float64, h*width)
		if has != nil && has[i] {
			for k := range full {
				full[k] = float64(cells[i*len(full)+k]) / 255
				humanMean[k] += full[k]
			}
			human, mapped = full, mapped+1
		}
		grid := draw(i, full)
		unit := metrics.UnitRange(grid)
		if unit == nil {
			unit = make([]float64, len(grid))
		}
		fmt.Fprintf(&table, "%s,%s,0.25,Real", row.Path, row.Label)
		for _, v := range append(metrics.CompareMaps(unit, human, 0.5), metrics.Entropy(metrics.UnitRange(human))) {
			table.WriteString("," + digits(v, !math.IsNaN(v)))
		}
		table.WriteByte('\n')
		for k, v := range grid {
			grids = append(grids, float32(v))
			mean[k] += unit[k] / float64(data.Len())
		}
	}
	raw, err := json.Marshal(index)
	w.check(err)
	w.check(os.WriteFile(filepath.Join(dir, "index.json"), raw, 0o644))
	w.check(os.WriteFile(filepath.Join(dir, "agreement.csv"), []byte(table.String()), 0o644))
	single := func(m []float64, by float64) (out []float32) {
		for _, v := range m {
			out = append(out, float32(v*by))
		}
		return out
	}
	w.check(npy.Save(filepath.Join(dir, "mean.npy"), single(mean, 1), h, width))
	if mapped > 0 {
		w.check(npy.Save(filepath.Join(dir, "human_mean.npy"), single(humanMean, 1/mapped), h, width))
	}
	if keep {
		w.check(npy.Save(filepath.Join(dir, "grids.npy"), grids, data.Len(), h, width))
	}
	w.inputs[CAMs] = append(w.inputs[CAMs], task.Input{Node: node, Axes: axes, Path: folder})
	w.job.CAMs[node] = Seen{Data: "data." + set, Set: set, Points: 0.5}
}

// models adds a node for every loss and seed: CAMs are the human map with noise, more of it for cross_entropy.
func (w *world) models(set string, losses []string, seeds int) {
	for l, loss := range losses {
		for seed := 1; seed <= seeds; seed++ {
			random := rand.New(rand.NewPCG(uint64(seed), uint64(l)))
			w.cams(set, fmt.Sprintf("maps[loss=%s,seed=%d,set=%s]", loss, seed, set),
				map[string]string{"loss": loss, "seed": fmt.Sprint(seed), "set": set}, true, func(_ int, human []float64) []float64 {
					grid := make([]float64, len(human))
					for k, v := range human {
						grid[k] = math.Round(1000*(v+[]float64{1.5, 0.4}[l%2]*random.Float64())) / 1000
					}
					return grid
				})
		}
	}
}

// scored adds an evaluation.
func (w *world) scored(axes map[string]string, auc float64) {
	dir := w.t.TempDir()
	w.check(os.WriteFile(filepath.Join(dir, "metrics.json"), fmt.Appendf(nil, `{"metrics": {"auc": %g}}`, auc), 0o644))
	w.inputs[Scores] = append(w.inputs[Scores], task.Input{Node: "score", Axes: axes, Path: dir})
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// run does the stage.
func (w *world) run() (out string, a results.Agreement, err error) {
	w.t.Helper()
	params, err := json.Marshal(w.job)
	w.check(err)
	dir := w.t.TempDir()
	job, err := (&task.Task{Node: "looks", Params: params, Inputs: w.inputs}).In(dir)
	w.check(err)
	out = filepath.Join(dir, "out", "agreement")
	if err := Run(w.t.Context(), job); err != nil {
		return out, a, err
	}
	raw, err := os.ReadFile(filepath.Join(out, "agreement.json"))
	w.check(err)
	return out, a, json.Unmarshal(raw, &a)
}
