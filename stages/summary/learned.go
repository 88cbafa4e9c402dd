package summary

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// learned is the table of trainings of which none was scored: what their learning curves came to, each at its last epoch.
func learned(s *results.Summary, names naming, inputs []task.Input) ([]results.Table, error) {
	type place struct{ setting, curve string }
	values := map[place][]float64{}
	axesOf, trainings := map[string]map[string]string{}, map[string]int{}
	for _, in := range inputs {
		setting := names.setting(in.Axes)
		if trainings[setting]++; trainings[setting] == 1 {
			axesOf[setting] = in.Axes
		}
		last, end := 0, map[string]float64{}
		err := readHistory(filepath.Join(in.Path, "history.csv"), func(epoch int, name string, v float64) {
			if epoch > last {
				last, end = epoch, map[string]float64{}
			}
			end[name] = v
		})
		if err != nil {
			return nil, fmt.Errorf("summary of %s: %w", in.Node, err)
		}
		for name, v := range end {
			values[place{setting, name}] = append(values[place{setting, name}], v)
		}
	}
	if len(inputs) == 0 {
		return nil, nil
	}
	t := results.Table{Metric: results.Learning}
	for _, name := range curveNames {
		if slices.ContainsFunc(s.Settings, func(setting string) bool { return len(values[place{setting, name}]) > 0 }) {
			t.Columns = append(t.Columns, name)
		}
	}
	t.Rows, t.Axes = tableRows(s, names, axesOf)
	for i := range t.Rows {
		row := &t.Rows[i]
		row.Runs = trainings[row.Setting]
		for _, name := range t.Columns {
			v := values[place{row.Setting, name}]
			cell := results.TableCell{N: len(v)}
			if len(v) > 0 {
				cell.Mean, cell.SD = stats.Mean(v), stats.SD(v)
			}
			row.Cells = append(row.Cells, cell)
		}
	}
	return []results.Table{t}, nil
}
