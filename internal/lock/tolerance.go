package lock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

// Reproduce says how closely another run must come to the locked one, where it cannot be the same bytes.
type Reproduce struct {
	// Within is by how much each metric of each model on each set may differ, up or down: {auc: 0.005}. A metric that is not
	// named is not held to anything, and the report says so.
	Within map[string]float64 `yaml:"within" json:"within,omitempty"`
	// Except gives other tolerances to some nodes; of several that match, the last one counts.
	Except []Except `yaml:"except" json:"except,omitempty"`
	// Seeds compares the metric's distribution over the seeds instead, for trainings that do not repeat one by one.
	Seeds *Seeds `yaml:"seeds" json:"seeds,omitempty"`
}

// Except is the tolerances of some nodes.
type Except struct {
	// Nodes is a pattern as --only takes it: score, score[loss=cyborg*.
	Nodes string `yaml:"nodes" json:"nodes" required:"true"`
	// Within is by how much each metric may differ there. Metrics that are not named keep the tolerance that they have.
	Within map[string]float64 `yaml:"within" json:"within" required:"true"`
}

// Seeds is a test of the values over the seeds of each setting on each set, the lock's against the new ones.
type Seeds struct {
	// Test is equivalence, which holds where two one-sided tests show the means to be less than the margin apart (Schuirmann
	// 1987), or welch, which holds where Welch's test shows no difference; few seeds make the first fail and the second hold.
	Test string `yaml:"test" json:"test" default:"equivalence" enum:"equivalence|welch"`
	// Level is the probability of an error of the first kind.
	Level float64 `yaml:"level" json:"level" default:"0.05" above:"0" below:"1"`
	// Margin is what counts as the same, for each metric that equivalence is to be shown for: {auc: 0.02}.
	Margin map[string]float64 `yaml:"margin" json:"margin,omitempty"`
	// Metrics are those that welch looks at; all without it.
	Metrics []string `yaml:"metrics" json:"metrics,omitempty"`
	// Axis is the matrix axis whose values are repeats of the same thing.
	Axis string `yaml:"axis" json:"axis" default:"seed"`
}

// The tests of Seeds.
const (
	Equivalence = "equivalence"
	Welch       = "welch"
)

// Problem is what is wrong with tolerances, and the path of the field below `reproduce`.
type Problem struct{ Path, Message string }

// Validate finds what types do not: unknown metrics, negative tolerances, an equivalence without a margin.
func (r Reproduce) Validate() (problems []Problem) {
	add := func(path, format string, args ...any) {
		problems = append(problems, Problem{path, fmt.Sprintf(format, args...)})
	}
	known := func(path, metric string) {
		if !slices.Contains(metrics.Names, metric) {
			add(path, "there is no metric %q; there are: %s", metric, strings.Join(metrics.Names, ", "))
		}
	}
	within := func(path string, tolerances map[string]float64) {
		for _, metric := range sorted(tolerances) {
			known(path+"."+metric, metric)
			if !(tolerances[metric] >= 0) {
				add(path+"."+metric, "%v: a tolerance is 0 or more", tolerances[metric])
			}
		}
	}
	within("within", r.Within)
	for i, e := range r.Except {
		within(fmt.Sprintf("except.%d.within", i), e.Within)
	}
	if s := r.Seeds; s != nil {
		for _, metric := range sorted(s.Margin) {
			known("seeds.margin."+metric, metric)
			if !(s.Margin[metric] > 0) {
				add("seeds.margin."+metric, "%v: a margin is more than 0", s.Margin[metric])
			}
		}
		for i, metric := range s.Metrics {
			known(fmt.Sprintf("seeds.metrics.%d", i), metric)
		}
		switch {
		case s.Test == Equivalence && len(s.Margin) == 0:
			add("seeds", "equivalence needs a margin for each metric that it is to be shown for: margin: {auc: 0.02}")
		case s.Test == Equivalence && len(s.Metrics) > 0:
			add("seeds.metrics", "these are for welch; equivalence looks at the metrics that have a margin")
		case s.Test == Welch && len(s.Margin) > 0:
			add("seeds.margin", "a margin is for equivalence; welch has none")
		}
	}
	return problems
}

// Allowance is how far a metric of a node may be off, and what says so; ok is false where nothing does.
func (r Reproduce) Allowance(node, metric string) (allowed float64, by string, ok bool) {
	allowed, ok = r.Within[metric]
	by = "within"
	for i, e := range r.Except {
		if v, has := e.Within[metric]; has && graph.Matches(e.Nodes, node) {
			allowed, by, ok = v, fmt.Sprintf("except.%d", i), true
		}
	}
	return allowed, by, ok
}

// any tells whether there is a tolerance at all.
func (r Reproduce) any() bool { return len(r.Within) > 0 || len(r.Except) > 0 || r.Seeds != nil }
