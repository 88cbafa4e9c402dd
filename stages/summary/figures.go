package summary

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// figures draws all figures; the result's keys are file names below the stage's output.
func figures(s *results.Summary, baseline string) (map[string][]byte, error) {
	if len(s.Tests) > 0 {
		baseline = s.Tests[0].Baseline
	}
	numbers := plot.Numbers(s.Settings, baseline)
	files := map[string][]byte{}
	type drawing interface {
		SVG() []byte
		PNG() ([]byte, error)
	}
	add := func(name string, d drawing, withPNG bool) error {
		files["figures/"+name+".svg"] = d.SVG()
		if !withPNG {
			return nil
		}
		picture, err := d.PNG()
		files["figures/"+name+".png"] = picture
		return err
	}
	measured := func(metric string) bool {
		return slices.ContainsFunc(s.Cells, func(c results.Cell) bool { return c.Metric == metric && len(c.Values) > 0 })
	}
	if len(s.ROC) > 0 {
		over := "over " + strings.Join(s.Mean, ", ") + " pooled"
		if err := add("roc", rocFigure(s, numbers, pooledSet, over), true); err != nil {
			return nil, err
		}
		for _, set := range s.Sets {
			if err := add("roc_"+fileName(set), rocFigure(s, numbers, set, "on "+set), false); err != nil {
				return nil, err
			}
		}
	}
	if measured(s.Metric) {
		if err := add(fileName(s.Metric), dotsFigure(s, numbers), true); err != nil {
			return nil, err
		}
	}
	if len(s.Reliable) > 0 {
		if err := add("reliability", reliabilityFigure(s, numbers), true); err != nil {
			return nil, err
		}
	}
	for _, what := range []string{"accuracy", "loss"} {
		if len(s.Curves) > 0 {
			if err := add("learning_"+what, learningFigure(s, numbers, what), true); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

func rocFigure(s *results.Summary, numbers map[string]int, set, where string) plot.Lines {
	f := plot.Lines{
		Title: "ROC " + where, XLabel: "False positive rate (BPCER)", YLabel: "True positive rate (1 - APCER)",
		X: plot.Range{Low: 0, High: 1}, Y: plot.Range{Low: 0, High: 1}, Diagonal: "chance", Square: true,
	}
	for _, r := range s.ROC {
		if r.Set == set {
			f.Series = append(f.Series, plot.Line{
				Name: fmt.Sprintf("%s, AUC %.3f", r.Setting, r.AUC), Number: numbers[r.Setting], X: r.FPR, Y: r.TPR, SD: r.SD, Low: r.Low, High: r.High,
			})
		}
	}
	return f
}

// reliabilityFigure shows how often images of a score are synthetic, which for calibrated scores is that score.
func reliabilityFigure(s *results.Summary, numbers map[string]int) plot.Lines {
	f := plot.Lines{
		Title: "Reliability over " + strings.Join(s.Mean, ", ") + " pooled", XLabel: "Mean score of the bin", YLabel: "Share of synthetic images",
		X: plot.Range{Low: 0, High: 1}, Y: plot.Range{Low: 0, High: 1}, Diagonal: "calibrated", Square: true,
	}
	for _, r := range s.Reliable {
		f.Series = append(f.Series, plot.Line{Name: fmt.Sprintf("%s, ECE %.3f", r.Setting, r.ECE), Number: numbers[r.Setting], X: r.Score, Y: r.Share, Points: true})
	}
	return f
}

func learningFigure(s *results.Summary, numbers map[string]int, what string) plot.Lines {
	f := plot.Lines{
		Title: strings.ToUpper(what[:1]) + what[1:] + " by epoch", XLabel: "Epoch", YLabel: strings.ToUpper(what[:1]) + what[1:],
		Whole: true,
	}
	low := 1.0
	for _, c := range s.Curves {
		if !strings.HasSuffix(c.Name, "_"+what) {
			continue
		}
		line := plot.Line{Name: c.Setting, Number: numbers[c.Setting], Y: c.Mean, SD: c.SD, Dashed: strings.HasPrefix(c.Name, "train_")}
		for i, epoch := range c.Epoch {
			line.X = append(line.X, float64(epoch))
			low = math.Min(low, c.Mean[i]-c.SD[i])
		}
		if line.Dashed {
			f.Dashed = "training"
		} else {
			f.Solid = "validation"
		}
		f.Series = append(f.Series, line)
	}
	if what == "accuracy" {
		f.Y = plot.Range{Low: math.Max(0, math.Floor(low*10)/10), High: 1}
		if !(f.Y.Low < 1) {
			f.Y.Low = 0.9
		}
	}
	return f
}

func dotsFigure(s *results.Summary, numbers map[string]int) plot.Dots {
	name := strings.ToUpper(s.Metric)
	if len(s.Metric) > 5 {
		name = strings.ToUpper(s.Metric[:1]) + s.Metric[1:]
	}
	f := plot.Dots{
		Title: name + " of every " + s.Repeat + ", bars at the mean", YLabel: name,
		Limits: plot.Range{Low: 0, High: 1}, Reference: math.NaN(), Names: s.Settings,
	}
	if s.Metric == "auc" || s.Metric == "accuracy" || s.Metric == "eer" || s.Metric == "acer" {
		f.Reference = 0.5 // chance
	}
	for _, setting := range s.Settings {
		f.Numbers = append(f.Numbers, numbers[setting])
	}
	values := map[[2]string][]float64{}
	for _, c := range s.Cells {
		if c.Metric == s.Metric {
			values[[2]string{c.Setting, c.Set}] = c.Values
		}
	}
	for _, set := range columns(s) {
		if set == meanSet && len(s.Sets) < 2 {
			continue
		}
		g := plot.Group{Name: set, Strong: set == meanSet}
		for _, setting := range s.Settings {
			g.Values = append(g.Values, values[[2]string{setting, set}])
		}
		f.Groups = append(f.Groups, g)
	}
	return f
}

// fileName keeps letters, digits, dots, dashes and underscores of a set's name.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, name)
}
