package summary

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// figures draws all figures, those of each group of settings by themselves; the result's keys are file names below the
// stage's output.
func figures(s *results.Summary, baseline string) (map[string][]byte, error) {
	if len(s.Tests) > 0 {
		baseline = s.Tests[0].Baseline
	}
	groups := s.Groups()
	numbers := results.Numbers(groups, baseline)
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
	measured := func(metric string, g results.Group) bool {
		return slices.ContainsFunc(s.Cells, func(c results.Cell) bool { return c.Metric == metric && len(c.Values) > 0 && g.Has(c.Setting) })
	}
	extent := dotsFigure(s, panel{Group: everything(groups), numbers: numbers}).Extent()
	for _, g := range groups {
		p := panel{Group: g, numbers: numbers}
		if f := rocFigure(s, p, pooledSet, "over "+means(s)+" pooled"); len(f.Series) > 0 {
			if err := add("roc"+g.File, f, true); err != nil {
				return nil, err
			}
			for _, set := range s.Sets {
				if err := add("roc_"+fileName(set)+g.File, rocFigure(s, p, set, "on "+set), false); err != nil {
					return nil, err
				}
			}
		}
		if measured(s.Metric, g) {
			dots := dotsFigure(s, p)
			dots.Y, dots.Width = extent, 760
			if g.Name != "" {
				dots.Width = 520 // as wide as its neighbours
			}
			if err := add(fileName(s.Metric)+g.File, dots, true); err != nil {
				return nil, err
			}
		}
		if f := reliabilityFigure(s, p); len(f.Series) > 0 {
			if err := add("reliability"+g.File, f, true); err != nil {
				return nil, err
			}
		}
		for _, what := range []string{"accuracy", "loss"} {
			if f := learningFigure(s, p, what); len(f.Series) > 0 || len(s.Curves) > 0 && g.Name == "" {
				if err := add("learning_"+what+g.File, f, true); err != nil {
					return nil, err
				}
			}
		}
	}
	return files, nil
}

// panel is what a figure shows: the settings of one group, each by its name there.
type panel struct {
	results.Group
	numbers map[string]int
}

func everything(groups []results.Group) (all results.Group) {
	for _, g := range groups {
		all.Settings = append(all.Settings, g.Settings...)
	}
	return all
}

// named finds a setting's name; ok is false where it is of another group.
func (p panel) named(setting string) (name string, ok bool) {
	for _, of := range p.Settings {
		if of.Setting == setting {
			return of.Name, true
		}
	}
	return "", false
}

// title puts the group in front of what a figure shows.
func (p panel) title(text string) string {
	if p.Name == "" {
		return text
	}
	return p.Name + ": " + text
}

// means are the sets of the mean, by their names where a title has the room.
func means(s *results.Summary) string {
	if names := strings.Join(s.Mean, ", "); len(names) <= 40 {
		return names
	}
	return fmt.Sprintf("%d sets", len(s.Mean))
}

// boundsShown is the largest number of curves whose bands over images still can be told apart.
const boundsShown = 6

func rocFigure(s *results.Summary, p panel, set, where string) plot.Lines {
	f := plot.Lines{
		Title: p.title("ROC " + where), XLabel: "False positive rate (BPCER)", YLabel: "True positive rate (1 - APCER)",
		X: plot.Range{Low: 0, High: 1}, Y: plot.Range{Low: 0, High: 1}, Diagonal: "chance", Square: true,
	}
	for _, r := range s.ROC {
		if name, ok := p.named(r.Setting); ok && r.Set == set {
			line := plot.Line{Name: fmt.Sprintf("%s, AUC %.3f", name, r.AUC), Number: p.numbers[r.Setting], X: r.FPR, Y: r.TPR, SD: r.SD}
			if len(p.Settings) <= boundsShown {
				line.Low, line.High = r.Low, r.High
			}
			f.Series = append(f.Series, line)
		}
	}
	return f
}

// reliabilityFigure shows how often images of a score are synthetic, which for calibrated scores is that score.
func reliabilityFigure(s *results.Summary, p panel) plot.Lines {
	f := plot.Lines{
		Title: p.title("Reliability over " + means(s) + " pooled"), XLabel: "Mean score of the bin", YLabel: "Share of synthetic images",
		X: plot.Range{Low: 0, High: 1}, Y: plot.Range{Low: 0, High: 1}, Diagonal: "calibrated", Square: true,
	}
	for _, r := range s.Reliable {
		if name, ok := p.named(r.Setting); ok {
			f.Series = append(f.Series, plot.Line{Name: fmt.Sprintf("%s, ECE %.3f", name, r.ECE), Number: p.numbers[r.Setting], X: r.Score, Y: r.Share, Points: true})
		}
	}
	return f
}

func learningFigure(s *results.Summary, p panel, what string) plot.Lines {
	f := plot.Lines{
		Title: p.title(strings.ToUpper(what[:1]) + what[1:] + " by epoch"), XLabel: "Epoch", YLabel: strings.ToUpper(what[:1]) + what[1:],
		Whole: true,
	}
	low := 1.0
	for _, c := range s.Curves {
		name, ok := p.named(c.Setting)
		if !ok || !strings.HasSuffix(c.Name, "_"+what) {
			continue
		}
		line := plot.Line{Name: name, Number: p.numbers[c.Setting], Y: c.Mean, SD: c.SD, Dashed: strings.HasPrefix(c.Name, "train_")}
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

func dotsFigure(s *results.Summary, p panel) plot.Dots {
	name := strings.ToUpper(s.Metric)
	if len(s.Metric) > 5 {
		name = strings.ToUpper(s.Metric[:1]) + s.Metric[1:]
	}
	f := plot.Dots{
		Title: p.title(name + " of every " + s.Repeat + ", bars at the mean"), YLabel: name,
		Limits: plot.Range{Low: 0, High: 1}, Reference: math.NaN(),
	}
	if s.Metric == "auc" || s.Metric == "accuracy" || s.Metric == "eer" || s.Metric == "acer" {
		f.Reference = 0.5 // chance
	}
	for _, of := range p.Settings {
		f.Names, f.Numbers = append(f.Names, of.Name), append(f.Numbers, p.numbers[of.Setting])
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
		for _, of := range p.Settings {
			g.Values = append(g.Values, values[[2]string{of.Setting, set}])
		}
		f.Groups = append(f.Groups, g)
	}
	return f
}

func fileName(name string) string { return results.FileName(name) }
