package cli

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/lock"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

func diffCommand() *cobra.Command {
	var f runFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Say what differs between two specs, locks or runs, in settings and in metrics",
		Long: "diff compares A with B; each is a spec, a lock (*.lock.yaml) or a run's folder (runs/NAME). Of a spec, its settings and\n" +
			"data count, and the metrics of what is done. It ends with 0 where settings, data and metrics are the same as far as both\n" +
			"sides know them, and with 3 where they differ. Other environments, threads and places of files are shown, and do not count.",
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			a, err := f.side(args[0])
			if err != nil {
				return err
			}
			b, err := f.side(args[1])
			if err != nil {
				return err
			}
			d := lock.Differ(args[0], a, args[1], b)
			if asJSON {
				err = printJSON(c.OutOrStdout(), d)
			} else {
				d.Text(c.OutOrStdout())
			}
			if err != nil {
				return exit{ExitFailed, err}
			}
			if !d.Same {
				return silent(ExitCheck)
			}
			return nil
		},
	}
	f.specFlags.add(c)
	f.addNoFiles(c)
	f.placeFlags.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// side reads what diff compares.
func (f *runFlags) side(path string) (*lock.Lock, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, wrong(fmt.Errorf("diff: %w", err))
	case info.IsDir():
		return readRun(path)
	case strings.HasSuffix(path, ".lock.yaml"):
		return readLock(path, "")
	}
	if f.noFiles {
		doc, _, err := f.load(path)
		if err != nil {
			return nil, err
		}
		return &lock.Lock{Name: runName(doc), Settings: lock.SettingsOf(doc)}, nil
	}
	l, _, err := f.collect(path)
	if err == nil && len(l.Nodes) == 0 {
		l.Environment = nil // of this machine, on which nothing was done yet
	}
	return l, err
}

// readRun reads a run's folder: resolved.yaml, metrics.csv where there is one, and what its last run said of itself.
func readRun(dir string) (*lock.Lock, error) {
	path := filepath.Join(dir, "resolved.yaml")
	if !isFile(path) {
		return nil, wrong(fmt.Errorf("diff: %s is no run's folder: it has no resolved.yaml", dir))
	}
	doc, diags := spec.Load(path, spec.Options{})
	if err := diags.Err(); err != nil {
		return nil, wrong(err)
	}
	l := &lock.Lock{Name: filepath.Base(dir), Settings: lock.SettingsOf(doc)}
	var err error
	if l.Metrics, err = readMetrics(filepath.Join(dir, "metrics.csv")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, exit{ExitFailed, fmt.Errorf("diff: %w", err)}
	}
	l.Environment = environmentOf(filepath.Join(dir, "events.jsonl"))
	return l, nil
}

// readMetrics reads metrics.csv: node, one column per matrix axis, set, metric, value.
func readMetrics(path string) ([]lock.Evaluation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(rows) == 0 || len(rows[0]) < 4 || rows[0][0] != "node" {
		return nil, fmt.Errorf("read %s: the header is not node,...,set,metric,value", path)
	}
	axes := rows[0][1 : len(rows[0])-3]
	var all []lock.Evaluation
	for i, row := range rows[1:] {
		n := len(row)
		value, err := strconv.ParseFloat(row[n-1], 64)
		if err != nil {
			return nil, fmt.Errorf("read %s: line %d: %q is no number", path, i+2, row[n-1])
		}
		last := len(all) - 1
		if last < 0 || all[last].Node != row[0] || all[last].Set != row[n-3] {
			e := lock.Evaluation{Node: row[0], Set: row[n-3], Axes: map[string]string{}, Values: map[string]float64{}}
			for k, axis := range axes {
				if row[k+1] != "" {
					e.Axes[axis] = row[k+1]
				}
			}
			all, last = append(all, e), last+1
		}
		all[last].Values[row[n-2]] = value
	}
	return all, nil
}

// environmentOf is what a run said of itself when it last started, nil where it left no record.
func environmentOf(events string) map[string]string {
	raw, err := os.ReadFile(events)
	if err != nil {
		return nil
	}
	var said map[string]string
	for line := range strings.Lines(string(raw)) {
		var e task.Event
		if json.Unmarshal([]byte(line), &e) == nil && e.Type == task.RunStarted {
			device, _, _ := strings.Cut(e.Words["device"], ":")
			said = map[string]string{"device": device, "libtorch": e.Words["libtorch"]}
		}
	}
	return said
}
