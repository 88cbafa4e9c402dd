package leaks

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var page string

// WriteHTML makes one page that refers to nothing outside of itself: the findings, the AUC of every fact, and what the
// images of each class are like.
func (r *Report) WriteHTML(w io.Writer, title string) error {
	t, err := template.New("leaks").Funcs(template.FuncMap{
		"auc":       func(v float64) string { return fmt.Sprintf("%.3f", v) },
		"weight":    func(v float64) string { return fmt.Sprintf("%.2f", v) },
		"thousands": thousands,
		"inc":       func(i int) int { return i + 1 },
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		*Report
		Title, Conclusion string
		Table             []predictionRow
		Sets              []string
	}{r, title, r.conclusion(), r.table(), r.predicted()})
}

// predictionRow is the AUCs of one fact, by set; NaN as "".
type predictionRow struct {
	Fact string
	AUC  []string
	Over []bool // no chance
}

func (r *Report) predicted() (sets []string) {
	for i, p := range r.Predictions {
		if i == 0 || r.Predictions[i-1].Set != p.Set {
			sets = append(sets, p.Set)
		}
	}
	return sets
}

func (r *Report) table() (rows []predictionRow) {
	sets := r.predicted()
	for _, f := range Facts {
		row := predictionRow{Fact: f.Name, AUC: make([]string, len(sets)), Over: make([]bool, len(sets))}
		known := false
		for _, p := range r.Predictions {
			for i, set := range sets {
				if p.Fact == f.Name && p.Set == set {
					row.AUC[i], row.Over[i], known = fmt.Sprintf("%.3f", p.AUC), p.found(), true
				}
			}
		}
		if known {
			rows = append(rows, row)
		}
	}
	return rows
}
