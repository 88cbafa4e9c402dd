package metrics

import "math"

// Measures are all metrics of a summary's tables: those of Names first, then those that take several thresholds or sets.
var Measures = []string{
	"auc", "accuracy", "eer", "apcer", "bpcer", "acer",
	"apcer_at_bpcer_1", "apcer_at_bpcer_5", "apcer_at_bpcer_10",
	"acer_chosen", "acer_on_test", "accuracy_at_prevalence", "d_prime", "ece",
	"tdr_at_fdr_0.001", "tdr_at_fdr_0.002", "tdr_at_fdr_0.01", "tdr_at_fdr_0.05",
	"auc_se",
}

// LowerIsBetter is true for rates of error.
func LowerIsBetter(metric string) bool {
	switch metric {
	case "eer", "apcer", "bpcer", "acer", "apcer_at_bpcer_1", "apcer_at_bpcer_5", "apcer_at_bpcer_10", "acer_chosen", "acer_on_test", "ece", "auc_se":
		return true
	}
	return false
}

// Conditions are what some of Measures stand on.
type Conditions struct {
	Prevalence float64 // the share of synthetic images at which accuracy_at_prevalence is stated
	Chosen     float64 // the threshold of acer_chosen, chosen on other images; NaN: there is none
}

// Measure computes Measures of one evaluation, and the ranking that they were read off. Undefined ones are absent.
//
//   - apcer_at_bpcer_N is APCER where BPCER is at most N %;
//   - acer_chosen is ACER at Conditions.Chosen, acer_on_test the authors' smallest ACER, whose threshold is chosen on the very
//     images that it is measured on, of scores scaled to [0,1], and so flatters;
//   - accuracy_at_prevalence weighs the accuracies of both classes by Conditions.Prevalence;
//   - d_prime has a sign, and sample variances; ece has ten bins;
//   - tdr_at_fdr_X is the true positive rate at the false positive rate X, straight between the ROC's corners, the authors'
//     detection rates (CVRL/CYBORG, Evaluation.py);
//   - auc_se is DeLong's standard error of the AUC.
func Measure[C ~int | ~uint8](classes []C, scores []float64, c Conditions) (map[string]float64, *Ranking) {
	r := Rank(classes, scores)
	fixed := r.ErrorsAt(Threshold)
	calibration, _ := Calibration(classes, scores)
	_, onTest := r.BestACER()
	values := map[string]float64{
		"auc": r.AUC(), "accuracy": Accuracy(classes, scores), "eer": r.EER(), "apcer": fixed.APCER, "bpcer": fixed.BPCER, "acer": fixed.ACER(),
		"acer_on_test": onTest.ACER(), "acer_chosen": math.NaN(), "accuracy_at_prevalence": r.AccuracyAt(c.Prevalence),
		"d_prime": DPrime(classes, scores, 1), "ece": calibration.ECE(), "auc_se": r.Placements().Estimate().SE,
	}
	if !math.IsNaN(c.Chosen) {
		values["acer_chosen"] = r.ErrorsAt(c.Chosen).ACER()
	}
	for name, bpcer := range map[string]float64{"apcer_at_bpcer_1": 0.01, "apcer_at_bpcer_5": 0.05, "apcer_at_bpcer_10": 0.1} {
		_, at := r.APCERAtBPCER(bpcer)
		values[name] = at.APCER
	}
	roc := r.ROC()
	for name, fdr := range map[string]float64{"tdr_at_fdr_0.001": 0.001, "tdr_at_fdr_0.002": 0.002, "tdr_at_fdr_0.01": 0.01, "tdr_at_fdr_0.05": 0.05} {
		values[name] = roc.At(fdr)
	}
	if len(r.places) == 0 { // a score is NaN, or there are no images
		return map[string]float64{}, r
	}
	for name, value := range values {
		if math.IsNaN(value) {
			delete(values, name)
		}
	}
	return values, r
}

// AccuracyAt is the accuracy that would be seen where this share of the images, in [0,1], were synthetic: both classes'
// accuracies, weighed by it. The predicted class is the argmax, as in Accuracy, which it equals at the list's own share.
func (r *Ranking) AccuracyAt(prevalence float64) float64 {
	at := r.ErrorsAt(math.Nextafter(0.5, 1)) // score > 0.5 is Synthetic
	return prevalence*(1-at.APCER) + (1-prevalence)*(1-at.BPCER)
}
