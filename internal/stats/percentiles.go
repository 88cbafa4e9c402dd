package stats

import (
	"math"
	"slices"
)

// Percentiles are the 2.5 and the 97.5 percentile of x, linearly interpolated, as NumPy's: the 95 % percentile interval of
// bootstrap replicates (Efron and Tibshirani, 1993). NaN without values. x is sorted by it.
func Percentiles(x []float64) (low, high float64) {
	if len(x) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(x)
	at := func(share float64) float64 {
		place := share * float64(len(x)-1)
		below := int(place)
		return x[below] + (place-float64(below))*(x[min(below+1, len(x)-1)]-x[below])
	}
	return at(0.025), at(0.975)
}
