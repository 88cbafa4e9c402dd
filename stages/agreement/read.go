package agreement

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/naming"
	"github.com/cyborg-run/cyborg-run/internal/npy"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// humanEntropy is the measure that agreement.csv has beside metrics.MapNames.
const humanEntropy = "human_entropy"

// measureNames are the measures in the order in which tables show them.
func measureNames() []string { return append(slices.Clone(metrics.MapNames), humanEntropy) }

// run is one model on one data set, with the folder of its CAMs.
type run struct {
	results.AgreementRun
	folder  string
	mapName string
	data    string // the packed data set
	h, w    int    // of a CAM, in cells
	grids   bool   // the CAMs of all images are there
}

func readRuns(t *task.Task, job Job, names naming.Names) ([]run, error) {
	packs := map[string]string{}
	for _, in := range t.Inputs[Data] {
		packs[in.Node] = in.Path
	}
	sets := setNames(t.Inputs[CAMs], job)
	type place struct{ setting, repeat, set string }
	taken := map[place]string{}
	var runs []run
	for _, in := range t.Inputs[CAMs] {
		seen, known := job.CAMs[in.Node]
		data, there := packs[seen.Data]
		if !known || !there {
			return nil, fmt.Errorf("agreement of %s: its data set %q is not at hand", in.Node, seen.Data)
		}
		r := run{folder: filepath.Join(in.Path, "cams"), data: data, AgreementRun: results.AgreementRun{
			Node: in.Node, Axes: in.Axes, Setting: names.Setting(in.Axes), Set: sets[in.Node], Repeat: in.Axes[names.Repeat], Points: seen.Points}}
		at := place{r.Setting, r.Repeat, r.Set}
		if other, twice := taken[at]; twice {
			return nil, fmt.Errorf("agreement: %s and %s are the same %s, %s and set; give one of their stages another matrix axis",
				other, in.Node, names.Compare, names.Repeat)
		}
		taken[at] = in.Node
		if err := r.read(); err != nil {
			return nil, fmt.Errorf("agreement of %s: %w", in.Node, err)
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// setNames names the data set of each node; where two stages explain the same one, the stage's name is with it.
func setNames(inputs []task.Input, job Job) map[string]string {
	stage := func(node string) string { name, _, _ := strings.Cut(node, "["); return name }
	stages := map[string][]string{} // by set
	for _, in := range inputs {
		set := job.CAMs[in.Node].Set
		stages[set] = appendNew(stages[set], stage(in.Node))
	}
	names := map[string]string{}
	for _, in := range inputs {
		set := job.CAMs[in.Node].Set
		names[in.Node] = set
		if len(stages[set]) > 1 {
			names[in.Node] = fmt.Sprintf("%s (%s)", set, stage(in.Node))
		}
	}
	return names
}

// read measures a run over its images.
func (r *run) read() error {
	var index results.CAM
	raw, err := os.ReadFile(filepath.Join(r.folder, "index.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return fmt.Errorf("read index.json: %w", err)
	}
	r.mapName = index.MapName
	mean, err := npy.Open(filepath.Join(r.folder, "mean.npy"))
	if err != nil {
		return err
	}
	defer mean.Close()
	if len(mean.Shape) != 2 {
		return fmt.Errorf("mean.npy has the shape %v", mean.Shape)
	}
	r.h, r.w = mean.Shape[0], mean.Shape[1]
	r.Cells = r.h * r.w
	if _, err := os.Stat(filepath.Join(r.folder, "grids.npy")); err == nil {
		r.grids = true
	}
	const all = "all"
	labels := []string{all}
	sums := map[string][]moments{all: make([]moments, len(measureNames()))}
	err = r.eachImage(func(row imageRow) {
		if sums[row.label] == nil && row.label != "" {
			labels = append(labels, row.label)
			sums[row.label] = make([]moments, len(row.values))
		}
		r.Images++
		for k, v := range row.values {
			sums[all][k].add(v)
			if row.label != "" {
				sums[row.label][k].add(v)
			}
		}
	})
	slices.Sort(labels[1:])
	for _, label := range labels {
		for k, name := range measureNames() {
			m := sums[label][k]
			r.Measures = append(r.Measures, results.Measure{Images: label, Metric: name, N: m.n, Undefined: m.undefined, Mean: m.mean, SD: m.sd()})
		}
	}
	return err
}

// measure is a run's mean of a measure over all images.
func measure(r results.AgreementRun, metric string) (mean float64, ok bool) {
	for _, m := range r.Measures {
		if m.Images == "all" && m.Metric == metric {
			return m.Mean, m.N > 0
		}
	}
	return 0, false
}

// imageRow is one row of a node's agreement.csv; undefined measures are NaN.
type imageRow struct {
	path, label string
	values      []float64 // by measureNames
}

// eachImage reads the rows one by one; a row is valid until the next.
func (r *run) eachImage(each func(imageRow)) error {
	name := filepath.Join(r.folder, "agreement.csv")
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	in := csv.NewReader(file)
	in.ReuseRecord = true
	want := append([]string{"path", "label", "score", "predicted"}, measureNames()...)
	header, err := in.Read()
	if err != nil || !slices.Equal(header, want) {
		return fmt.Errorf("read %s: the header is not %s", name, strings.Join(want, ","))
	}
	row := imageRow{values: make([]float64, len(want)-4)}
	for {
		record, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		row.path, row.label = record[0], record[1]
		for k, text := range record[4:] {
			row.values[k] = undefined
			if text == "" {
				continue
			}
			if row.values[k], err = strconv.ParseFloat(text, 64); err != nil {
				line, _ := in.FieldPos(4 + k)
				return fmt.Errorf("read %s: line %d: %s %q is no number", name, line, want[4+k], text)
			}
		}
		each(row)
	}
}

// areas is the AUC of each setting over its models, each averaged over the sets of mean. An evaluation belongs to a node of
// cam where all its axes but the set are that node's too.
func areas(job Job, runs []run, scores []task.Input) (out []results.AgreementCell, err error) {
	type evaluation struct {
		axes map[string]string
		set  string
		auc  float64
	}
	var evaluations []evaluation
	for _, in := range scores {
		var report metrics.Report
		raw, err := os.ReadFile(filepath.Join(in.Path, "metrics.json"))
		if err == nil {
			err = json.Unmarshal(raw, &report)
		}
		if err != nil {
			return nil, fmt.Errorf("agreement beside %s: %w", in.Node, err)
		}
		if auc, defined := report.Metrics["auc"]; defined {
			set := in.Axes[naming.SetAxis]
			if set == "" {
				set = report.Set
			}
			evaluations = append(evaluations, evaluation{in.Axes, set, auc})
		}
	}
	belongs := func(e evaluation, r run) bool {
		for axis, value := range e.axes {
			if axis != naming.SetAxis && r.Axes[axis] != value {
				return false
			}
		}
		return len(job.Mean) == 0 || slices.Contains(job.Mean, e.set)
	}
	seen := map[[2]string]bool{}
	at := map[string]int{}
	for _, r := range runs {
		model := [2]string{r.Setting, r.Repeat}
		var values []float64
		for _, e := range evaluations {
			if belongs(e, r) {
				values = append(values, e.auc)
			}
		}
		if seen[model] || len(values) == 0 || len(values) < len(job.Mean) {
			continue
		}
		seen[model] = true
		i, known := at[r.Setting]
		if !known {
			i = len(out)
			at[r.Setting] = i
			out = append(out, results.AgreementCell{Setting: r.Setting, Set: "mean", Metric: "auc"})
		}
		out[i].Values = append(out[i].Values, stats.Mean(values))
	}
	for i := range out {
		out[i] = finish(out[i])
	}
	return out, nil
}
