package summary

import (
	"math"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
)

// place is a setting on a set, or on "pooled".
type place struct{ setting, set string }

// gathered holds what all models came to, summed over the repeats of each place.
type gathered struct {
	baseline map[string]string                       // of each setting; empty: none
	values   map[model]map[string]map[string]float64 // by set and metric
	repeats  []string
	at       map[place]*sums
	delong   []results.DeLong // of single repeats
}

type sums struct {
	repeats []string // those that count in placements
	curves  []metrics.Curve
	areas   []float64
	eces    []float64

	list       uint64
	mixed      bool // the runs were scored on different lists: nothing is averaged over images
	placements metrics.Placements

	images, score, share [metrics.Bins]float64
	replicates           int // runs that have them
	aucs                 []float64
	tpr                  [][]float64
}

func newGathered(baseline map[string]string) *gathered {
	return &gathered{baseline: baseline, values: map[model]map[string]map[string]float64{}, at: map[place]*sums{}}
}

// take adds the models of one repeat.
func (g *gathered) take(repeat string, models []model, of map[model][]measured) {
	g.repeats = append(g.repeats, repeat)
	for _, m := range models {
		g.values[m] = map[string]map[string]float64{}
		base := of[model{g.baseline[m.setting], repeat}]
		for i := range of[m] {
			one := &of[m][i]
			g.values[m][one.set] = one.values
			where := place{m.setting, one.set}
			if g.at[where] == nil {
				g.at[where] = &sums{list: one.list}
			}
			if g.baseline[m.setting] != m.setting {
				for k := range base {
					g.compare(m, one, &base[k])
				}
			}
		}
	}
	for _, m := range models { // last: what is added to placements is not theirs alone any more
		for i := range of[m] {
			g.at[place{m.setting, of[m][i].set}].add(repeat, &of[m][i])
		}
	}
}

// compare is DeLong's test of one repeat.
func (g *gathered) compare(m model, one, base *measured) {
	if one.set != base.set || one.list != base.list || len(one.placements.Values) == 0 {
		return
	}
	d := metrics.Placements{Values: slices.Clone(one.placements.Values), Real: one.placements.Real}
	d.Add(base.placements, -1)
	g.delong = append(g.delong, delong(m.setting, g.baseline[m.setting], one.set, m.repeat, 1, d.Estimate()))
}

func delong(setting, baseline, set, repeat string, n int, e metrics.Estimate) results.DeLong {
	low, high := e.Interval()
	return results.DeLong{Setting: setting, Baseline: baseline, Set: set, Repeat: repeat, N: n, Difference: e.Value,
		Low: defined(low), High: defined(high), P: orElse(e.P(), -1), Holm: -1}
}

func (s *sums) add(repeat string, m *measured) {
	if len(m.roc.FPR) > 0 {
		s.curves = append(s.curves, m.roc)
		s.areas = append(s.areas, m.values["auc"])
	}
	if ece, ok := m.values["ece"]; ok {
		s.eces = append(s.eces, ece)
		for b, n := range m.bins.Images {
			if n > 0 {
				s.images[b] += float64(n)
				s.score[b] += float64(n) * m.bins.Score[b]
				s.share[b] += float64(n) * m.bins.Share[b]
			}
		}
	}
	s.mixed = s.mixed || s.list != m.list
	if s.mixed || len(m.placements.Values) == 0 {
		return
	}
	s.repeats = append(s.repeats, repeat)
	if s.placements.Values == nil {
		s.placements = m.placements
	} else {
		s.placements.Add(m.placements, 1)
	}
	if len(m.replicates.AUC) == 0 {
		return
	}
	if s.replicates++; s.replicates == 1 {
		s.aucs, s.tpr = m.replicates.AUC, m.replicates.TPR
		return
	}
	for k, auc := range m.replicates.AUC {
		s.aucs[k] += auc
		for i, tpr := range m.replicates.TPR[k] {
			s.tpr[k][i] += tpr
		}
	}
}

