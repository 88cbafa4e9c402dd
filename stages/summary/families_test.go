package summary

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// What tests make up a family: the settings of one network, on one group of columns, by one metric.
func TestFamilies(t *testing.T) {
	mean := []string{"u1", "u2"}
	of := func(metric, baseline, set string) family { return familyOf(metric, baseline, set, mean) }
	for name, c := range map[string]struct {
		a, b family
		one  bool
	}{
		"two sets of the mean":                  {of("auc", "ce, arch=a", "u1"), of("auc", "ce, arch=a", "u2"), true},
		"two sets outside of the mean":          {of("auc", "ce, arch=a", "validation"), of("auc", "ce, arch=a", "test"), true},
		"a set of the mean and another":         {of("auc", "ce, arch=a", "u1"), of("auc", "ce, arch=a", "validation"), false},
		"the mean and its sets":                 {of("auc", "ce, arch=a", "mean"), of("auc", "ce, arch=a", "u1"), false},
		"the mean and the pooled images":        {of("auc", "ce, arch=a", "mean"), of("auc", "ce, arch=a", "pooled"), false},
		"two networks":                          {of("auc", "ce, arch=a", "mean"), of("auc", "ce, arch=b", "mean"), false},
		"two metrics":                           {of("auc", "ce, arch=a", "mean"), of("eer", "ce, arch=a", "mean"), false},
		"two settings of one network, one mean": {of("auc", "ce, arch=a", "mean"), of("auc", "ce, arch=a", "mean"), true},
	} {
		if got := c.a == c.b; got != c.one {
			t.Errorf("%s: one family: %v, want %v", name, got, c.one)
		}
	}
}

// made is the tests of networks x three settings x (u1 .. u6, validation, mean, pooled) whose pairs all lie on one side.
func made(networks, pairs int) (s *results.Summary, tests []results.Test) {
	s = &results.Summary{Sets: []string{"u1", "u2", "u3", "u4", "u5", "u6", "validation"}, Mean: []string{"u1", "u2", "u3", "u4", "u5", "u6"}}
	least := math.Ldexp(1, 1-pairs)
	for _, set := range append(slices.Clone(s.Sets), "mean", "pooled") {
		for network := range networks {
			for _, setting := range []string{"cyborg", "shuffled", "masks"} {
				arch := fmt.Sprintf(", arch=%d", network)
				tests = append(tests, results.Test{Metric: "auc", Setting: setting + arch, Baseline: "cross_entropy" + arch, Set: set, N: pairs,
					PairedP: 0.001, WilcoxonP: least, WilcoxonLeast: least})
			}
		}
	}
	correctAgainstBaselines(s, tests)
	return s, tests
}

func TestHolmCorrectsWithinFamilies(t *testing.T) {
	for _, c := range []struct {
		networks, pairs int
		members         map[string]float64 // on each column, those that count in Wilcoxon's family
		says            []string
	}{
		{4, 10, map[string]float64{"u1": 18, "u6": 18, "mean": 3, "pooled": 3, "validation": 3},
			[]string{"against one baseline on one group of columns: (u1, u2, u3, u4, u5, u6), (validation), (mean), (pooled)."}},
		{1, 6, map[string]float64{"u1": 18, "mean": 3, "pooled": 3, "validation": 3},
			[]string{"over the tests on one group of", "Over 18 tests of 6 pairs that differ, Wilcoxon's corrected p is at least 0.5625 and", "Over 3 tests of 6 pairs that differ, Wilcoxon's corrected p is at least 0.0938 and"}},
		{1, 5, nil, []string{"fewer than six pairs differ"}}, // p is .0625 at least
	} {
		s, tests := made(c.networks, c.pairs)
		for _, x := range tests {
			members := map[string]float64{"u1": 18, "mean": 3, "pooled": 3, "validation": 3}[x.Set]
			if members != 0 && !close12(x.PairedHolm, members*x.PairedP) {
				t.Errorf("%d networks, %d pairs, %s: paired p %v corrected to %v", c.networks, c.pairs, x.Set, x.PairedP, x.PairedHolm)
			}
			if c.members == nil && x.WilcoxonHolm != -1 {
				t.Errorf("%d pairs: corrected p %v of a test that cannot reject", c.pairs, x.WilcoxonHolm)
			}
			if members := c.members[x.Set]; members != 0 && !close12(x.WilcoxonHolm, members*x.WilcoxonP) {
				t.Errorf("%d networks, %d pairs, %s: Wilcoxon's p %v corrected to %v", c.networks, c.pairs, x.Set, x.WilcoxonP, x.WilcoxonHolm)
			}
		}
		caption := aboutFamilies(s, tests)
		for _, want := range c.says {
			if !strings.Contains(caption, want) {
				t.Errorf("%d networks, %d pairs: %q lacks %q", c.networks, c.pairs, caption, want)
			}
		}
		if c.networks == 4 && strings.Contains(caption, "cannot") {
			t.Errorf("ten pairs can reject: %q", caption)
		}
	}
}

// A test with too few pairs leaves those of its family that can reject as they would be without it.
func TestATestThatCannotRejectIsInNoFamily(t *testing.T) {
	s, tests := made(1, 10)
	for i := range tests {
		if tests[i].Set == "mean" && strings.HasPrefix(tests[i].Setting, "masks") {
			tests[i].N, tests[i].WilcoxonP, tests[i].WilcoxonLeast, tests[i].PairedP = 1, 1, 1, -1
		}
	}
	correctAgainstBaselines(s, tests)
	for _, x := range tests {
		want := 2 * x.WilcoxonP
		if x.N == 1 {
			want = -1
		}
		if x.Set == "mean" && (!close12(x.WilcoxonHolm, want) || x.N > 1 && !close12(x.PairedHolm, 2*x.PairedP) || x.N == 1 && x.PairedHolm != -1) {
			t.Errorf("%+v", x)
		}
	}
}

// evaluated writes the metrics of each list of scores beside it.
func evaluated(t *testing.T, inputs []task.Input) []task.Input {
	t.Helper()
	for _, in := range inputs {
		c, err := metrics.ReadColumns(filepath.Join(in.Path, "scores.csv"))
		if err != nil {
			t.Fatal(err)
		}
		measured, _ := metrics.Measure(c.Classes, c.Scores, metrics.Conditions{})
		report := metrics.Report{Metrics: map[string]float64{}}
		for _, name := range metrics.Names {
			if v, ok := measured[name]; ok {
				report.Metrics[name] = v
			}
		}
		raw, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		put(t, in.Path, "metrics.json", raw)
	}
	return inputs
}

// One hypothesis has one corrected p: in the comparison of the page and in the table of its metric.
func TestTheComparisonAndTheTableCorrectAlike(t *testing.T) {
	s := read(t, summarise(t, Params{Mean: []string{"u1", "u2"}}, map[string][]task.Input{Scores: evaluated(t, networks(t, []string{"a", "b", "c"}, 7))}))
	in := map[string]results.Test{}
	for _, x := range s.Tables[0].Tests {
		in[x.Setting+x.Set] = x
	}
	compared := 0
	for _, x := range s.Tests {
		if x.Metric != "auc" {
			continue
		}
		y := in[x.Setting+x.Set]
		if compared++; x.PairedP != y.PairedP || x.PairedHolm != y.PairedHolm || x.WilcoxonHolm != y.WilcoxonHolm {
			t.Errorf("the comparison says %+v, the table %+v", x, y)
		}
	}
	if compared != 12 { // three networks, three sets and the mean
		t.Errorf("%d tests were compared", compared)
	}
}
