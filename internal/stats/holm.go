package stats

import (
	"cmp"
	"math"
	"slices"
)

// Holm corrects the p-values of a family of tests by Holm's step-down rule (Scandinavian Journal of Statistics 1979): where the
// results below a level are believed, the chance that any of them is false is at most that level. A test that says nothing (p
// is NaN) stays NaN and does not count.
func Holm(p []float64) []float64 {
	var order []int
	out := slices.Clone(p)
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	above := 0.0
	for rank, i := range order {
		above = max(above, min(1, float64(len(order)-rank)*p[i]))
		out[i] = above
	}
	return out
}
