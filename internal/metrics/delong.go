package metrics

import "math"

// Placements are the structural components of an AUC (DeLong, DeLong and Clarke-Pearson, Biometrics 1988): for each image,
// the share of the images of the other class that it is on the right side of, a tie counting one half. Real ones first, then
// synthetic ones, in the order of the list. The mean of either class is the AUC. They are linear in it: placements of several
// networks on the same images may be averaged or taken from each other, and then speak of the mean or the difference of AUCs.
type Placements struct {
	Values []float64 // [n]
	Real   int       // how many are of real images
}

// Placements takes O(n), the ranking once sorted (Sun and Xu, "Fast implementation of DeLong's algorithm", IEEE Signal
// Processing Letters 2014, whose midranks these are). No values where a class is missing.
func (r *Ranking) Placements() Placements {
	if !r.both() {
		return Placements{}
	}
	p := Placements{Values: make([]float64, len(r.places)), Real: r.Real}
	corner, alarms, hits := 0, uint32(0), uint32(0)
	for _, place := range r.places {
		i := place &^ last
		if int(i) < r.Real { // synthetic images above it
			p.Values[i] = (float64(hits) + float64(r.hits[corner]-hits)/2) / float64(r.Synthetic)
		} else { // real images below it
			p.Values[i] = 1 - (float64(alarms)+float64(r.alarms[corner]-alarms)/2)/float64(r.Real)
		}
		if place&last != 0 {
			alarms, hits = r.alarms[corner], r.hits[corner]
			corner++
		}
	}
	return p
}

// Add adds other's values, times a factor, to p's: of the same images.
func (p Placements) Add(other Placements, factor float64) {
	for i, v := range other.Values {
		p.Values[i] += factor * v
	}
}

// Estimate is a number with its standard error by DeLong's method: how it would vary over other images of the same kind, the
// networks being what they are. NaN where it is not defined; the error is NaN too where a class has fewer than two images.
type Estimate struct{ Value, SE float64 }

// Estimate gives the AUC, or whatever combination of AUCs the placements stand for, and the root of the sum of both classes'
// variances of the mean.
func (p Placements) Estimate() Estimate {
	if len(p.Values) == 0 {
		return Estimate{math.NaN(), math.NaN()}
	}
	value, real := moments(p.Values[:p.Real], 0)
	_, synthetic := moments(p.Values[p.Real:], 0)
	return Estimate{value, math.Sqrt(real/float64(p.Real-1) + synthetic/float64(len(p.Values)-p.Real-1))}
}

// normal95 is the normal quantile of 0.975.
const normal95 = 1.959963984540054

// hasSpread says whether the error is more than rounding. An estimate without error looks exact and is not: that no image of
// a list was out of place says little of others.
func (e Estimate) hasSpread() bool { return e.SE > 1e-12 }

// Interval is the two-sided 95 % interval by the normal distribution; NaN where the error is zero.
func (e Estimate) Interval() (low, high float64) {
	if !e.hasSpread() {
		return math.NaN(), math.NaN()
	}
	return e.Value - normal95*e.SE, e.Value + normal95*e.SE
}

// P is the two-sided chance of a value at least as far from zero, if zero were true: of a difference, DeLong's test. An error
// of zero, within rounding, leaves nothing to test: NaN.
func (e Estimate) P() float64 {
	if !e.hasSpread() {
		return math.NaN()
	}
	return math.Erfc(math.Abs(e.Value) / e.SE / math.Sqrt2)
}
