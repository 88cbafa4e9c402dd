package check

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// rows is metrics.csv.
type rows struct {
	axes     []string // of the matrix, without set
	repeat   string   // the axis over which runs are repeated
	meanSets []string
	metrics  []string
	list     []row
}

type row struct {
	cells  map[string]string // node, set and the axes
	metric string
	value  float64
}

func readRows(folder string) (*rows, error) {
	r := &rows{}
	if err := r.readHead(filepath.Join(folder, "summary.json")); err != nil {
		return nil, fmt.Errorf("read summary.json: %w", err)
	}
	file, err := os.Open(filepath.Join(folder, "metrics.csv"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read metrics.csv: %w", err)
	}
	if len(records) == 0 || len(records[0]) < 4 {
		return nil, fmt.Errorf("read metrics.csv: no header with node, set, metric and value")
	}
	header := records[0]
	last := len(header) - 3 // set, metric, value
	r.axes = header[1:last]
	for i, record := range records[1:] {
		value, err := strconv.ParseFloat(record[last+2], 64)
		if err != nil {
			return nil, fmt.Errorf("read metrics.csv: line %d: value %q is no number", i+2, record[last+2])
		}
		line := row{cells: map[string]string{}, metric: record[last+1], value: value}
		for k, name := range header[:last+1] {
			line.cells[name] = record[k]
		}
		if !slices.Contains(r.metrics, line.metric) {
			r.metrics = append(r.metrics, line.metric)
		}
		r.list = append(r.list, line)
	}
	return r, nil
}

// readHead reads the repeated axis and the sets of the mean of a results.Summary, and stops there: the curves and tables
// behind are most of the file, and no assertion asks for them.
func (r *rows) readHead(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := json.NewDecoder(file)
	if _, err := in.Token(); err != nil { // {
		return err
	}
	wanted := map[any]any{"repeat": &r.repeat, "mean": &r.meanSets}
	for in.More() && len(wanted) > 0 {
		key, err := in.Token()
		if err != nil {
			return err
		}
		into, ok := wanted[key]
		if !ok {
			into = new(json.RawMessage)
		}
		if err := in.Decode(into); err != nil {
			return err
		}
		delete(wanted, key)
	}
	if len(wanted) > 0 {
		return errors.New("it has no repeat or no mean")
	}
	return nil
}

// environment is what a condition sees of a row.
func (r *rows) environment(line row) map[string]any {
	env := map[string]any{"mean_sets": r.meanSets}
	for name, value := range line.cells {
		env[name] = value
	}
	return env
}
