package lock

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/stats"
)

// Difference is what differs between two locks, or what is known of two runs. It is what `diff --json` prints.
type Difference struct {
	A       string   `json:"a"`
	B       string   `json:"b"`
	Same    bool     `json:"same"`    // settings, data and metrics, as far as both sides know them
	Unknown []string `json:"unknown"` // what one side does not know, and was not compared
	Comparison
	Metrics []MetricPair `json:"metrics"` // those that differ, the largest difference first
	Seeds   []SeedPair   `json:"seeds"`   // means over repeats, the largest difference first
}

// MetricPair is a metric of one model on one set. A side that lacks it is null.
type MetricPair struct {
	Node       string   `json:"node"`
	Set        string   `json:"set"`
	Metric     string   `json:"metric"`
	A          *float64 `json:"a"`
	B          *float64 `json:"b"`
	Difference float64  `json:"difference"` // b - a
}

// SeedPair is a metric of one setting on one set over its seeds.
type SeedPair struct {
	Cell       string  `json:"cell"` // score[loss=cyborg] on u1
	Metric     string  `json:"metric"`
	NA         int     `json:"n_a"`
	NB         int     `json:"n_b"`
	MeanA      float64 `json:"mean_a"`
	MeanB      float64 `json:"mean_b"`
	SDA        float64 `json:"sd_a"` // n-1
	SDB        float64 `json:"sd_b"`
	Difference float64 `json:"difference"` // of the means, b - a
}

// Differ compares two locks. Names are those of the operands.
func Differ(nameA string, a *Lock, nameB string, b *Lock) *Difference {
	d := &Difference{A: nameA, B: nameB, Comparison: Compare(a, b), Unknown: []string{}, Metrics: []MetricPair{}, Seeds: []SeedPair{}}
	for _, side := range []struct {
		name string
		of   *Lock
	}{{nameA, a}, {nameB, b}} {
		lacks := func(what string, missing bool) {
			if missing {
				d.Unknown = append(d.Unknown, what+" of "+side.name)
			}
		}
		lacks("data", side.of.Data == nil)
		lacks("environment", len(side.of.Environment) == 0)
		lacks("metrics", len(side.of.Metrics) == 0)
	}
	d.Environment = kept(d.Environment, func(c Change) bool { return c.Was != "" && c.Now != "" }) // a folder knows less
	if len(a.Metrics) > 0 && len(b.Metrics) > 0 {
		d.pairs(a, b)
		d.seeds(a, b)
	}
	d.Same = !d.Changed() && len(d.Metrics) == 0
	return d
}

func (d *Difference) pairs(a, b *Lock) {
	type place struct{ node, set string }
	in := func(l *Lock) (map[place]map[string]float64, []place) {
		values := map[place]map[string]float64{}
		var order []place
		for _, e := range l.Metrics {
			values[place{e.Node, e.Set}] = e.Values
			order = append(order, place{e.Node, e.Set})
		}
		return values, order
	}
	left, first := in(a)
	right, second := in(b)
	for _, at := range slices.Concat(first, kept(second, func(p place) bool { return left[p] == nil })) {
		for _, metric := range sorted(left[at], right[at]) {
			pair := MetricPair{Node: at.node, Set: at.set, Metric: metric}
			va, hasA := left[at][metric]
			vb, hasB := right[at][metric]
			if hasA {
				pair.A = &va
			}
			if hasB {
				pair.B = &vb
			}
			if hasA && hasB {
				pair.Difference = vb - va
			}
			if !hasA || !hasB || va != vb {
				d.Metrics = append(d.Metrics, pair)
			}
		}
	}
	slices.SortStableFunc(d.Metrics, func(x, y MetricPair) int { return cmp.Compare(y.size(), x.size()) })
}

// size orders pairs; those of which one side lacks the metric come last.
func (p MetricPair) size() float64 {
	if p.A == nil || p.B == nil {
		return -1
	}
	return math.Abs(p.Difference)
}

func (d *Difference) seeds(a, b *Lock) {
	const axis = "seed"
	left, order := grouped(a, axis)
	right, _ := grouped(b, axis)
	for _, g := range order {
		other, ok := right[g]
		if !ok {
			continue
		}
		for _, metric := range sorted(left[g].values) {
			x, y := left[g].values[metric], other.values[metric]
			if len(x) < 2 && len(y) < 2 || len(x) == 0 || len(y) == 0 {
				continue
			}
			t := SeedTest{Stage: g.stage, Axes: left[g].axes, Set: g.set}
			pair := SeedPair{Cell: t.name(), Metric: metric, NA: len(x), NB: len(y), MeanA: stats.Mean(x), MeanB: stats.Mean(y), SDA: stats.SD(x), SDB: stats.SD(y)}
			if pair.Difference = pair.MeanB - pair.MeanA; pair.Difference != 0 || pair.SDA != pair.SDB || pair.NA != pair.NB {
				d.Seeds = append(d.Seeds, pair)
			}
		}
	}
	slices.SortStableFunc(d.Seeds, func(x, y SeedPair) int { return cmp.Compare(math.Abs(y.Difference), math.Abs(x.Difference)) })
}

// Text is the difference for people.
func (d *Difference) Text(w io.Writer) {
	if d.Same {
		fmt.Fprintf(w, "%s and %s are the same\n", d.A, d.B)
	} else {
		fmt.Fprintf(w, "%s and %s differ\n", d.A, d.B)
	}
	WriteChanges(w, "settings", d.Settings)
	WriteChanges(w, "data", d.Data)
	if len(d.Seeds) > 0 {
		fmt.Fprintln(w, "\nmetrics over the seeds, mean±sd:")
		table(w, len(d.Seeds), func(i int) string {
			s := d.Seeds[i]
			return fmt.Sprintf("%s\t%s\t%.4f±%.4f (n=%d) -> %.4f±%.4f (n=%d)\t%s", s.Cell, s.Metric, s.MeanA, s.SDA, s.NA, s.MeanB, s.SDB, s.NB, signed(s.Difference))
		})
	}
	if len(d.Metrics) > 0 {
		fmt.Fprintln(w, "\nmetrics:")
		table(w, len(d.Metrics), func(i int) string {
			m := d.Metrics[i]
			difference := ""
			if m.A != nil && m.B != nil {
				difference = signed(m.Difference)
			}
			return strings.TrimRight(fmt.Sprintf("%s\t%s\t%s -> %s\t%s", m.Node, m.Metric, none(m.A), none(m.B), difference), "\t")
		})
	}
	WriteChanges(w, "environment", d.Environment)
	if len(d.Unknown) > 0 {
		fmt.Fprintf(w, "\nnot known, and not compared: %s\n", strings.Join(d.Unknown, ", "))
	}
}

func none(f *float64) string {
	if f == nil {
		return "(none)"
	}
	return number(*f)
}
