package agreement

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"slices"
	"strconv"

	"github.com/cyborg-run/cyborg-run/internal/naming"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// write leaves agreement.csv and, last, agreement.json.
func write(t *task.Task, a *results.Agreement, names naming.Names) error {
	table, err := table(a, names.Axes)
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.Out("agreement/agreement.csv"), table, 0o644); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(t.Out("agreement/agreement.json"), append(raw, '\n'), 0o644)
}

// table has a row for each measure of each run, over all of its images and over those of each label: node, one column per
// matrix axis, set, images, metric, n, undefined, mean, sd. Mean is empty where no image defines the measure, sd where fewer
// than two do. The rows of stability, ssim, follow: of each setting and set, mean and deviation over the n pairs of repeats,
// in the columns of the setting's first run, without node and repeat.
func table(a *results.Agreement, axes []string) ([]byte, error) {
	axes = slices.DeleteFunc(slices.Clone(axes), func(axis string) bool { return axis == naming.SetAxis })
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write(slices.Concat([]string{"node"}, axes, []string{"set", "images", "metric", "n", "undefined", "mean", "sd"})) // Flush keeps the first error
	line := func(node string, values map[string]string, rest ...string) {
		row := []string{node}
		for _, axis := range axes {
			row = append(row, values[axis])
		}
		_ = w.Write(append(row, rest...))
	}
	for _, r := range a.Runs {
		for _, m := range r.Measures {
			line(r.Node, r.Axes, r.Set, m.Images, m.Metric, strconv.Itoa(m.N), strconv.Itoa(m.Undefined), digits(m.Mean, m.N > 0), digits(m.SD, m.N > 1))
		}
	}
	for _, s := range a.Stability {
		of := map[string]string{}
		for _, r := range a.Runs {
			if r.Setting == s.Setting && r.Set == s.Set {
				for axis, value := range r.Axes {
					of[axis] = value
				}
				break
			}
		}
		delete(of, a.Repeat)
		line("", of, s.Set, "all", "ssim", strconv.Itoa(s.Pairs), strconv.Itoa(s.Undefined), digits(s.Mean, true), digits(s.SD, s.Pairs > 1))
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// digits writes eight significant ones; nothing where there is no value.
func digits(v float64, defined bool) string {
	if !defined {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 8, 64)
}
