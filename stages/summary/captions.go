package summary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// title is a metric as a table's reader knows it, with what it was measured under.
func title(metric string, p Params) string {
	if at, ok := strings.CutPrefix(metric, "apcer_at_bpcer_"); ok {
		return "APCER at BPCER " + at + " %"
	}
	if at, ok := strings.CutPrefix(metric, "tdr_at_fdr_"); ok {
		return "TDR at FDR " + at
	}
	switch metric {
	case "accuracy":
		return "Accuracy"
	case "acer_chosen":
		return "ACER, threshold of each model chosen on " + p.ChosenOn
	case "acer_on_test":
		return "ACER, threshold chosen on the test images"
	case "accuracy_at_prevalence":
		return "Accuracy at a prevalence (share of synthetic images) of " + digits(p.Prevalence)
	case "d_prime":
		return "d'"
	case "auc_se":
		return "Standard error of the AUC (DeLong)"
	}
	return strings.ToUpper(metric)
}

// tableCaption lets a metric's table stand without the page.
func tableCaption(s *results.Summary, t results.Table) string {
	largest := 0
	for _, r := range t.Rows {
		largest = max(largest, r.Runs)
	}
	if t.Metric == results.Learning {
		return fmt.Sprintf("Each training after its last epoch, mean ± standard deviation over up to %d trainings; nothing was scored.", largest)
	}
	best := "highest"
	if metrics.LowerIsBetter(t.Metric) {
		best = "lowest"
	}
	text := fmt.Sprintf("%s, mean ± standard deviation over up to %d runs; the %s of each column and group in bold.", t.Title, largest, best)
	if t.Metric == "acer_on_test" {
		text += " Optimistic: the threshold was chosen on the very images it is measured on."
	}
	return text + aboutColumns(s, t)
}

// testsCaption is that of the tests of a metric's table.
func testsCaption(s *results.Summary, t results.Table) string {
	better := "higher"
	if metrics.LowerIsBetter(t.Metric) {
		better = "lower"
	}
	return fmt.Sprintf("%s, %s is better: each setting less its baseline in n pairs by %s; Student's paired t-test, Wilcoxon's signed rank test, Cohen's dz, Hedges' g.",
		t.Title, better, s.Repeat) + aboutColumns(s, t) + aboutFamilies(s, t.Tests)
}

// aboutColumns says what the columns beside the sets hold.
func aboutColumns(s *results.Summary, t results.Table) string {
	if !slices.Contains(t.Columns, meanSet) {
		return ""
	}
	return fmt.Sprintf(" %s: each run's mean over %s; %s: the images of these together, those that several of them share counted once.", meanSet, list(s.Mean), pooledSet)
}
