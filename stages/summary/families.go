package summary

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
)

// level is that at which tests reject. One that cannot, however its data fall, is no member of a family.
const level = 0.05

// family says which tests Holm's rule corrects together: those of one metric between settings of one network (all further axes
// alike) on one group of columns. A reader who believes a result has picked it from among these.
type family struct{ metric, network, columns string }

// The groups of columns: mean and pooled each by itself, since they sum up what the sets say; the sets that they sum up; and the
// others, such as the validation set, which answer another question.
const (
	setsOfTheMean = "sets"
	otherSets     = "others"
)

func columnsOf(set string, mean []string) string {
	switch {
	case set == meanSet || set == pooledSet:
		return set
	case slices.Contains(mean, set):
		return setsOfTheMean
	}
	return otherSets
}

// familyOf is the family of a test against a baseline, which names the network: each has its own.
func familyOf(metric, baseline, set string, mean []string) family {
	return family{metric, baseline, columnsOf(set, mean)}
}

// holm corrects p-values family by family; NaN stays NaN and counts nowhere.
func holm(p []float64, of []family) []float64 {
	members := map[family][]int{}
	for i, f := range of {
		members[f] = append(members[f], i)
	}
	out := make([]float64, len(p))
	for _, places := range members {
		those := make([]float64, len(places))
		for k, i := range places {
			those[k] = p[i]
		}
		for k, v := range stats.Holm(those) {
			out[places[k]] = v
		}
	}
	return out
}

// correct fills in what Holm's rule makes of both kinds of p-values; -1 where there is none, or the test cannot reject.
func correct(tests []results.Test, of func(results.Test) family) {
	families := make([]family, len(tests))
	paired, ranks := make([]float64, len(tests)), make([]float64, len(tests))
	for i, t := range tests {
		families[i], paired[i], ranks[i] = of(t), math.NaN(), math.NaN()
		if t.PairedP >= 0 {
			paired[i] = t.PairedP
		}
		if canReject(t) {
			ranks[i] = t.WilcoxonP
		}
	}
	paired, ranks = holm(paired, families), holm(ranks, families)
	for i := range tests {
		tests[i].PairedHolm, tests[i].WilcoxonHolm = orElse(paired[i], -1), orElse(ranks[i], -1)
	}
}

func correctAgainstBaselines(s *results.Summary, tests []results.Test) {
	correct(tests, func(t results.Test) family { return familyOf(t.Metric, t.Baseline, t.Set, s.Mean) })
}

// canReject says whether Wilcoxon's test has enough pairs that differ: six.
func canReject(t results.Test) bool { return t.WilcoxonP >= 0 && t.WilcoxonLeast < level }

// aboutFamilies is the sentence of a caption about the correction of these tests, and what it leaves Wilcoxon's.
func aboutFamilies(s *results.Summary, tests []results.Test) string {
	type size struct {
		tests, pairs int
		least        float64
	}
	var families []family
	ranks := map[family]size{}
	tooFew := false
	var groups []string
	for _, t := range tests {
		f := familyOf(t.Metric, t.Baseline, t.Set, s.Mean)
		families, groups = appendNew(families, f), appendNew(groups, f.columns)
		tooFew = tooFew || t.WilcoxonP >= 0 && !canReject(t)
		if canReject(t) {
			n := ranks[f]
			if n.tests == 0 || t.WilcoxonLeast < n.least {
				n.least, n.pairs = t.WilcoxonLeast, 1-math.Ilogb(t.WilcoxonLeast)
			}
			n.tests++
			ranks[f] = n
		}
	}
	var said []string
	for _, group := range groups {
		switch group {
		case setsOfTheMean:
			group = list(s.Mean)
		case otherSets:
			group = list(slices.DeleteFunc(slices.Clone(s.Sets), func(set string) bool { return slices.Contains(s.Mean, set) }))
		}
		said = append(said, "("+group+")")
	}
	text := " Holm's correction runs, for each kind of test by itself, over the tests"
	if len(families) == 1 {
		text += " of this table"
	}
	if len(families) > len(groups) {
		text += " against one baseline"
	}
	if len(groups) > 1 {
		text += " on one group of columns: " + strings.Join(said, ", ")
	}
	text += "."
	if tooFew {
		text += " n < 6: fewer than six pairs differ, so that Wilcoxon's p cannot fall below .05; such a test is in no family."
	}
	var floors []string
	for _, f := range families {
		if n, ok := ranks[f]; ok && float64(n.tests)*n.least >= level {
			floors = appendNew(floors, fmt.Sprintf(" Over %d tests of %d pairs that differ, Wilcoxon's corrected p is at least %.4f and cannot fall below .05.",
				n.tests, n.pairs, min(1, float64(n.tests)*n.least)))
		}
	}
	return text + strings.Join(floors, "")
}

func list(words []string) string { return strings.Join(words, ", ") }
