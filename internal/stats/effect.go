package stats

import (
	"fmt"
	"math"
)

// CohensDz is the mean of a[i] - b[i] over its sample standard deviation: the effect size of a paired t-test (Cohen, Statistical
// Power Analysis, 1988, d_z). NaN with fewer than two pairs or where all differences are equal.
func CohensDz(a, b []float64) float64 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("stats: %d values paired with %d", len(a), len(b)))
	}
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return over(Mean(d), SD(d))
}

// HedgesG is the difference of the means of two independent samples over their pooled standard deviation, times the factor that
// makes it unbiased, by the gamma function (Hedges, Journal of Educational Statistics 1981). NaN with fewer than two values in
// one of them or without spread.
func HedgesG(a, b []float64) float64 {
	if len(a) < 2 || len(b) < 2 {
		return math.NaN()
	}
	df := float64(len(a) + len(b) - 2)
	pooled := math.Sqrt((variance(a)*float64(len(a)-1) + variance(b)*float64(len(b)-1)) / df)
	top, _ := math.Lgamma(df / 2)
	bottom, _ := math.Lgamma((df - 1) / 2)
	return over(Mean(a)-Mean(b), pooled) * math.Exp(top-bottom) / math.Sqrt(df/2)
}

// over is value/spread; NaN where the spread is no more than rounding.
func over(value, spread float64) float64 {
	if !(spread > math.Abs(value)*1e-12) {
		return math.NaN()
	}
	return value / spread
}
