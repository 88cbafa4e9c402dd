package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// alpha is the level below which a difference is called more than chance.
const alpha = 0.05

// metricNames are the metrics as a reader knows them.
var metricNames = map[string]string{"auc": "AUC", "eer": "EER", "apcer": "APCER", "bpcer": "BPCER", "acer": "ACER", "accuracy": "accuracy"}

func metricName(metric string) string {
	if name, ok := metricNames[metric]; ok {
		return name
	}
	return metric
}

// lead says in a sentence what was done.
func lead(s *results.Summary) string {
	repeats, models := map[string]bool{}, map[[2]string]bool{}
	for _, r := range s.Runs {
		repeats[r.Axes[s.Repeat]], models[[2]string{r.Setting, r.Axes[s.Repeat]}] = true, true
	}
	if onlyCurves(s) {
		trainings := 0
		for _, c := range s.Curves {
			trainings = max(trainings, c.N)
		}
		return fmt.Sprintf("%s, each trained with %s; nothing was scored.",
			count(len(s.Settings), "setting of "+s.Compare, "settings of "+s.Compare), count(max(1, trainings), s.Repeat, s.Repeat+"s"))
	}
	if len(s.Curves) == 0 {
		return fmt.Sprintf("%s trained elsewhere, scored on %s: %s.", count(len(models), "network", "networks"),
			count(len(s.Sets), "data set", "data sets"), count(len(s.Runs), "evaluation", "evaluations"))
	}
	return fmt.Sprintf("%s, each trained with %s and scored on %s: %s.",
		count(len(s.Settings), "setting of "+s.Compare, "settings of "+s.Compare),
		count(max(1, len(repeats)), s.Repeat, s.Repeat+"s"),
		count(len(s.Sets), "data set", "data sets"),
		count(len(s.Runs), "evaluation", "evaluations"))
}

// onlyCurves tells whether trainings are shown of which none was scored.
func onlyCurves(s *results.Summary) bool { return len(s.Runs) == 0 && len(s.Curves) > 0 }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// findings are the comparisons in plain words: each setting against the baseline, on the mean over the sets. Many of them
// become one sentence for each group.
func findings(s *results.Summary, groups []results.Group) (out []string) {
	var tests []results.Test
	for _, t := range s.Tests {
		if t.Metric == s.Metric && t.Set == "mean" {
			tests = append(tests, t)
		}
	}
	if len(groups) > 1 || len(tests) > 4 {
		return sentences(s, groups, tests)
	}
	for _, t := range tests {
		out = append(out, finding(s, t))
	}
	return out
}

// average says over which sets the mean is taken.
func average(s *results.Summary) string {
	switch len(s.Mean) {
	case 0:
		return ""
	case 1:
		return "On " + s.Mean[0] + ", "
	}
	return "On average over " + list(s.Mean) + ", "
}

func finding(s *results.Summary, t results.Test) string {
	where := average(s)
	a, b := cell(s, t.Setting), cell(s, t.Baseline)
	text := fmt.Sprintf("%s%s has a mean %s of %s, against %s of %s", where, t.Setting, metricName(s.Metric), number(a.Mean), number(b.Mean), t.Baseline)
	if a.N != t.N || b.N != t.N {
		text += fmt.Sprintf("; over the %s that both have", count(t.N, s.Repeat, s.Repeat+"s"))
	}
	switch {
	case t.Difference > 0:
		text += ": higher by " + number(t.Difference)
	case t.Difference < 0:
		text += ": lower by " + number(-t.Difference)
	default:
		return text + ": no difference."
	}
	switch {
	case t.N < 2:
		return text + fmt.Sprintf(", on one %s, which cannot tell a difference from chance.", s.Repeat)
	case t.PairedP < 0:
		return text + fmt.Sprintf(", the same on each of %s, which leaves nothing to test.", count(t.N, s.Repeat, s.Repeat+"s"))
	}
	text += fmt.Sprintf(" (95 %% interval %s to %s), and higher on %d of %s", signed(*t.Low), signed(*t.High), t.Higher, count(t.N, s.Repeat, s.Repeat+"s"))
	test := "paired t-test, " + equation(t.PairedP)
	if t.PairedHolm > t.PairedP {
		test += ", by Holm's correction " + equation(t.PairedHolm)
	}
	if max(t.PairedP, t.PairedHolm) >= alpha {
		return text + fmt.Sprintf("; this does not tell the difference from chance (%s).", test)
	}
	verdict := "an improvement"
	if metrics.LowerIsBetter(s.Metric) == (t.Difference > 0) {
		verdict = "a setback"
	}
	return text + fmt.Sprintf("; %s that chance alone would rarely bring (%s).", verdict, test)
}

// cell is a setting's mean of the summary's metric.
func cell(s *results.Summary, setting string) results.Cell {
	for _, c := range s.Cells {
		if c.Setting == setting && c.Metric == s.Metric && c.Set == "mean" {
			return c
		}
	}
	return results.Cell{Mean: math.NaN()}
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// number has three decimals; a dash where there is none.
func number(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	text := strconv.FormatFloat(v, 'f', 3, 64)
	if text == "-0.000" {
		text = "0.000"
	}
	return strings.Replace(text, "-", "−", 1)
}

func signed(v float64) string {
	text := number(v)
	if v > 0 && text != "0.000" {
		return "+" + text
	}
	return text
}

// chance writes a p-value; -1 stands for none.
func chance(p float64) string {
	switch {
	case p < 0 || math.IsNaN(p):
		return "–"
	case p < 0.0001:
		return "< 0.0001"
	}
	if p < 0.1 {
		return strconv.FormatFloat(p, 'f', 4, 64)
	}
	return strconv.FormatFloat(p, 'f', 2, 64)
}

func equation(p float64) string {
	if text := chance(p); strings.HasPrefix(text, "<") {
		return "p\u00a0<\u00a0" + text[2:]
	}
	return "p\u00a0=\u00a0" + chance(p)
}

func seconds(v float64) string {
	switch {
	case v < 10:
		return strconv.FormatFloat(v, 'f', 1, 64) + " s"
	case v < 100:
		return strconv.FormatFloat(v, 'f', 0, 64) + " s"
	case v < 3600:
		whole := int(math.Round(v))
		return fmt.Sprintf("%d min %02d s", whole/60, whole%60)
	}
	minutes := int(math.Round(v / 60))
	return fmt.Sprintf("%d h %02d min", minutes/60, minutes%60)
}

// parted lets a name break behind its underscores, where a column is narrow.
func parted(name string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(name), "_", "_<wbr>"))
}
