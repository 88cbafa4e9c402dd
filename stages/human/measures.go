package human

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/study"
)

// statistic is a number made of the trials without and with the signal (a synthetic image), and how many trials it is made
// of; NaN: not defined.
type statistic func(noise, signal *sum) (value, trials float64)

// measure is a statistic of some of the trials.
type measure struct {
	results.HumanMeasure
	of func(sums) (value, trials float64)
}

// measures are all of a study, in the order of human.csv.
func (o *observed) measures(models []model) (all []measure) {
	conditions := o.d.conditions()
	if len(conditions) > 1 {
		conditions = append([]string{results.HumanAll}, append(conditions, results.HumanDifference)...)
	}
	groups := []string{""}
	for _, g := range o.d.groups {
		if g != "" && len(o.d.groups) > 1 {
			groups = append(groups, g)
		}
	}
	for _, condition := range conditions {
		for _, group := range groups {
			add := func(name, model string, of statistic) {
				m := measure{HumanMeasure: results.HumanMeasure{Name: name, Condition: condition, Group: group, Model: model}}
				m.of = o.choose(condition, group, name, of)
				all = append(all, m)
			}
			add("accuracy", "", accuracy)
			if !o.d.pairs {
				add("accuracy_real", "", func(noise, _ *sum) (float64, float64) { return noise.right / noise.n, noise.n })
				add("accuracy_synthetic", "", func(_, signal *sum) (float64, float64) { return signal.right / signal.n, signal.n })
			}
			if group == "" {
				add("dprime", "", o.dprime())
				add("criterion", "", criterion)
				add("time", "", time)
			}
			for k, m := range models {
				if condition == results.HumanDifference {
					continue
				}
				of := func(value func(modelSum) float64) statistic {
					return func(noise, signal *sum) (float64, float64) {
						a, b := noise.models[k], signal.models[k]
						return (value(a) + value(b)) / (a.n + b.n), a.n + b.n
					}
				}
				add("people", m.name, of(func(s modelSum) float64 { return s.people }))
				add("model", m.name, of(func(s modelSum) float64 { return s.model }))
				add("people - model", m.name, of(func(s modelSum) float64 { return s.people - s.model }))
				add("agreement", m.name, of(func(s modelSum) float64 { return s.same }))
			}
		}
	}
	return all
}

// choose applies a statistic to the trials of a condition and group, or takes its difference between conditions: of times
// the ratio.
func (o *observed) choose(condition, group, name string, of statistic) func(sums) (value, trials float64) {
	one := func(condition string) func(sums) (float64, float64) {
		noise, signal := o.cellsOf(condition, group)
		return func(s sums) (float64, float64) {
			a, b := s.over(noise), s.over(signal)
			return of(&a, &b)
		}
	}
	if condition != results.HumanDifference {
		return one(condition)
	}
	free, annotated := one(study.Free), one(study.Annotated)
	return func(s sums) (float64, float64) {
		a, m := annotated(s)
		b, n := free(s)
		if name == "time" {
			return a / b, m + n
		}
		return a - b, m + n
	}
}

// cellsOf are the numbers of the cells of a condition and group, without and with the signal.
func (o *observed) cellsOf(condition, group string) (noise, signal []int) {
	for i, c := range o.cells {
		if (group != "" && o.d.groups[c.group] != group) || (condition != results.HumanAll && conditionOf(c) != condition) {
			continue
		}
		if c.signal {
			signal = append(signal, i)
		} else {
			noise = append(noise, i)
		}
	}
	return noise, signal
}

func conditionOf(c cell) string { return condition(c.annotated) }

func accuracy(noise, signal *sum) (value, trials float64) {
	n := noise.n + signal.n
	return (noise.right + signal.right) / n, n
}

// rates are the z-scores of hits and false alarms, with the log-linear correction (Hautus, 1995).
func rates(noise, signal *sum) (hit, falseAlarm float64) {
	if noise.n == 0 || signal.n == 0 {
		return math.NaN(), math.NaN()
	}
	return mathext.NormalQuantile((signal.right + 0.5) / (signal.n + 1)), mathext.NormalQuantile((noise.n - noise.right + 0.5) / (noise.n + 1))
}

// dprime is the sensitivity of signal detection; in a choice between two, a difference is twice as large as in one image
// and its noise larger by the square root of 2.
func (o *observed) dprime() statistic {
	scale := 1.0
	if o.d.pairs {
		scale = math.Sqrt2
	}
	return func(noise, signal *sum) (value, trials float64) {
		hit, falseAlarm := rates(noise, signal)
		return (hit - falseAlarm) / scale, noise.n + signal.n
	}
}

// criterion is the bias of signal detection: above 0 where people rather say Real, or of a pair rather right.
func criterion(noise, signal *sum) (value, trials float64) {
	hit, falseAlarm := rates(noise, signal)
	return -(hit + falseAlarm) / 2, noise.n + signal.n
}

// time is the geometric mean of the seconds to the answer.
func time(noise, signal *sum) (value, trials float64) {
	n := noise.timed + signal.timed
	return math.Exp((noise.logTime + signal.logTime) / n), n
}
