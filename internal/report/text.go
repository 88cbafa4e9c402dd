package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

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

// lowerIsBetter is true for error rates.
func lowerIsBetter(metric string) bool {
	return metric == "eer" || metric == "apcer" || metric == "bpcer" || metric == "acer"
}

// lead says in a sentence what was done.
func lead(s *results.Summary) string {
	repeats := map[string]bool{}
	for _, r := range s.Runs {
		repeats[r.Axes[s.Repeat]] = true
	}
	return fmt.Sprintf("%s, each trained with %s and scored on %s: %s.",
		count(len(s.Settings), "setting of "+s.Compare, "settings of "+s.Compare),
		count(max(1, len(repeats)), s.Repeat, s.Repeat+"s"),
		count(len(s.Sets), "data set", "data sets"),
		count(len(s.Runs), "evaluation", "evaluations"))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// findings are the comparisons in plain words: each setting against the baseline, on the mean over the sets.
func findings(s *results.Summary) (out []string) {
	for _, t := range s.Tests {
		if t.Metric == s.Metric && t.Set == "mean" {
			out = append(out, finding(s, t))
		}
	}
	return out
}

func finding(s *results.Summary, t results.Test) string {
	over := ""
	if len(s.Mean) > 1 {
		over = " over " + list(s.Mean)
	} else if len(s.Mean) == 1 {
		over = " on " + s.Mean[0]
	}
	name := "mean " + metricName(s.Metric)
	a, b := cell(s, t.Setting), cell(s, t.Baseline)
	what := fmt.Sprintf("The %s%s of %s is %s; that of %s, the baseline, is %s.", name, over, t.Setting, number(a.Mean), t.Baseline, number(b.Mean))
	direction := "higher"
	if t.Difference < 0 {
		direction = "lower"
	}
	seeds := count(t.N, s.Repeat, s.Repeat+"s")
	if t.Difference == 0 {
		return what + " There is no difference."
	}
	by := fmt.Sprintf("%s is %s by %s", t.Setting, direction, number(math.Abs(t.Difference)))
	if a.N != t.N || b.N != t.N {
		by += fmt.Sprintf(" over the %s that both have", seeds)
	}
	switch {
	case t.N < 2:
		return what + fmt.Sprintf(" %s, on one %s: whether that is more than chance cannot be said.", by, s.Repeat)
	case t.PairedP < 0:
		return what + fmt.Sprintf(" %s on every one of %s, without spread: there is nothing to test.", by, seeds)
	}
	by += fmt.Sprintf(" (95 %% interval %s to %s, paired t-test over %s %s)", signed(t.Low), signed(t.High), seeds, equation(t.PairedP))
	wins := fmt.Sprintf("it is higher on %d of %d", t.Wins, t.N)
	if t.PairedP >= alpha {
		return what + fmt.Sprintf(" %s; a difference of this size may well be chance, %s.", by, wins)
	}
	verdict := "better"
	if lowerIsBetter(s.Metric) == (t.Difference > 0) {
		verdict = "worse"
	}
	return what + fmt.Sprintf(" %s: more than chance explains, and %s; %s.", by, verdict, wins)
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
	return strconv.FormatFloat(p, 'f', 4, 64)
}

func equation(p float64) string {
	if text := chance(p); strings.HasPrefix(text, "<") {
		return "p " + text
	}
	return "p = " + chance(p)
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
