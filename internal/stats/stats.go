// Package stats compares settings over repeated runs: mean, spread, and whether a difference is more than chance.
//
// Terms: a sample is one number per run (per seed). Paired samples have the runs in the same order, the i-th of both from
// the same seed. All intervals are two-sided at 95 %, all p-values two-sided. What is not defined is NaN: a standard
// deviation of fewer than two values is 0 by convention here, but a test of them has no p. All functions are pure.
package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Mean is the arithmetic mean; NaN without values.
func Mean(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	mean := sum / float64(len(x))
	rest := 0.0 // what rounding left, so that equal values have exactly their value as mean
	for _, v := range x {
		rest += v - mean
	}
	return mean + rest/float64(len(x))
}

// SD is the sample standard deviation (n-1); 0 for fewer than two values.
func SD(x []float64) float64 { return math.Sqrt(variance(x)) }

func variance(x []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	mean, sum := Mean(x), 0.0
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum / float64(len(x)-1)
}

// Test is the outcome of a t-test.
type Test struct {
	N          int     // pairs, or values of both samples together
	Difference float64 // mean(a) - mean(b)
	Low, High  float64 // 95 % interval of the difference
	T          float64 // the statistic
	DF         float64 // its degrees of freedom
	P          float64 // two-sided
}

// Paired is Student's t-test on a[i] - b[i] (Student, 1908). With fewer than two pairs, or where all differences are
// equal, T, P and the interval are NaN: the data say nothing about chance.
func Paired(a, b []float64) Test {
	if len(a) != len(b) {
		panic(fmt.Sprintf("stats: %d values paired with %d", len(a), len(b)))
	}
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	test := Test{N: len(d), Difference: Mean(d), DF: float64(len(d) - 1)}
	return test.finish(math.Sqrt(variance(d) / float64(len(d))))
}

// Welch is the t-test of two independent samples whose variances may differ (Welch, 1947). Where a sample has fewer than
// two values, or neither has spread, T, P and the interval are NaN.
func Welch(a, b []float64) Test {
	va, vb := variance(a)/float64(len(a)), variance(b)/float64(len(b))
	test := Test{N: len(a) + len(b), Difference: Mean(a) - Mean(b)}
	if len(a) < 2 || len(b) < 2 {
		return test.finish(math.NaN())
	}
	test.DF = (va + vb) * (va + vb) / (va*va/float64(len(a)-1) + vb*vb/float64(len(b)-1))
	return test.finish(math.Sqrt(va + vb))
}

// finish fills in T, P and the interval from the standard error of the difference.
func (t Test) finish(se float64) Test {
	t.T, t.P, t.Low, t.High = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if !(se > math.Abs(t.Difference)*1e-12) || !(t.DF > 0) { // less is rounding, not spread
		return t
	}
	t.T = t.Difference / se
	t.P = twoSided(t.T, t.DF)
	reach := critical(t.DF) * se
	t.Low, t.High = t.Difference-reach, t.Difference+reach
	return t
}

// twoSided is P(|T| >= |t|) of Student's distribution, by the regularised incomplete beta function (Abramowitz and
// Stegun, 26.7.1), which keeps its digits where p is tiny.
func twoSided(t, df float64) float64 { return mathext.RegIncBeta(df/2, 0.5, df/(df+t*t)) }

// critical is the t that |T| exceeds with probability 0.05.
func critical(df float64) float64 {
	low, high := 0.0, 2.0
	for twoSided(high, df) > 0.05 {
		high *= 2
	}
	for range 200 {
		middle := (low + high) / 2
		if middle == low || middle == high {
			break
		}
		if twoSided(middle, df) > 0.05 {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}
