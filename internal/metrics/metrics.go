// Package metrics measures how well scores tell synthetic from real images, and how well two maps agree.
//
// Terms: a score is larger where an image is more probably Synthetic. Synthetic (class 1) is the positive class, Real
// (class 0) the bona fide one. A threshold t flags an image as Synthetic where score >= t. APCER is the share of
// synthetic images below t (missed attacks), BPCER the share of real images at or above t (false alarms), ACER their
// mean, as in ISO/IEC 30107-3 with one kind of attack. On the ROC, the false positive rate is BPCER and the true positive
// rate is 1 - APCER.
//
// Rules: classes and scores have the same length, classes are 0 or 1. What is not defined, because a class is missing,
// a score is NaN or there is no spread, is NaN, never an error and never a made-up number. All functions are pure, leave
// their arguments as they are, and take O(n log n) time for n scores.
package metrics

import (
	"fmt"
	"math"
)

// The classes of an image.
const (
	Real      = 0
	Synthetic = 1
)

// Threshold is where evaluate measures APCER, BPCER and ACER: fixed beforehand, not tuned on the test set.
const Threshold = 0.5

// Names are the metrics of an evaluation, in the order in which tables show them.
var Names = []string{"auc", "accuracy", "eer", "apcer", "bpcer", "acer"}

// Report is metrics.json: what evaluate found on one set.
type Report struct {
	Set       string             `json:"set,omitempty"`
	Images    int                `json:"images"`
	Real      int                `json:"real"`
	Synthetic int                `json:"synthetic"`
	Threshold float64            `json:"threshold"` // of apcer, bpcer and acer
	Metrics   map[string]float64 `json:"metrics"`   // by Names; undefined ones are absent
}

// Evaluate computes every metric of Names.
func Evaluate(classes []int, scores []float64) Report {
	r := Report{Images: len(classes), Threshold: Threshold, Metrics: map[string]float64{}}
	for _, class := range classes {
		if class == Synthetic {
			r.Synthetic++
		} else {
			r.Real++
		}
	}
	ranking := Rank(classes, scores)
	at := ranking.ErrorsAt(Threshold)
	values := map[string]float64{
		"auc": ranking.AUC(), "accuracy": Accuracy(classes, scores), "eer": ranking.EER(),
		"apcer": at.APCER, "bpcer": at.BPCER, "acer": at.ACER(),
	}
	for name, value := range values {
		if !math.IsNaN(value) {
			r.Metrics[name] = value
		}
	}
	return r
}

// Accuracy is the share of images whose predicted class is right. The predicted class is the argmax of the two softmax
// probabilities: Synthetic where score > 0.5, Real at a tie, as PyTorch's argmax takes the first. NaN without images.
func Accuracy[C ~int | ~uint8](classes []C, scores []float64) float64 {
	check(classes, scores)
	if len(scores) == 0 || anyNaN(scores) {
		return math.NaN()
	}
	right := 0
	for i, score := range scores {
		if (score > 0.5) == (classes[i] == Synthetic) {
			right++
		}
	}
	return float64(right) / float64(len(scores))
}

// AUC is the chance that a synthetic image scores above a real one, a tie counting one half (Mann and Whitney, 1947):
// the area under the ROC. NaN where a class is missing.
func (r *Ranking) AUC() float64 {
	if !r.both() {
		return math.NaN()
	}
	twice := uint64(0) // the pairs won, two for each, one for a tie: whole numbers, so that no digit is lost
	alarms, hits := uint32(0), uint32(0)
	for i := range r.scores {
		twice += uint64(r.alarms[i]-alarms) * uint64(hits+r.hits[i])
		alarms, hits = r.alarms[i], r.hits[i]
	}
	return float64(twice) / (2 * float64(r.Real) * float64(r.Synthetic))
}

// DPrime is mean(synthetic) - mean(real) over the root of the mean of both variances: below zero where scores point the wrong
// way. ddof is what is taken off n in the variances: 0 for the population's, 1 for the sample's. NaN where a class is missing
// or there is no spread.
func DPrime[C ~int | ~uint8](classes []C, scores []float64, ddof int) float64 {
	check(classes, scores)
	var group [2][]float64
	for i, class := range classes {
		group[class] = append(group[class], scores[i])
	}
	m0, v0 := moments(group[Real], ddof)
	m1, v1 := moments(group[Synthetic], ddof)
	spread := math.Sqrt((v0 + v1) / 2)
	if !(spread > 0) {
		return math.NaN()
	}
	return (m1 - m0) / spread
}

func moments(values []float64, ddof int) (mean, variance float64) {
	n := len(values)
	if n <= ddof {
		return math.NaN(), math.NaN()
	}
	for _, v := range values {
		mean += v
	}
	mean /= float64(n)
	for _, v := range values {
		variance += (v - mean) * (v - mean)
	}
	return mean, variance / float64(n-ddof)
}

func anyNaN(values []float64) bool {
	for _, v := range values {
		if math.IsNaN(v) {
			return true
		}
	}
	return false
}

// check panics on what only a mistake in the program can bring.
func check[C ~int | ~uint8](classes []C, scores []float64) {
	if len(classes) != len(scores) {
		panic(fmt.Sprintf("metrics: %d classes for %d scores", len(classes), len(scores)))
	}
	for _, class := range classes {
		if class != Real && class != Synthetic {
			panic(fmt.Sprintf("metrics: class %d, only 0 (Real) and 1 (Synthetic) are known", class))
		}
	}
}
