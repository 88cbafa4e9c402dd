package stats

import "math"

// Equivalent asks whether the means of two independent samples are less than margin apart: two one-sided Welch tests of
// the difference against -margin and against margin (Schuirmann 1987). P is the larger of the two; the means are shown to
// be equivalent at a level where P is below it. Samples without any spread say so themselves: P is 0 where they are less
// than margin apart, else 1. With fewer than two values in one of them it is NaN. The other fields are Welch's.
func Equivalent(a, b []float64, margin float64) Test {
	test := Welch(a, b)
	test.P = math.NaN()
	if len(a) < 2 || len(b) < 2 {
		return test
	}
	se := math.Sqrt(variance(a)/float64(len(a)) + variance(b)/float64(len(b)))
	if !(se > math.Abs(test.Difference)*1e-12) || !(test.DF > 0) { // as in Welch: less is rounding, not spread
		test.P = 1
		if math.Abs(test.Difference) < margin {
			test.P = 0
		}
		return test
	}
	test.P = max(above((test.Difference+margin)/se, test.DF), above((margin-test.Difference)/se, test.DF))
	return test
}

// above is P(T >= t) of Student's distribution.
func above(t, df float64) float64 {
	half := twoSided(t, df) / 2
	if t < 0 {
		return 1 - half
	}
	return half
}
