package summary

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// skipped reads which images prepare left out. A data set that was packed at two sizes is listed once.
func skipped(inputs []task.Input) (all []results.Skipped, err error) {
	for _, in := range inputs {
		set, _, _ := strings.Cut(strings.TrimPrefix(in.Node, "data."), "[")
		text, err := os.ReadFile(in.Path)
		if err != nil {
			return nil, fmt.Errorf("summary of %s: %w", in.Node, err)
		}
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil || len(rows) == 0 || !slices.Equal(rows[0], []string{"path", "reason"}) {
			return nil, fmt.Errorf("summary of %s: read %s: no list of path and reason: %v", in.Node, in.Path, err)
		}
		for _, row := range rows[1:] {
			all = appendNew(all, results.Skipped{Set: set, Path: row[0], Reason: row[1]})
		}
	}
	return all, nil
}

// omissions says of each data set how many of its images are missing.
func omissions(all []results.Skipped) (notes []string) {
	var sets []string
	count := map[string]int{}
	for _, s := range all {
		sets = appendNew(sets, s.Set)
		count[s.Set]++
	}
	for _, set := range sets {
		notes = append(notes, fmt.Sprintf("Data set %s is without images that could not be read: %d. The record below lists them.", set, count[set]))
	}
	return notes
}
