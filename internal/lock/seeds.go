package lock

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/stats"
)

// SeedTest compares a metric of one setting on one set over its seeds: the lock's values and the new ones.
type SeedTest struct {
	Stage  string            `json:"stage"` // of the nodes: score
	Axes   map[string]string `json:"axes,omitempty"`
	Set    string            `json:"set"`
	Metric string            `json:"metric"`
	Test   string            `json:"test"`
	Level  float64           `json:"level"`
	Margin float64           `json:"margin,omitempty"`

	WasN       int      `json:"was_n"`
	NowN       int      `json:"now_n"`
	WasMean    float64  `json:"was_mean"`
	NowMean    float64  `json:"now_mean"`
	WasSD      float64  `json:"was_sd"` // n-1
	NowSD      float64  `json:"now_sd"`
	Difference float64  `json:"difference"` // of the means, now - was
	P          *float64 `json:"p"`          // null: there are too few seeds
	Held       bool     `json:"held"`
}

// group is the evaluations that differ in nothing but the seed.
type group struct {
	stage, set, axes string
}

// acrossSeeds makes the tests, of settings that bytes do not settle. The samples are independent: their seeds need not be
// the same.
func acrossSeeds(was, now *Lock, s Seeds, by settled) []SeedTest {
	old, _ := grouped(was, s.Axis)
	fresh, order := grouped(now, s.Axis)
	tests := []SeedTest{}
	for _, g := range order {
		before, ok := old[g]
		if !ok || !slices.ContainsFunc(fresh[g].nodes, func(node string) bool { return !by.has(node) }) {
			continue
		}
		for _, metric := range sorted(before.values, fresh[g].values) {
			if !(Reproduce{Seeds: &s}).bySeeds(metric) {
				continue
			}
			t := SeedTest{Stage: g.stage, Axes: fresh[g].axes, Set: g.set, Metric: metric, Test: s.Test, Level: s.Level, Margin: s.Margin[metric]}
			t.judge(before.values[metric], fresh[g].values[metric])
			tests = append(tests, t)
		}
	}
	return tests
}

type sample struct {
	nodes  []string
	axes   map[string]string
	values map[string][]float64 // by metric
}

func grouped(l *Lock, axis string) (map[group]sample, []group) {
	groups := map[group]sample{}
	var order []group
	for _, e := range l.Metrics {
		axes := maps.Clone(e.Axes)
		delete(axes, axis)
		g := group{stage(e.Node), e.Set, axesText(axes)}
		if _, have := groups[g]; !have {
			groups[g] = sample{axes: axes, values: map[string][]float64{}}
			order = append(order, g)
		}
		one := groups[g]
		one.nodes = append(one.nodes, e.Node)
		groups[g] = one
		for metric, value := range e.Values {
			groups[g].values[metric] = append(groups[g].values[metric], value)
		}
	}
	return groups, order
}

func (t *SeedTest) judge(was, now []float64) {
	t.WasN, t.NowN = len(was), len(now)
	if len(was) == 0 || len(now) == 0 {
		return
	}
	t.WasMean, t.NowMean, t.WasSD, t.NowSD = stats.Mean(was), stats.Mean(now), stats.SD(was), stats.SD(now)
	t.Difference = t.NowMean - t.WasMean
	if len(was) < 2 || len(now) < 2 {
		return
	}
	var p float64
	if t.Test == Equivalence {
		p = stats.Equivalent(now, was, t.Margin).P
		t.Held = p < t.Level
	} else {
		if p = stats.Welch(now, was).P; math.IsNaN(p) { // no spread: equal means are equal, others are not
			if p = 0; math.Abs(t.Difference) <= 1e-12 {
				p = 1
			}
		}
		t.Held = p >= t.Level
	}
	t.P = &p
}

// name is the cell as a node without its seed would be called.
func (t SeedTest) name() string {
	if len(t.Axes) == 0 {
		return fmt.Sprintf("%s on %s", t.Stage, t.Set)
	}
	return fmt.Sprintf("%s[%s] on %s", t.Stage, axesText(t.Axes), t.Set)
}
