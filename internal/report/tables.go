package report

import (
	_ "embed" // the section
	"fmt"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

//go:embed tables.html
var tablesText string

// layout is one metric's table as the paper has it.
type layout struct {
	results.Table
	Name, Caption string
	Rows          []layoutRow
	Stacked       bool // deviations stand below their means: beside them there is no room
}

type layoutRow struct {
	results.TableRow
	Last int // the name that carries the setting's marker
}

func layouts(s *results.Summary) (all []layout) {
	for _, t := range s.Tables {
		l := layout{Table: t, Name: t.Title}
		if l.Name == "" {
			l.Name = measureName(t.Metric)
		}
		names := 0
		for _, row := range t.Rows {
			l.Rows = append(l.Rows, layoutRow{row, len(row.Names) - 1})
			names = max(names, len(strings.Join(row.Names, "")))
		}
		l.Stacked = 120*len(t.Columns)+8*names+30*len(t.Axes)+60 > pageWidth
		best := "highest"
		if metrics.LowerIsBetter(t.Metric) {
			best = "lowest"
		}
		l.Caption = fmt.Sprintf("Mean ± standard deviation over runs; the %s of each column and group in bold. The same as CSV, Markdown and LaTeX in tables/%s.*.", best, t.Metric)
		switch t.Metric {
		case results.Learning:
			l.Caption = "Each training after its last epoch, mean ± standard deviation over trainings. The same as CSV, Markdown and LaTeX in tables/learning.*."
		case "acer_on_test":
			l.Caption += " Optimistic: the threshold was chosen on the very images it is measured on."
		}
		all = append(all, l)
	}
	return all
}

// measureName is a metric as a reader knows it: apcer_at_bpcer_5 is APCER at BPCER 5 %.
func measureName(metric string) string {
	if at, ok := strings.CutPrefix(metric, "apcer_at_bpcer_"); ok {
		return "APCER at BPCER " + at + " %"
	}
	if at, ok := strings.CutPrefix(metric, "tdr_at_fdr_"); ok {
		return "TDR at FDR " + at
	}
	switch metric {
	case results.Learning:
		return "What the trainings came to"
	case "acer_chosen":
		return "ACER, threshold chosen on the validation set"
	case "acer_on_test":
		return "ACER, threshold chosen on the test images"
	case "accuracy_at_prevalence":
		return "accuracy at the stated prevalence"
	case "d_prime":
		return "d′"
	case "ece":
		return "ECE"
	case "auc_se":
		return "standard error of the AUC (DeLong)"
	}
	return metricName(metric)
}

// overRepeats are DeLong's tests over all repeats.
func overRepeats(all []results.DeLong) (out []results.DeLong) {
	for _, d := range all {
		if d.Repeat == "" {
			out = append(out, d)
		}
	}
	return out
}

// effect writes an effect size, a dash where there is none.
func effect(v *float64) string {
	if v == nil {
		return "–"
	}
	return strings.Replace(strconv.FormatFloat(*v, 'f', 2, 64), "-", "−", 1)
}
