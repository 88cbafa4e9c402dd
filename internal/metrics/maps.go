package metrics

import (
	"fmt"
	"math"
)

// The four measures below are the usual ones of saliency benchmarks (Bylinskii et al., "What do different evaluation
// metrics tell us about saliency models?", TPAMI 2019). Maps are flat, row by row, and of the same size.

// Correlation is Pearson's linear correlation of two maps, in [-1,1]; NaN where one of them is constant.
func Correlation(a, b []float64) float64 {
	sameSize(a, b)
	ma, va := moments(a, 0)
	mb, vb := moments(b, 0)
	if constant(a) || constant(b) {
		return math.NaN()
	}
	sum := 0.0
	for i := range a {
		sum += (a[i] - ma) * (b[i] - mb)
	}
	return sum / float64(len(a)) / math.Sqrt(va*vb)
}

// Similarity (SIM) is the histogram intersection of two maps, each scaled to [0,1] and then to sum 1: in [0,1], 1 for
// equal maps; NaN where one of them is constant.
func Similarity(a, b []float64) float64 {
	sameSize(a, b)
	p, q := unitSum(UnitRange(a)), unitSum(UnitRange(b))
	if p == nil || q == nil {
		return math.NaN()
	}
	sum := 0.0
	for i := range p {
		sum += math.Min(p[i], q[i])
	}
	return sum
}

// KL is the divergence of a map from the human one, sum q ln(e + q/(p+e)) with both scaled to sum 1, q the human map's
// and e = 2^-52, in nats. NaN where a map has a negative cell or sums to nothing.
func KL(m, human []float64) float64 {
	sameSize(m, human)
	const epsilon = 0x1p-52
	p, q := unitSum(m), unitSum(human)
	if p == nil || q == nil {
		return math.NaN()
	}
	sum := 0.0
	for i := range p {
		sum += q[i] * math.Log(epsilon+q[i]/(p[i]+epsilon))
	}
	return sum
}

// NSS (normalised scanpath saliency) is the mean at the fixated cells of the map scaled to mean 0 and population standard
// deviation 1. Fixations are flat indices; a cell fixated twice counts twice. NaN where the map is constant or nothing is
// fixated.
func NSS(m []float64, fixations []int) float64 {
	mean, variance := moments(m, 0)
	if constant(m) || len(fixations) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, cell := range fixations {
		sum += (m[cell] - mean) / math.Sqrt(variance)
	}
	return sum / float64(len(fixations))
}

// unitSum scales a map to sum 1; nil where it has a negative cell, a NaN, or sums to nothing.
func unitSum(m []float64) []float64 {
	sum := 0.0
	for _, v := range m {
		if !(v >= 0) {
			return nil
		}
		sum += v
	}
	if !(sum > 0) || math.IsInf(sum, 1) {
		return nil
	}
	out := make([]float64, len(m))
	for i, v := range m {
		out[i] = v / sum
	}
	return out
}

func constant(m []float64) bool {
	low, high := extent(m)
	return !(high > low)
}

func sameSize(a, b []float64) {
	if len(a) != len(b) {
		panic(fmt.Sprintf("metrics: maps of %d and %d cells", len(a), len(b)))
	}
}
