package report

import (
	_ "embed" // the section
	"fmt"
	"html/template"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/results"
)

//go:embed human.html
var humanText string

// Human is a human study with its figures: SVG by name, without ending.
type Human struct {
	*results.Human
	Figures map[string][]byte
}

// human is the section on what people answered, one for each stage of that kind.
type human struct {
	*results.Human
	ID, Lead, Caption, Paired string
	Many, ByGroup             bool
	Columns, GroupColumns     []string
	Rows, Groups              []humanRow
	Beside                    []humanBeside
	Agreement, Excluded       []string
	Charts                    []template.HTML
}

type humanRow struct {
	Name   string
	Trials int
	Cells  []*humanCell
}

type humanBeside struct {
	Model, Condition, Group string
	Trials                  int
	Cells                   []*humanCell
}

// humanCell is a measure with its interval; Low is nil where there is none.
type humanCell struct {
	Value     float64
	Low, High any
}

func newHumans(all []Human) (out []human) {
	for i, h := range all {
		out = append(out, newHuman(h, i, len(all) > 1))
	}
	return out
}

func newHuman(h Human, at int, many bool) human {
	v := human{Human: h.Human, ID: "people", Many: many}
	if at > 0 {
		v.ID = fmt.Sprintf("people-%d", at+1)
	}
	things := "images"
	if h.Pairs {
		things = "pairs of a real and a synthetic image"
	}
	v.Lead = fmt.Sprintf("%s judged %d %s in %d trials.", count(h.Participants, "participant", "participants"), h.Images, things, h.Trials)
	v.rows()
	v.groups()
	v.beside()
	v.Caption = fmt.Sprintf("95 %% intervals by drawing both participants and images anew (pigeonhole bootstrap, Owen 2007; %d resamples). "+
		"d′ and criterion of signal detection with the log-linear correction; time is the geometric mean of seconds to the answer, its difference is a ratio.", h.Resamples)
	if p := h.Human.Paired; p != nil {
		v.Paired = fmt.Sprintf("Over the %d participants who did both, accuracy with annotation differs by %s (95 %% %s to %s, paired t-test, %s).",
			p.N, signed(p.Difference), signed(p.Low), signed(p.High), equation(p.P))
	}
	for _, a := range h.Human.Agreement {
		text := fmt.Sprintf("%s says what most people say on %s of %d images", a.Model, number(a.Majority), a.Images)
		if a.Correlation != nil {
			text += fmt.Sprintf("; its score and the share of people who say Synthetic correlate by %s", number(*a.Correlation))
		}
		v.Agreement = append(v.Agreement, text+".")
	}
	for _, e := range h.Human.Excluded {
		v.Excluded = append(v.Excluded, fmt.Sprintf("%s: %s, %s", e.Rule, count(e.Participants, "participant", "participants"), count(e.Trials, "trial", "trials")))
	}
	for _, name := range []string{"people", "groups"} {
		if svg := inline(h.Figures[name]); svg != "" {
			v.Charts = append(v.Charts, svg)
		}
	}
	return v
}

// conditions are those that measures have: all and the difference only where there are two to compare.
func (v *human) conditions() []string {
	if len(v.Conditions) < 2 {
		return v.Conditions
	}
	return slices.Concat(v.Conditions, []string{results.HumanDifference, results.HumanAll})
}

func (v *human) rows() {
	names := []string{"accuracy", "accuracy_real", "accuracy_synthetic", "dprime", "criterion", "time"}
	v.Columns = []string{"accuracy", "on real", "on synthetic", "d′", "criterion", "time"}
	if v.Pairs {
		names, v.Columns = slices.Delete(names, 1, 3), slices.Delete(v.Columns, 1, 3)
	}
	for _, condition := range v.conditions() {
		row := humanRow{Name: condition}
		if m := v.Find("accuracy", condition, "", ""); m != nil {
			row.Trials = m.Trials
		}
		for _, name := range names {
			row.Cells = append(row.Cells, newHumanCell(v.Find(name, condition, "", "")))
		}
		v.Rows = append(v.Rows, row)
	}
}

func (v *human) groups() {
	for _, group := range v.Human.Groups {
		row := humanRow{Name: group}
		found := false
		for _, condition := range v.conditions() {
			m := v.Find("accuracy", condition, group, "")
			found = found || m != nil
			row.Cells = append(row.Cells, newHumanCell(m))
		}
		if group != "" && found {
			v.Groups = append(v.Groups, row)
		}
	}
	v.GroupColumns = v.conditions()
}

func (v *human) beside() {
	for _, model := range v.Models {
		for _, condition := range v.conditions() {
			for _, group := range append([]string{""}, v.Human.Groups...) {
				m := v.Find("people - model", condition, group, model)
				if m == nil || condition != v.overall() && group != "" || group == "" && slices.ContainsFunc(v.Beside, func(b humanBeside) bool {
					return b.Model == model && b.Condition == condition && b.Group == "all"
				}) {
					continue
				}
				row := humanBeside{Model: model, Condition: condition, Group: group, Trials: m.Trials}
				if group == "" {
					row.Group = "all"
				} else {
					v.ByGroup = true
				}
				for _, name := range []string{"people", "model", "people - model", "agreement"} {
					row.Cells = append(row.Cells, newHumanCell(v.Find(name, condition, group, model)))
				}
				v.Beside = append(v.Beside, row)
			}
		}
	}
}

func (v *human) overall() string {
	if len(v.Conditions) < 2 {
		return v.Conditions[0]
	}
	return results.HumanAll
}

func newHumanCell(m *results.HumanMeasure) *humanCell {
	if m == nil {
		return nil
	}
	c := &humanCell{Value: m.Value}
	if m.Low != nil && m.High != nil {
		c.Low, c.High = *m.Low, *m.High
	}
	return c
}
