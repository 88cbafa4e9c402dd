package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// SignedRank is the outcome of Wilcoxon's signed rank test.
type SignedRank struct {
	N            int     // pairs that differ
	Up, Down     float64 // sums of the ranks of positive and of negative differences
	P            float64 // two-sided
	Least        float64 // the smallest P that pairs of these ranks can bring: all differences of one sign
	RankBiserial float64 // (Up - Down) / (Up + Down), matched pairs (Kerby, Comprehensive Psychology 2014): -1 to 1
}

// exactPairs is the number of pairs up to which the distribution is counted out.
const exactPairs = 100

// rounding is how far apart differences of numbers up to 1 may be and still be ties.
const rounding = 1e-12

// Wilcoxon is the signed rank test of a[i] - b[i] (Wilcoxon, Biometrics Bulletin 1945). Pairs without a difference are left
// out, ties have the mean of their ranks. Up to 100 pairs the p-value is exact, given the ranks: the share of all 2^n ways to
// set the signs whose sum lies as far out (Pratt and Gibbons, 1981, the conditional distribution); beyond, it is that of the
// normal distribution with the variance that ties leave, without correction for continuity. With no pair left, P and
// RankBiserial are NaN. Differences within 1e-12 of the largest value are equal: they differ by rounding.
func Wilcoxon(a, b []float64) SignedRank {
	if len(a) != len(b) {
		panic(fmt.Sprintf("stats: %d values paired with %d", len(a), len(b)))
	}
	scale := 0.0
	for i := range a {
		scale = max(scale, math.Abs(a[i]), math.Abs(b[i]))
	}
	var d []float64
	for i := range a {
		if v := a[i] - b[i]; math.Abs(v) > rounding*scale {
			d = append(d, v)
		}
	}
	slices.SortFunc(d, func(x, y float64) int { return cmp.Compare(math.Abs(x), math.Abs(y)) })
	t := SignedRank{N: len(d), P: math.NaN(), Least: math.NaN(), RankBiserial: math.NaN()}
	if len(d) == 0 {
		return t
	}
	twice := make([]int, len(d)) // ranks, twice: whole numbers
	tied := 0.0                  // sum of t^3 - t over the ties
	for i := 0; i < len(d); {
		end := i + 1
		for end < len(d) && math.Abs(d[end])-math.Abs(d[end-1]) <= rounding*scale {
			end++
		}
		for k := i; k < end; k++ {
			twice[k] = i + 1 + end
			if d[k] > 0 {
				t.Up += float64(twice[k]) / 2
			} else {
				t.Down += float64(twice[k]) / 2
			}
		}
		size := float64(end - i)
		tied += size*size*size - size
		i = end
	}
	t.RankBiserial = (t.Up - t.Down) / (t.Up + t.Down)
	if t.N <= exactPairs {
		t.P, t.Least = signsAsFar(twice, int(2*max(t.Up, t.Down))), math.Ldexp(1, 1-t.N)
		return t
	}
	n := float64(t.N)
	sd := math.Sqrt(n*(n+1)*(2*n+1)/24 - tied/48)
	t.P = math.Erfc(math.Abs(t.Up-t.Down) / 2 / sd / math.Sqrt2)
	t.Least = math.Erfc((t.Up + t.Down) / 2 / sd / math.Sqrt2)
	return t
}

// signsAsFar is the chance that random signs bring a sum of positive ranks of at least so much, or its mirror image.
func signsAsFar(ranks []int, sum int) float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	chance := make([]float64, total+1) // of each sum
	chance[0] = 1
	reach := 0
	for _, r := range ranks {
		reach += r
		for s := reach; s >= 0; s-- {
			chance[s] /= 2
			if s >= r {
				chance[s] += chance[s-r] / 2
			}
		}
	}
	p := 0.0
	for s := total; s >= sum; s-- {
		p += chance[s]
	}
	return min(1, 2*p)
}
