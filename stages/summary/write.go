package summary

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

func scoresFile(r run) string { return filepath.Join(r.folder, "scores.csv") }

// write leaves the outputs: metrics.csv, tables, figures and, last, summary.json.
func write(t *task.Task, s *results.Summary, runs []run, names naming, all *gathered) error {
	files, err := figures(s, names.baseline)
	if err != nil {
		return err
	}
	if files["metrics.csv"], err = metricsCSV(s.Axes, runs); err != nil {
		return err
	}
	for name, content := range tableFiles(s, runs, all) {
		files[name] = content
	}
	raw, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return fmt.Errorf("summary.json: %w", err)
	}
	files["summary.json"] = append(raw, '\n')
	for name, content := range files {
		if err := os.WriteFile(t.Out(name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// metricsCSV has a row for each metric of each run: node, one column per matrix axis, set, metric, value.
func metricsCSV(axes []string, runs []run) ([]byte, error) {
	axes = slices.DeleteFunc(slices.Clone(axes), func(axis string) bool { return axis == setAxis })
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write(slices.Concat([]string{"node"}, axes, []string{"set", "metric", "value"})) // Flush keeps the first error
	names := metricNames(runs)
	for _, r := range runs {
		for _, metric := range names {
			value, defined := r.Metrics[metric]
			if !defined {
				continue
			}
			row := []string{r.Node}
			for _, axis := range axes {
				row = append(row, r.Axes[axis])
			}
			_ = w.Write(append(row, r.Set, metric, strconv.FormatFloat(value, 'g', -1, 64)))
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}