// mean is that of the placements over the repeats, empty where there are none.
func (s *sums) mean() metrics.Placements {
	if s.mixed || len(s.repeats) == 0 {
		return metrics.Placements{}
	}
	out := metrics.Placements{Values: make([]float64, len(s.placements.Values)), Real: s.placements.Real}
	out.Add(s.placements, 1/float64(len(s.repeats)))
	return out
}

// finish writes the averages into the summary.
func (g *gathered) finish(s *results.Summary) {
	grid := metrics.Grid(rocPoints)
	for _, setting := range s.Settings {
		for _, set := range append(slices.Clone(s.Sets), pooledSet) {
			at := g.at[place{setting, set}]
			if at == nil {
				continue
			}
			if tpr, sd := metrics.VerticalAverage(at.curves, grid); tpr != nil {
				low, high := at.band(len(grid))
				s.ROC = append(s.ROC, results.ROC{Setting: setting, Set: set, FPR: grid, TPR: tpr, SD: sd, AUC: stats.Mean(at.areas), Low: low, High: high})
				s.Areas = append(s.Areas, at.area(setting, set))
			}
			if len(at.eces) > 0 && set == pooledSet {
				s.Reliable = append(s.Reliable, at.reliability(setting, set))
			}
		}
	}
	s.DeLong = append(g.overRepeats(s), g.delong...)
}

// overRepeats tests the mean AUC of each setting against its baseline's where both have the same repeats on the same list.
func (g *gathered) overRepeats(s *results.Summary) (out []results.DeLong) {
	var p []float64
	var families []family
	for _, setting := range s.Settings {
		base := g.baseline[setting]
		for _, set := range append(slices.Clone(s.Sets), pooledSet) {
			a, b := g.at[place{setting, set}], g.at[place{base, set}]
			if base == setting || a == nil || b == nil || a.list != b.list || !slices.Equal(a.repeats, b.repeats) {
				continue
			}
			d := a.mean()
			if d.Add(b.mean(), -1); len(d.Values) > 0 && !b.mixed {
				out = append(out, delong(setting, base, set, "", len(a.repeats), d.Estimate()))
				p, families = append(p, d.Estimate().P()), append(families, familyOf("auc", base, set, s.Mean))
			}
		}
	}
	for i, corrected := range holm(p, families) {
		out[i].Holm = orElse(corrected, -1)
	}
	return out
}

// band is the 95 % band of the mean ROC over the replicates.
func (s *sums) band(points int) (low, high []float64) {
	if s.mixed || s.replicates == 0 || s.replicates < len(s.curves) {
		return nil, nil
	}
	low, high = make([]float64, points), make([]float64, points)
	at := make([]float64, len(s.tpr))
	for i := range points {
		for k := range s.tpr {
			at[k] = s.tpr[k][i] / float64(s.replicates)
		}
		low[i], high[i] = stats.Percentiles(at)
	}
	return low, high
}

func (s *sums) area(setting, set string) results.Area {
	out := results.Area{Setting: setting, Set: set, N: len(s.areas), AUC: stats.Mean(s.areas), Low: -1, High: -1, BootLow: -1, BootHigh: -1}
	if s.mixed || len(s.repeats) < len(s.areas) {
		return out
	}
	if low, high := s.mean().Estimate().Interval(); !math.IsNaN(low) {
		out.Low, out.High = max(0, low), min(1, high)
	}
	if s.replicates == len(s.areas) && s.replicates > 0 {
		aucs := slices.Clone(s.aucs)
		for k := range aucs {
			aucs[k] /= float64(s.replicates)
		}
		if slices.Min(aucs) < slices.Max(aucs) { // else drawing images again tells nothing
			out.BootLow, out.BootHigh = stats.Percentiles(aucs)
		}
	}
	return out
}

func (s *sums) reliability(setting, set string) results.Reliability {
	out := results.Reliability{Setting: setting, Set: set, ECE: stats.Mean(s.eces)}
	for b, n := range s.images {
		if n > 0 {
			out.Images = append(out.Images, int(n))
			out.Score, out.Share = append(out.Score, s.score[b]/n), append(out.Share, s.share[b]/n)
		}
	}
	return out
}
