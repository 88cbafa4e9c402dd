package summary

import (
	"context"
	"math"
	"slices"
	"sort"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
)

// meanSet names a model's mean over Summary.Mean, beside the sets.
const meanSet = "mean"

// metricNames are all metrics that occur: the known ones first, in their order.
func metricNames(runs []run) (names []string) {
	var others []string
	for _, r := range runs {
		for name := range r.Metrics {
			if !slices.Contains(metrics.Names, name) {
				others = appendNew(others, name)
			}
		}
	}
	for _, name := range metrics.Names {
		if slices.ContainsFunc(runs, func(r run) bool { _, ok := r.Metrics[name]; return ok }) {
			names = append(names, name)
		}
	}
	sort.Strings(others)
	return append(names, others...)
}

// table holds each model's value of one metric on each set, and on "mean" where all its sets are there.
type table struct {
	repeats []string // in the spec's order
	value   map[model]map[string]float64
}

func newTable(metric string, mean []string, runs []run) table {
	t := table{value: map[model]map[string]float64{}}
	for _, r := range runs {
		t.repeats = appendNew(t.repeats, r.repeat)
		if t.value[r.model] == nil {
			t.value[r.model] = map[string]float64{}
		}
		if v, ok := r.Metrics[metric]; ok {
			t.value[r.model][r.Set] = v
		}
	}
	for m, on := range t.value {
		var values []float64
		for _, set := range mean {
			if v, ok := on[set]; ok {
				values = append(values, v)
			}
		}
		if len(mean) > 0 && len(values) == len(mean) {
			t.value[m][meanSet] = stats.Mean(values)
		}
	}
	return t
}

// of lists a setting's values on a set, in the order of the repeats.
func (t table) of(setting, set string) (values []float64) {
	for _, repeat := range t.repeats {
		if v, ok := t.value[model{setting, repeat}][set]; ok {
			values = append(values, v)
		}
	}
	return values
}

// pairs lists the values of two settings at the repeats that both have.
func (t table) pairs(a, b, set string) (x, y []float64) {
	for _, repeat := range t.repeats {
		va, inA := t.value[model{a, repeat}][set]
		vb, inB := t.value[model{b, repeat}][set]
		if inA && inB {
			x, y = append(x, va), append(y, vb)
		}
	}
	return x, y
}

func columns(s *results.Summary) []string { return append(slices.Clone(s.Sets), meanSet) }

func cells(s *results.Summary, runs []run) (out []results.Cell) {
	for _, metric := range metricNames(runs) {
		values := newTable(metric, s.Mean, runs)
		for _, setting := range s.Settings {
			for _, set := range columns(s) {
				v := values.of(setting, set)
				if len(v) == 0 {
					continue
				}
				out = append(out, results.Cell{
					Setting: setting, Set: set, Metric: metric, N: len(v), Mean: stats.Mean(v), SD: stats.SD(v),
					Min: slices.Min(v), Max: slices.Max(v), Values: v,
				})
			}
		}
	}
	return out
}

// tests compares every setting with its baseline, for every metric. Where a test says nothing, its p is -1 and its
// interval is the difference alone.
func tests(s *results.Summary, names naming, runs []run) (out []results.Test) {
	baseline := map[string]string{}
	for _, r := range runs {
		baseline[r.setting] = names.baselineOf(r.Axes)
	}
	for _, metric := range metricNames(runs) {
		values := newTable(metric, s.Mean, runs)
		for _, setting := range s.Settings {
			base := baseline[setting]
			if base == setting || !slices.Contains(s.Settings, base) {
				continue
			}
			for _, set := range columns(s) {
				if test, ok := compare(values, setting, base, set); ok {
					test.Metric = metric
					out = append(out, test)
				}
			}
		}
	}
	return out
}

// pairs compares every two settings by the summary's metric on the mean, the later one against the earlier: what there is
// to say of a control beside the baseline.
func pairs(s *results.Summary, runs []run) (out []results.Test) {
	values := newTable(s.Metric, s.Mean, runs)
	for i, setting := range s.Settings {
		for _, earlier := range s.Settings[:i] {
			if test, ok := compare(values, setting, earlier, meanSet); ok {
				test.Metric = s.Metric
				out = append(out, test)
			}
		}
	}
	return out
}

// compare tests a setting against its baseline on a set, with ok = false where they have no repeat in common. The
// difference and the wins are those of the pairs; Welch's test takes all values.
func compare(values table, setting, base, set string) (test results.Test, ok bool) {
	x, y := values.pairs(setting, base, set)
	if len(x) == 0 {
		return test, false
	}
	paired, welch := stats.Paired(x, y), stats.Welch(values.of(setting, set), values.of(base, set))
	test = results.Test{
		Setting: setting, Baseline: base, Set: set, N: len(x), Difference: paired.Difference,
		Low: orElse(paired.Low, paired.Difference), High: orElse(paired.High, paired.Difference),
		PairedP: orElse(paired.P, -1), WelchP: orElse(welch.P, -1),
	}
	for i := range x {
		if x[i] > y[i] {
			test.Wins++
		}
	}
	return test, true
}

func orElse(v, otherwise float64) float64 {
	if math.IsNaN(v) {
		return otherwise
	}
	return v
}

// pooledSet names the ROC over the scores of all Summary.Mean sets of a model together.
const pooledSet = "pooled"

// rocPoints is the number of false positive rates at which curves are averaged.
const rocPoints = 101

// rocs averages the ROC of each setting on each set and pooled. It holds the scores of one model at a time.
func rocs(ctx context.Context, s *results.Summary, runs []run) ([]results.ROC, error) {
	type place struct{ setting, set string }
	grid := metrics.Grid(rocPoints)
	sampled := map[place][]metrics.Curve{}
	areas := map[place][]float64{}
	add := func(setting, set string, classes []int, scores []float64) {
		c := metrics.ROC(classes, scores)
		if len(c.FPR) == 0 {
			return
		}
		at := make([]float64, len(grid))
		for i, fpr := range grid {
			at[i] = c.At(fpr)
		}
		where := place{setting, set}
		sampled[where] = append(sampled[where], metrics.Curve{FPR: grid, TPR: at})
		areas[where] = append(areas[where], c.Area())
	}
	var models []model
	for _, r := range runs {
		models = appendNew(models, r.model)
	}
	for _, m := range models {
		var classes []int
		var scores []float64
		pooled := 0
		for _, r := range runs {
			if r.model != m {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			rows, err := metrics.ReadScores(scoresFile(r))
			if err != nil {
				return nil, err
			}
			c, v := metrics.Split(rows)
			add(m.setting, r.Set, c, v)
			if slices.Contains(s.Mean, r.Set) {
				classes, scores, pooled = append(classes, c...), append(scores, v...), pooled+1
			}
		}
		if pooled == len(s.Mean) {
			add(m.setting, pooledSet, classes, scores)
		}
	}
	var out []results.ROC
	for _, setting := range s.Settings {
		for _, set := range append(slices.Clone(s.Sets), pooledSet) {
			where := place{setting, set}
			if tpr, sd := metrics.VerticalAverage(sampled[where], grid); tpr != nil {
				out = append(out, results.ROC{Setting: setting, Set: set, FPR: grid, TPR: tpr, SD: sd, AUC: stats.Mean(areas[where])})
			}
		}
	}
	return out, nil
}
