package report

import (
	"fmt"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// sentences say of each group which of its settings differ from the baseline, behind one sentence that says how to read them.
func sentences(s *results.Summary, groups []results.Group, tests []results.Test) (out []string) {
	names := results.Names(groups)
	families := map[string]int{} // how many tests Holm's rule corrects together, by their baseline
	for _, g := range groups {
		var said verdicts
		from := ""
		for _, t := range tests {
			if !g.Has(t.Setting) {
				continue
			}
			from = fmt.Sprintf("against %s of %s", number(cell(s, t.Baseline).Mean), names[t.Baseline])
			if t.PairedP >= 0 {
				families[t.Baseline]++
			}
			said.add(s, names[t.Setting], t)
		}
		if from == "" {
			continue
		}
		if g.Name != "" {
			from = g.Name + ", " + from
		}
		out = append(out, from+": "+said.String()+".")
	}
	if len(out) == 0 {
		return nil
	}
	intro := average(s) + "each setting against its baseline; in brackets the difference of the mean " + metricName(s.Metric)
	if len(families) > 0 {
		intro += fmt.Sprintf(" and p of a paired t-test over %ss", s.Repeat)
	}
	most := 0
	for _, n := range families {
		most = max(most, n)
	}
	switch {
	case most < 2: // nothing to correct
	case len(families) == 1:
		intro += fmt.Sprintf(", corrected by Holm's rule over %d tests", most)
	default:
		intro += ", corrected by Holm's rule over the tests against one baseline"
	}
	return append([]string{strings.ToUpper(intro[:1]) + intro[1:] + "."}, out...)
}

// verdicts are what came of the tests of a group, by kind.
type verdicts struct{ improved, worse, open, single, constant, equal []string }

func (v *verdicts) add(s *results.Summary, name string, t results.Test) {
	p := max(t.PairedP, t.PairedHolm)
	tested := fmt.Sprintf("%s (%s, %s)", name, signed(t.Difference), equation(p))
	switch {
	case t.Difference == 0:
		v.equal = append(v.equal, name)
	case t.N < 2:
		v.single = append(v.single, fmt.Sprintf("%s (%s)", name, signed(t.Difference)))
	case t.PairedP < 0:
		v.constant = append(v.constant, fmt.Sprintf("%s (%s)", name, signed(t.Difference)))
	case p >= alpha:
		v.open = append(v.open, tested)
	case metrics.LowerIsBetter(s.Metric) == (t.Difference < 0):
		v.improved = append(v.improved, tested)
	default:
		v.worse = append(v.worse, tested)
	}
}

func (v *verdicts) String() string {
	var parts []string
	say := func(names []string, one, many string) {
		switch len(names) {
		case 0:
		case 1:
			parts = append(parts, names[0]+" "+one)
		default:
			parts = append(parts, list(names)+" "+many)
		}
	}
	say(v.improved, "is an improvement that chance alone would rarely bring", "are improvements that chance alone would rarely bring")
	say(v.worse, "is a setback that chance alone would rarely bring", "are setbacks that chance alone would rarely bring")
	say(v.open, "is not told from chance", "are not told from chance")
	say(v.single, "has one pair alone, which cannot tell a difference from chance", "have one pair each, which cannot tell a difference from chance")
	say(v.constant, "differs alike in every pair, which leaves nothing to test", "differ alike in every pair, which leaves nothing to test")
	say(v.equal, "shows no difference", "show no difference")
	return strings.Join(parts, "; ")
}
