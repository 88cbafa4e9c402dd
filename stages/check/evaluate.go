package check

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
)

// hold evaluates one assertion. What cannot be evaluated does not hold, and the message says why.
func (r *rows) hold(text string) results.Assertion {
	out := results.Assertion{Text: text, Values: []results.Value{}}
	a, err := parse(text, r.axes, nil)
	if err != nil {
		out.Message = err.Error()
		return out
	}
	var values []float64
	for _, c := range a.calls {
		v, err := r.value(c)
		if err != nil {
			out.Message = fmt.Sprintf("%s cannot be decided: %s: %v", text, c.text, err)
			return out
		}
		values = append(values, v.Value)
		out.Values = append(out.Values, v)
	}
	env := a.environment(values)
	if out.Held, err = a.whole.Holds(env); err != nil {
		out.Message = fmt.Sprintf("%s cannot be decided: %v", text, err)
		return out
	}
	out.Message = a.tell(out.Held, env, out.Values)
	return out
}

// tell says both sides of the comparisons: of those that do not hold where the assertion does not, else of all.
func (a *assertion) tell(held bool, env map[string]any, values []results.Value) string {
	verdict := map[bool]string{true: " holds", false: " does not hold"}
	var parts []string
	for _, c := range a.comparisons {
		if holds, err := c.holds.Holds(env); err != nil || (!held && holds && len(a.comparisons) > 1) {
			continue
		}
		parts = append(parts, c.left.tell(env)+" "+c.operator+" "+c.right.tell(env))
	}
	if len(parts) == 0 { // no comparison, or only such as are true (under a "not")
		for _, v := range values {
			parts = append(parts, fmt.Sprintf("%s = %s", v.Text, format(v.Value)))
		}
	}
	return strings.Join(parts, " and ") + verdict[held]
}

func (s side) tell(env map[string]any) string {
	value, err := s.value.Run(env)
	if err != nil || s.literal {
		return s.text
	}
	if v, ok := value.(float64); ok {
		return s.text + " = " + format(v)
	}
	return fmt.Sprintf("%s = %v", s.text, value)
}

func format(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

func (r *rows) value(c call) (results.Value, error) {
	if !slices.Contains(r.metrics, c.metric) {
		return results.Value{}, fmt.Errorf("no run has the metric %s, there are: %s", c.metric, strings.Join(r.metrics, ", "))
	}
	a, err := r.matching(c, 0)
	if err != nil {
		return results.Value{}, err
	}
	v := results.Value{Text: c.text, Rows: len(a)}
	if conditions[c.function][1] == 1 {
		v.Value, err = single(c.function, a)
		return v, err
	}
	b, err := r.matching(c, 1)
	if err != nil {
		return results.Value{}, err
	}
	v.Rows += len(b)
	v.Value, err = r.double(c.function, a, b)
	return v, err
}

// matching lists the rows of the call's metric on which its k-th condition is true.
func (r *rows) matching(c call, k int) (found []row, err error) {
	for _, line := range r.list {
		if line.metric != c.metric {
			continue
		}
		matches := true
		if k < len(c.where) {
			if matches, err = c.where[k].Holds(r.environment(line)); err != nil {
				return nil, err
			}
		}
		if matches {
			found = append(found, line)
		}
	}
	if len(found) == 0 && c.function != "count" {
		return nil, fmt.Errorf("no run matches; %s", r.known())
	}
	return found, nil
}

// known tells the values of each column, for whoever mistyped one.
func (r *rows) known() string {
	var parts []string
	for _, column := range append(slices.Clone(r.axes), "set") {
		var values []string
		for _, line := range r.list {
			if v := line.cells[column]; !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		parts = append(parts, column+" is one of "+strings.Join(values, ", "))
	}
	return strings.Join(parts, "; ")
}

func single(function string, found []row) (float64, error) {
	values := make([]float64, len(found))
	for i, line := range found {
		values[i] = line.value
	}
	switch function {
	case "mean":
		return stats.Mean(values), nil
	case "sd":
		return stats.SD(values), nil
	case "min":
		return slices.Min(values), nil
	case "max":
		return slices.Max(values), nil
	}
	return float64(len(values)), nil // count
}

func (r *rows) double(function string, a, b []row) (float64, error) {
	if function == "welch_p" {
		return sure(stats.Welch(r.byRepeat(a, nil), r.byRepeat(b, nil)).P, r.repeat)
	}
	x, y := r.byRepeat(a, b), r.byRepeat(b, a) // the same repeats in the same order
	if len(x) == 0 {
		return 0, fmt.Errorf("no %s has runs of both on the same set", r.repeat)
	}
	test := stats.Paired(x, y)
	switch function {
	case "difference":
		return test.Difference, nil
	case "wins":
		wins := 0
		for i := range x {
			if x[i] > y[i] {
				wins++
			}
		}
		return float64(wins), nil
	}
	return sure(test.P, r.repeat) // paired_p
}

// byRepeat averages rows at each repeat, in the order of metrics.csv; with others given, only over sets that those have at
// that repeat too.
func (r *rows) byRepeat(found, others []row) []float64 {
	type place struct{ repeat, set string }
	common := map[place]bool{}
	for _, line := range others {
		common[place{line.cells[r.repeat], line.cells["set"]}] = true
	}
	values := map[string][]float64{}
	for _, line := range found {
		at := place{line.cells[r.repeat], line.cells["set"]}
		if others == nil || common[at] {
			values[at.repeat] = append(values[at.repeat], line.value)
		}
	}
	var means []float64
	for _, line := range r.list {
		repeat := line.cells[r.repeat]
		if v, ok := values[repeat]; ok {
			means = append(means, stats.Mean(v))
			delete(values, repeat)
		}
	}
	return means
}

func sure(p float64, repeat string) (float64, error) {
	if math.IsNaN(p) {
		return 0, fmt.Errorf("there is no p with fewer than two values of %s, or without spread", repeat)
	}
	return p, nil
}
