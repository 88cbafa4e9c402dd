package agreement

import (
	"math"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
)

var undefined = math.NaN()

// moments are mean and spread of values that come one by one (Welford, 1962); NaN is counted and left out.
type moments struct {
	n, undefined  int
	mean, squares float64
}

func (m *moments) add(v float64) {
	if math.IsNaN(v) {
		m.undefined++
		return
	}
	m.n++
	d := v - m.mean
	m.mean += d / float64(m.n)
	m.squares += d * (v - m.mean)
}

// sd is the sample's; 0 of fewer than two values.
func (m *moments) sd() float64 {
	if m.n < 2 {
		return 0
	}
	return math.Sqrt(m.squares / float64(m.n-1))
}

// cells take each measure over the runs of a setting on a set.
func cells(a *results.Agreement) (out []results.AgreementCell) {
	for _, setting := range a.Settings {
		for _, set := range a.Sets {
			for _, metric := range measureNames() {
				c := results.AgreementCell{Setting: setting, Set: set, Metric: metric}
				for _, r := range a.Runs {
					if r.Setting != setting || r.Set != set {
						continue
					}
					if v, ok := measure(r, metric); ok {
						c.Values = append(c.Values, v)
					}
				}
				if len(c.Values) > 0 {
					out = append(out, finish(c))
				}
			}
		}
	}
	return out
}

// finish takes mean and deviation of a cell's values.
func finish(c results.AgreementCell) results.AgreementCell {
	c.N, c.Mean = len(c.Values), stats.Mean(c.Values)
	if c.N > 1 {
		c.SD = stats.SD(c.Values)
	}
	return c
}
