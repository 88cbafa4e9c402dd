package metrics

import (
	"math"
	"sort"
)

// Rates are the error rates at one threshold, in [0,1]; NaN where the class is missing.
type Rates struct{ APCER, BPCER float64 }

// ACER is the mean of both rates.
func (r Rates) ACER() float64 { return (r.APCER + r.BPCER) / 2 }

// BestACER is the smallest ACER over the thresholds 0, 0.025 ... 0.975, the lowest threshold winning a tie, of scores that
// are scaled to [0,1] beforehand: what the authors' code (CVRL/CYBORG, Evaluation.py) reports. The threshold, one of the
// scaled scores, is chosen on the very images that it is measured on, so it flatters. NaN where all scores are equal or a
// class is missing.
func (r *Ranking) BestACER() (threshold float64, best Rates) {
	if len(r.scores) < 2 {
		return math.NaN(), Rates{math.NaN(), math.NaN()}
	}
	return r.bestACER(r.scores[len(r.scores)-1], r.scores[0])
}

// bestACER looks among thresholds of scores that are scaled from [low,high] to [0,1].
func (r *Ranking) bestACER(low, high float64) (threshold float64, best Rates) {
	threshold, best = math.NaN(), Rates{math.NaN(), math.NaN()}
	if !r.both() {
		return threshold, best
	}
	i, least := len(r.scores)-1, uint64(math.MaxUint64)
	for k := range 40 { // upwards: the lowest threshold wins a tie
		t := float64(k) * 0.025
		for i >= 0 && (r.scores[i]-low)/(high-low) < t {
			i--
		}
		at := Rates{APCER: 1} // nothing is flagged
		if i >= 0 {
			at = r.at(i)
		}
		if cost := r.cost(i); cost < least {
			threshold, best, least = t, at, cost
		}
	}
	return threshold, best
}

// ChosenThreshold is the distinct score that as a threshold has the smallest ACER on these images, the highest of several:
// to be measured on other images, such as the test set's where this is the validation set. NaN where a class is missing.
func (r *Ranking) ChosenThreshold() float64 {
	threshold, least := math.NaN(), uint64(math.MaxUint64)
	if !r.both() {
		return threshold
	}
	for i, score := range r.scores {
		if cost := r.cost(i); cost < least {
			threshold, least = score, cost
		}
	}
	return threshold
}

// cost is the ACER of the threshold that is the i-th distinct score (-1: above all), times 2 x Real x Synthetic: a whole number,
// so that equal ones are equal. With fewer than 2^31 images it is below 2^62.
func (r *Ranking) cost(i int) uint64 {
	missed, alarms := uint64(r.Synthetic), uint64(0)
	if i >= 0 {
		missed, alarms = missed-uint64(r.hits[i]), uint64(r.alarms[i])
	}
	return missed*uint64(r.Real) + alarms*uint64(r.Synthetic)
}

// EER is the equal error rate: where the ROC polygon, straight between the corners at the distinct scores, has
// BPCER = APCER. NaN where a class is missing.
func (r *Ranking) EER() float64 {
	if !r.both() {
		return math.NaN()
	}
	before := Rates{APCER: 1}
	for i := range r.scores {
		at := r.at(i)
		if at.BPCER < at.APCER {
			before = at
			continue
		}
		u := 0.0
		if step := (before.APCER - before.BPCER) - (at.APCER - at.BPCER); step != 0 {
			u = (before.APCER - before.BPCER) / step
		}
		return before.BPCER + u*(at.BPCER-before.BPCER)
	}
	return math.NaN()
}

// APCERAtBPCER is APCER where BPCER is at most target, at the lowest such threshold among the distinct scores. Where
// every threshold flags more real images than that, nothing is flagged: the threshold is +Inf, APCER 1, BPCER 0.
func (r *Ranking) APCERAtBPCER(target float64) (threshold float64, at Rates) {
	if !r.both() {
		return math.NaN(), Rates{math.NaN(), math.NaN()}
	}
	within := sort.Search(len(r.scores), func(i int) bool { return r.at(i).BPCER > target })
	if within == 0 {
		return math.Inf(1), Rates{APCER: 1}
	}
	return r.scores[within-1], r.at(within - 1)
}
