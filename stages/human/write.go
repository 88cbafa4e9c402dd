package human

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"strconv"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// write leaves the outputs: human.csv, figures and, last, human.json.
func write(t *task.Task, h *results.Human) error {
	type drawing interface {
		SVG() []byte
		PNG() ([]byte, error)
	}
	figures := map[string]drawing{"people": peopleFigure(h)}
	if len(h.Groups) > 1 || len(h.Models) > 0 {
		figures["groups"] = groupsFigure(h)
	}
	for name, figure := range figures {
		picture, err := figure.PNG()
		if err != nil {
			return err
		}
		if err := os.WriteFile(t.Out("figures/"+name+".svg"), figure.SVG(), 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(t.Out("figures/"+name+".png"), picture, 0o644); err != nil {
			return err
		}
	}
	list, err := measuresCSV(h)
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.Out("human.csv"), list, 0o644); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(h, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(t.Out("human.json"), append(raw, '\n'), 0o644)
}

// measuresCSV has a row for each measure.
func measuresCSV(h *results.Human) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"measure", "condition", "group", "model", "value", "low", "high", "trials"}) // Flush keeps the first error
	number := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'g', -1, 64)
	}
	for _, m := range h.Measures {
		_ = w.Write([]string{m.Name, m.Condition, m.Group, m.Model, number(&m.Value), number(m.Low), number(m.High), strconv.Itoa(m.Trials)})
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// peopleFigure has a dot for the accuracy of each participant in each condition.
func peopleFigure(h *results.Human) plot.Dots {
	f := plot.Dots{Title: "Accuracy of every participant, bars at the mean", YLabel: "Accuracy", Y: plot.Range{Low: 0, High: 1}, Reference: 0.5,
		Names: []string{"participants"}, Numbers: []int{1}}
	for _, condition := range h.Conditions {
		var values []float64
		for _, p := range h.People {
			v := p.Free
			if condition == study.Annotated {
				v = p.Annotated
			}
			if v != nil {
				values = append(values, *v)
			}
		}
		f.Groups = append(f.Groups, plot.Group{Name: condition, Values: [][]float64{values}})
	}
	return f
}

// groupsFigure has the accuracy of people in each condition, and of the models, on each group.
func groupsFigure(h *results.Human) plot.Dots {
	f := plot.Dots{Title: "Accuracy by group of images", YLabel: "Accuracy", Y: plot.Range{Low: 0, High: 1}, Reference: 0.5}
	if len(h.Models) > 0 {
		f.Title = "Accuracy of people and networks"
	}
	for i, condition := range h.Conditions {
		f.Names, f.Numbers = append(f.Names, "people, "+condition), append(f.Numbers, 1+i)
	}
	for i, model := range h.Models {
		f.Names, f.Numbers = append(f.Names, model), append(f.Numbers, 3+i)
	}
	overall := results.HumanAll
	if len(h.Conditions) == 1 {
		overall = h.Conditions[0]
	}
	value := func(m *results.HumanMeasure) float64 {
		if m == nil {
			return math.NaN()
		}
		return m.Value
	}
	for _, group := range append([]string{""}, h.Groups...) {
		if group == "" && len(f.Groups) > 0 || group != "" && len(h.Groups) < 2 {
			continue // of images without a group, or the same again
		}
		g := plot.Group{Name: group, Strong: group == ""}
		if group == "" {
			g.Name = "all"
		}
		for _, condition := range h.Conditions {
			g.Values = append(g.Values, []float64{value(h.Find("accuracy", condition, group, ""))})
		}
		for _, model := range h.Models {
			g.Values = append(g.Values, []float64{value(h.Find("model", overall, group, model))})
		}
		f.Groups = append(f.Groups, g)
	}
	return f
}
