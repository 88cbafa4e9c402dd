package summary

import (
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
	t.average(mean)
	return t
}

// average adds each model's mean over the sets of the mean, where it has all of them.
func (t table) average(mean []string) {
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

// tests compares every setting with its baseline, for every metric. Where a test says nothing, its p is -1 and it has no
// interval.
func tests(s *results.Summary, baseline map[string]string, runs []run) (out []results.Test) {
	for _, metric := range metricNames(runs) {
		values := newTable(metric, s.Mean, runs)
		for _, setting := range s.Settings {
			base := baseline[setting]
			if base == setting {
				continue
			}
			for _, set := range columns(s) {
				if test, ok := compare(values, metric, setting, base, set); ok {
					out = append(out, test)
				}
			}
		}
	}
	correctAgainstBaselines(s, out)
	return out
}

// baselines gives each setting the one that it is tested against; itself, where there is none.
func baselines(s *results.Summary, names naming, runs []run) map[string]string {
	of := map[string]string{}
	for _, r := range runs {
		of[r.setting] = r.setting
		if base := names.baselineOf(r.Axes); slices.Contains(s.Settings, base) {
			of[r.setting] = base
		}
	}
	return of
}

// networkOf tells of each setting which network it is of: settings of one have all further axes alike.
func networkOf(names naming, runs []run) map[string]string {
	of := map[string]string{}
	for _, r := range runs {
		of[r.setting] = names.baselineOf(r.Axes)
	}
	return of
}

// pairs compares every two settings by the summary's metric on the mean, the later one against the earlier: what there is
// to say of a control beside the baseline. Those of one network are a family, and those across networks another.
func pairs(s *results.Summary, network map[string]string, runs []run) (out []results.Test) {
	values := newTable(s.Metric, s.Mean, runs)
	for i, setting := range s.Settings {
		for _, earlier := range s.Settings[:i] {
			if test, ok := compare(values, s.Metric, setting, earlier, meanSet); ok {
				out = append(out, test)
			}
		}
	}
	correct(out, func(t results.Test) family {
		if network[t.Setting] != network[t.Baseline] {
			return family{t.Metric, "", meanSet}
		}
		return familyOf(t.Metric, network[t.Setting], t.Set, s.Mean)
	})
	return out
}

// compare tests a setting against its baseline on a set, with ok = false where they have no repeat in common. The
// difference and the wins are those of the pairs; Welch's test takes all values.
func compare(values table, metric, setting, base, set string) (test results.Test, ok bool) {
	x, y := values.pairs(setting, base, set)
	if len(x) == 0 {
		return test, false
	}
	all, others := values.of(setting, set), values.of(base, set)
	paired, welch, ranks := stats.Paired(x, y), stats.Welch(all, others), stats.Wilcoxon(x, y)
	test = results.Test{
		Setting: setting, Baseline: base, Set: set, Metric: metric, N: len(x), Difference: paired.Difference,
		Low: defined(paired.Low), High: defined(paired.High),
		PairedP: orElse(paired.P, -1), WelchP: orElse(welch.P, -1),
		WilcoxonP: orElse(ranks.P, -1), WilcoxonLeast: orElse(ranks.Least, -1), Dz: defined(stats.CohensDz(x, y)), G: defined(stats.HedgesG(all, others)),
		RankBiserial: defined(ranks.RankBiserial),
	}
	for i := range x {
		if x[i] > y[i] {
			test.Higher++
		}
		if x[i] != y[i] && metrics.LowerIsBetter(metric) == (x[i] < y[i]) {
			test.Wins++
		}
	}
	return test, true
}

// defined is nil for what is not.
func defined(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func orElse(v, otherwise float64) float64 {
	if math.IsNaN(v) {
		return otherwise
	}
	return v
}
