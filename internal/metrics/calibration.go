package metrics

import "math"

// Bins is the number of bins of a reliability diagram.
const Bins = 10

// Reliability compares scores, as probabilities, with what is the case, in Bins bins of equal width; a score on an edge is in
// the lower bin, as in scikit-learn's calibration_curve. It depends on the share of synthetic images in the list.
type Reliability struct {
	Images [Bins]int
	Score  [Bins]float64 // mean score of the bin's images; NaN where there are none
	Share  [Bins]float64 // share of synthetic ones among them
}

// Calibration sorts scores in [0,1] into bins; ok is false where there are none, or one is not in [0,1].
func Calibration[C ~int | ~uint8](classes []C, scores []float64) (r Reliability, ok bool) {
	check(classes, scores)
	for i, s := range scores {
		if !(s >= 0 && s <= 1) {
			return Reliability{}, false
		}
		b := min(int(s*Bins), Bins-1)
		for b > 0 && s <= edge(b) {
			b--
		}
		for b < Bins-1 && s > edge(b+1) {
			b++
		}
		r.Images[b]++
		r.Score[b] += s
		r.Share[b] += float64(classes[i])
	}
	for b, n := range r.Images {
		r.Score[b] /= float64(n)
		r.Share[b] /= float64(n)
	}
	return r, len(scores) > 0
}

func edge(b int) float64 { return float64(b) * (1.0 / Bins) }

// ECE is the expected calibration error: the mean over the images of |mean score - share of synthetic ones| of their bin
// (Naeini, Cooper and Hauskrecht, AAAI 2015, for the probability of the positive class).
func (r Reliability) ECE() float64 {
	sum, images := 0.0, 0
	for b, n := range r.Images {
		if n > 0 {
			sum += float64(n) * math.Abs(r.Score[b]-r.Share[b])
			images += n
		}
	}
	return sum / float64(images) // 0/0 is NaN
}
