package report

import (
	"html/template"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// marks gives each setting the marker that it has in the figures, and the name that it has in its group.
type marks struct {
	numbers map[string]int
	names   map[string]string
}

func newMarks(s *results.Summary, groups []results.Group) marks {
	baseline := ""
	if len(s.Tests) > 0 {
		baseline = s.Tests[0].Baseline
	}
	return marks{results.Numbers(groups, baseline), results.Names(groups)}
}

// Mark is a setting's marker.
func (m marks) Mark(setting string) template.HTML {
	return template.HTML(plot.Marker(m.numbers[setting]))
}

// Called is what a setting is called within its group.
func (m marks) Called(setting string) string { return m.names[setting] }

// comparison is the first table: a row for each setting; the mean over the sets, its test against the baseline, each set.
type comparison struct {
	Metric  string
	Sets    []setColumn
	Rows    []comparisonRow
	Apart   bool // the sets are not in it: beside the tests there is no room for them
	Below   bool // ... but in the first of the tables that follow
	Means   bool // there are several sets, and so a column for their mean
	Tested  bool // there is a baseline, and at least one row is tested against it
	Largest int  // number of repeats of the fullest row
}

type setColumn struct {
	Name   string
	InMean bool // false: the set is shown, and not in the mean
}

type comparisonRow struct {
	Group    string // where one begins: its name
	Setting  string
	Baseline bool
	Mean     *results.Cell   // nil: none
	Cells    []*results.Cell // by Sets; nil: none
	Test     *results.Test   // on the mean; nil: none
	Repeats  int
}

func newComparison(s *results.Summary, groups []results.Group) *comparison {
	c := &comparison{Metric: metricName(s.Metric), Means: len(s.Sets) > 1}
	for _, set := range s.Sets {
		c.Sets = append(c.Sets, setColumn{Name: set, InMean: slices.Contains(s.Mean, set)})
	}
	longest := 0
	grouped(groups, func(group, setting, name string) {
		longest = max(longest, len(name))
		row := comparisonRow{Group: group, Setting: setting, Mean: findCell(s, setting, "mean", s.Metric)}
		for _, set := range c.Sets {
			found := findCell(s, setting, set.Name, s.Metric)
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
		c.Largest = max(c.Largest, row.Repeats)
		c.Rows = append(c.Rows, row)
	})
	c.Apart = c.Tested && c.width(longest) > pageWidth
	c.Below = c.Apart && len(s.Tables) > 0 && s.Tables[0].Metric == s.Metric
	return c
}

// grouped goes through the settings group by group; group is empty but for the first of each.
func grouped(groups []results.Group, do func(group, setting, name string)) {
	for _, g := range groups {
		for i, of := range g.Settings {
			group := ""
			if i == 0 {
				group = g.Name
			}
			do(group, of.Setting, of.Name)
		}
	}
}

const pageWidth = 1004 // pixels, as in page.css

// width is about how wide the table is with all sets in it, in pixels.
func (c *comparison) width(longest int) int {
	wide := 95 + 8*longest + 80 + 60 // marker and name, mean, repeats
	if c.Tested {
		wide += 350
	}
	for _, set := range c.Sets {
		wide += max(72, 22+7*len(set.Name))
	}
	return wide
}

// Span is the number of columns without those of sets.
func (c *comparison) Span() int {
	n := 2
	if c.Means {
		n++
	}
	if c.Tested {
		n += 4
	}
	return n
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
	Group   string // where one begins: its name
	Setting string
	Cells   []*results.Cell
}

func newOthers(s *results.Summary, groups []results.Group) *others {
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
	grouped(groups, func(group, setting, _ string) {
		row := othersRow{Group: group, Setting: setting}
		for _, metric := range metrics {
			row.Cells = append(row.Cells, findCell(s, setting, "mean", metric))
		}
		o.Rows = append(o.Rows, row)
	})
	return o
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
