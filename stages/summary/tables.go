package summary

import (
	"math"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
)

// tables lays out the summary's metric, and each further one that is asked for, as the paper does.
func tables(s *results.Summary, p Params, names naming, runs []run, all *gathered) (out []results.Table) {
	axesOf := map[string]map[string]string{}
	for _, r := range slices.Backward(runs) {
		axesOf[r.setting] = r.Axes // of the first one
	}
	rows, axes := tableRows(s, names, axesOf)
	var chosen []string
	for _, metric := range append([]string{s.Metric}, p.Tables...) {
		chosen = appendNew(chosen, metric)
	}
	for _, metric := range chosen {
		t := results.Table{Metric: metric, Title: title(metric, p), Axes: axes, Columns: tableColumns(s)}
		values := all.table(metric, s.Mean)
		for _, row := range rows {
			row.Cells = nil
			for _, set := range t.Columns {
				v := values.of(row.Setting, set)
				cell := results.TableCell{N: len(v)}
				if len(v) > 0 {
					cell.Mean, cell.SD = stats.Mean(v), stats.SD(v)
				}
				row.Cells, row.Runs = append(row.Cells, cell), max(row.Runs, len(v))
			}
			t.Rows = append(t.Rows, row)
		}
		markBest(t.Rows, metrics.LowerIsBetter(metric))
		for _, set := range t.Columns {
			for _, row := range t.Rows {
				if base := all.baseline[row.Setting]; base != row.Setting {
					if test, ok := compare(values, metric, row.Setting, base, set); ok {
						t.Tests = append(t.Tests, test)
					}
				}
			}
		}
		correctAgainstBaselines(s, t.Tests)
		out = append(out, t)
	}
	return out
}

// table holds each model's value of one metric, on the sets, pooled and in the mean.
func (g *gathered) table(metric string, mean []string) table {
	t := table{repeats: g.repeats, value: map[model]map[string]float64{}}
	for m, sets := range g.values {
		t.value[m] = map[string]float64{}
		for set, values := range sets {
			if v, ok := values[metric]; ok {
				t.value[m][set] = v
			}
		}
	}
	t.average(mean)
	return t
}

// tableColumns are all sets, and where several are averaged, their mean and their images together.
func tableColumns(s *results.Summary) []string {
	if len(s.Mean) < 2 {
		return s.Sets
	}
	return append(slices.Clone(s.Sets), meanSet, pooledSet)
}

// tableRows are the settings, those of one network (all further axes alike) together, in the spec's order.
func tableRows(s *results.Summary, names naming, axesOf map[string]map[string]string) (rows []results.TableRow, axes []string) {
	axes = append(names.Further(), names.compare)
	var groups []string
	of := map[string][]results.TableRow{}
	for _, setting := range s.Settings {
		axesHere, there := axesOf[setting]
		if !there {
			continue // trained and not evaluated
		}
		parts := names.parts(axesHere)
		if parts[len(parts)-1] == "" { // nothing is compared
			parts[len(parts)-1] = setting
		}
		group := strings.Join(parts[:len(parts)-1], "\x00")
		groups = appendNew(groups, group)
		of[group] = append(of[group], results.TableRow{Setting: setting, Names: parts, Starts: len(of[group]) == 0})
	}
	for _, group := range groups {
		rows = append(rows, of[group]...)
	}
	return rows, axes
}

// markBest marks the best cells of each column within each group: all that print the same.
func markBest(rows []results.TableRow, lowest bool) {
	for from := 0; from < len(rows); {
		end := from + 1
		for end < len(rows) && !rows[end].Starts {
			end++
		}
		for column := range rows[from].Cells {
			best, compared := math.Inf(-1), 0
			worth := func(c results.TableCell) float64 {
				if lowest {
					return -math.Round(c.Mean * 1000)
				}
				return math.Round(c.Mean * 1000)
			}
			for _, row := range rows[from:end] {
				if c := row.Cells[column]; c.N > 0 {
					best, compared = max(best, worth(c)), compared+1
				}
			}
			for i := range rows[from:end] {
				c := &rows[from+i].Cells[column]
				c.Best = compared > 1 && c.N > 0 && worth(*c) == best
			}
		}
		from = end
	}
}
