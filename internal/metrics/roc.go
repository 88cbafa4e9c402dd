package metrics

import (
	"math"
	"sort"
)

// Curve is a receiver operating characteristic: corners from (0,0), where nothing is flagged, to (1,1), where all is.
// FPR and TPR never fall. Empty where it is not defined.
type Curve struct{ FPR, TPR []float64 }

// ROC has one corner for each distinct score, and (0,0). Empty where a class is missing.
func (r *Ranking) ROC() Curve {
	if !r.both() {
		return Curve{}
	}
	n := len(r.scores) + 1
	c := Curve{FPR: make([]float64, 1, n), TPR: make([]float64, 1, n)}
	for i := range r.scores {
		at := r.at(i)
		c.FPR, c.TPR = append(c.FPR, at.BPCER), append(c.TPR, float64(r.hits[i])/float64(r.Synthetic))
	}
	return c
}

// At is the true positive rate at a false positive rate in [0,1], straight between the corners; on a vertical piece the
// upper end counts. NaN on an empty curve.
func (c Curve) At(fpr float64) float64 {
	n := len(c.FPR)
	if n == 0 {
		return math.NaN()
	}
	right := sort.Search(n, func(i int) bool { return c.FPR[i] > fpr }) // the first corner beyond fpr
	switch right {
	case 0:
		return c.TPR[0]
	case n:
		return c.TPR[n-1]
	}
	x0, x1, y0, y1 := c.FPR[right-1], c.FPR[right], c.TPR[right-1], c.TPR[right]
	return y0 + (fpr-x0)/(x1-x0)*(y1-y0)
}

// Grid is n evenly spaced false positive rates from 0 to 1; n >= 2.
func Grid(n int) []float64 {
	grid := make([]float64, n)
	for i := range grid {
		grid[i] = float64(i) / float64(n-1)
	}
	return grid
}

// VerticalAverage averages curves at each false positive rate of the grid (Fawcett, Pattern Recognition Letters 2006,
// section 8.1): mean and sample standard deviation (n-1; 0 for a single curve) of the true positive rates. Empty curves do
// not count; without any other, both results are nil.
func VerticalAverage(curves []Curve, grid []float64) (mean, sd []float64) {
	var defined []Curve
	for _, c := range curves {
		if len(c.FPR) > 0 {
			defined = append(defined, c)
		}
	}
	if len(defined) == 0 {
		return nil, nil
	}
	mean, sd = make([]float64, len(grid)), make([]float64, len(grid))
	at := make([]float64, len(defined))
	for i, fpr := range grid {
		for j, c := range defined {
			at[j] = c.At(fpr)
		}
		m, variance := moments(at, 0)
		mean[i] = m
		if n := float64(len(at)); n > 1 {
			sd[i] = math.Sqrt(variance * n / (n - 1))
		}
	}
	return mean, sd
}
