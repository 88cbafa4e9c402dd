package metrics

import (
	"math"
	"sort"
)

// Rates are the error rates at one threshold, in [0,1]; NaN where the class is missing.
type Rates struct{ APCER, BPCER float64 }

// ACER is the mean of both rates.
func (r Rates) ACER() float64 { return (r.APCER + r.BPCER) / 2 }

// ErrorsAt measures both error rates at threshold t, score >= t being flagged as Synthetic.
func ErrorsAt(classes []int, scores []float64, t float64) Rates {
	check(classes, scores)
	if anyNaN(scores) {
		return Rates{math.NaN(), math.NaN()}
	}
	var of, wrong [2]int
	for i, class := range classes {
		of[class]++
		if (scores[i] >= t) != (class == Synthetic) {
			wrong[class]++
		}
	}
	share := func(class int) float64 { return float64(wrong[class]) / float64(of[class]) } // 0/0 is NaN
	return Rates{APCER: share(Synthetic), BPCER: share(Real)}
}

// BestACER is the smallest ACER over the thresholds 0, 0.025 ... 0.975, the lowest threshold winning a tie. It is
// what the authors' code (CVRL/CYBORG, Evaluation.py) reports; the threshold is chosen on the very images it is measured
// on, so it flatters. The authors scale the scores to [0,1] beforehand: see UnitRange.
func BestACER(classes []int, scores []float64) (threshold float64, best Rates) {
	best = Rates{math.NaN(), math.NaN()}
	threshold = math.NaN()
	for i := range 40 {
		t := float64(i) * 0.025
		r := ErrorsAt(classes, scores, t)
		if r.ACER() < best.ACER() || (i == 0 && !math.IsNaN(r.ACER())) {
			threshold, best = t, r
		}
	}
	return threshold, best
}

// UnitRange scales the scores of one evaluation to [0,1], as the authors' code does before it measures; nil where
// all are equal.
func UnitRange(scores []float64) []float64 {
	low, high := extent(scores)
	if !(high > low) {
		return nil
	}
	out := make([]float64, len(scores))
	for i, s := range scores {
		out[i] = (s - low) / (high - low)
	}
	return out
}

// EER is the equal error rate: where the ROC polygon, straight between the corners at the distinct scores, has
// BPCER = APCER. NaN where a class is missing.
func EER(classes []int, scores []float64) float64 {
	c := ROC(classes, scores)
	for i := 1; i < len(c.FPR); i++ {
		b0, a0 := c.FPR[i-1], 1-c.TPR[i-1]
		b1, a1 := c.FPR[i], 1-c.TPR[i]
		if b1 < a1 {
			continue
		}
		u := 0.0
		if step := (a0 - b0) - (a1 - b1); step != 0 {
			u = (a0 - b0) / step
		}
		return b0 + u*(b1-b0)
	}
	return math.NaN()
}

// APCERAtBPCER is APCER where BPCER is at most target, at the lowest such threshold among the distinct scores. Where
// every threshold flags more real images than that, nothing is flagged: the threshold is +Inf, APCER 1, BPCER 0.
func APCERAtBPCER(classes []int, scores []float64, target float64) (threshold float64, at Rates) {
	groups, real, synthetic := ties(classes, scores)
	if real == 0 || synthetic == 0 {
		return math.NaN(), Rates{math.NaN(), math.NaN()}
	}
	threshold, at = math.Inf(1), Rates{APCER: 1}
	flagged, alarms := 0, 0
	for _, g := range groups {
		flagged += g.synthetic
		alarms += g.real
		bpcer := float64(alarms) / float64(real)
		if bpcer > target {
			break
		}
		threshold, at = g.score, Rates{float64(synthetic-flagged) / float64(synthetic), bpcer}
	}
	return threshold, at
}

// APCERAtPercentile is APCER at the threshold that is the linearly interpolated (1-target) quantile of the real scores,
// the other usual reading of "APCER at BPCER": with ties, BPCER may then exceed the target.
func APCERAtPercentile(classes []int, scores []float64, target float64) (threshold float64, at Rates) {
	check(classes, scores)
	var real []float64
	for i, class := range classes {
		if class == Real {
			real = append(real, scores[i])
		}
	}
	if len(real) == 0 || anyNaN(scores) {
		return math.NaN(), Rates{math.NaN(), math.NaN()}
	}
	sort.Float64s(real)
	place := (1 - target) * float64(len(real)-1)
	below := int(math.Floor(place))
	above := min(below+1, len(real)-1)
	threshold = real[below] + (place-float64(below))*(real[above]-real[below])
	return threshold, ErrorsAt(classes, scores, threshold)
}

func extent(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	return low, high
}
