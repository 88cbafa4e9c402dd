package report

import (
	"html/template"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// marks gives each setting the marker that it has in the figures.
type marks struct{ numbers map[string]int }

func newMarks(s *results.Summary) marks {
	baseline := ""
	if len(s.Tests) > 0 {
		baseline = s.Tests[0].Baseline
	}
	return marks{plot.Numbers(s.Settings, baseline)}
}

// Mark is a setting's marker.
func (m marks) Mark(setting string) template.HTML {
	return template.HTML(plot.Marker(m.numbers[setting]))
}

// comparison is the first table: a row for each setting, a column for each set and their mean.
type comparison struct {
	Metric  string
	Columns []column
	Rows    []comparisonRow
	Tested  bool // there is a baseline, and at least one row is tested against it
	Largest int  // number of repeats of the fullest row
}

type column struct {
	Name   string
	InMean bool // false: the set is shown, and not in the mean
	Mean   bool
}

type comparisonRow struct {
	Setting  string
	Baseline bool
	Cells    []*results.Cell // by Columns; nil: none
	Test     *results.Test   // on the mean
	Better   bool            // more than chance
	Worse    bool
	Repeats  int
}

func (v *view) comparison(s *results.Summary) *comparison {
	c := &comparison{Metric: metricName(s.Metric)}
	for _, set := range s.Sets {
		c.Columns = append(c.Columns, column{Name: set, InMean: slices.Contains(s.Mean, set)})
	}
	if len(s.Sets) > 1 {
		c.Columns = append(c.Columns, column{Name: "mean", Mean: true})
	}
	for _, setting := range s.Settings {
		row := comparisonRow{Setting: setting}
		for _, column := range c.Columns {
			found := findCell(s, setting, column.Name, s.Metric)
			row.Cells = append(row.Cells, found)
			if found != nil {
				row.Repeats = max(row.Repeats, found.N)
			}
		}
		for i, t := range s.Tests {
			row.Baseline = row.Baseline || t.Baseline == setting
			if t.Setting == setting && t.Set == "mean" && t.Metric == s.Metric {
				row.Test, c.Tested = &s.Tests[i], true
			}
		}
		if t := row.Test; t != nil && t.PairedP >= 0 && t.PairedP < alpha {
			row.Better = lowerIsBetter(s.Metric) != (t.Difference > 0)
			row.Worse = !row.Better
		}
		c.Largest = max(c.Largest, row.Repeats)
		c.Rows = append(c.Rows, row)
	}
	return c
}

func findCell(s *results.Summary, setting, set, metric string) *results.Cell {
	for i, c := range s.Cells {
		if c.Setting == setting && c.Set == set && c.Metric == metric {
			return &s.Cells[i]
		}
	}
	return nil
}

// others is the table of the remaining metrics, each as its mean over the sets.
type others struct {
	Metrics []string
	Rows    []othersRow
}

type othersRow struct {
	Setting string
	Cells   []*results.Cell
}

func (v *view) others(s *results.Summary) *others {
	o := &others{}
	var metrics []string
	for _, c := range s.Cells {
		if c.Metric != s.Metric && !slices.Contains(metrics, c.Metric) {
			metrics = append(metrics, c.Metric)
			o.Metrics = append(o.Metrics, metricName(c.Metric))
		}
	}
	if len(metrics) == 0 {
		return nil
	}
	for _, setting := range s.Settings {
		row := othersRow{Setting: setting}
		for _, metric := range metrics {
			row.Cells = append(row.Cells, findCell(s, setting, "mean", metric))
		}
		o.Rows = append(o.Rows, row)
	}
	return o
}

// pair compares two settings of which none need be the baseline.
type pair struct{ *results.Test }

func (v *view) pairs(s *results.Summary) (out []pair) {
	if len(s.Settings) < 3 {
		return nil // the comparison says it already
	}
	for i := range s.Pairs {
		out = append(out, pair{&s.Pairs[i]})
	}
	return out
}

// runsShown bounds the table of single runs; metrics.csv has all.
const runsShown = 600

type runs struct {
	Metrics []string
	Rows    []runRow
	More    int
}

type runRow struct {
	results.Run
	Values []*float64
}

func newRuns(s *results.Summary) *runs {
	r := &runs{More: max(0, len(s.Runs)-runsShown)}
	var metrics []string
	for _, c := range s.Cells {
		if !slices.Contains(metrics, c.Metric) {
			metrics = append(metrics, c.Metric)
			r.Metrics = append(r.Metrics, metricName(c.Metric))
		}
	}
	for _, run := range s.Runs[:len(s.Runs)-r.More] {
		row := runRow{Run: run}
		for _, metric := range metrics {
			if value, ok := run.Metrics[metric]; ok {
				row.Values = append(row.Values, &value)
			} else {
				row.Values = append(row.Values, nil)
			}
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}
