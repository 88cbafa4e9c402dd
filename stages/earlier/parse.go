package earlier

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
)

// form is where a file of scores has its fields; label and set are -1 where it has none.
type form struct{ path, score, label, set int }

// forms are the files that are known, by their number of fields.
var forms = map[int]form{
	2: {path: 0, score: 1, label: -1, set: -1}, // test.py: path,score
	3: {path: 0, score: 2, label: 1, set: -1},  // Evaluation.py: name,label,score; and scores.csv
	4: {path: 0, score: 1, label: 2, set: 3},   // Grains, MENTOR: path,score,label,data set
}

// ParseScores reads a file of scores in any of the known forms, with or without a header; of keeps the rows of one data
// set of a file that names them. Labels are empty where the file has none. Errors name the line.
func ParseScores(raw []byte, of string) ([]metrics.Score, error) {
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	in.LazyQuotes = true // the authors write paths as they are
	var rows []metrics.Score
	var f form
	first := true
	for {
		record, err := in.Read() // all rows as long as the first
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		if first {
			var known bool
			if f, known = forms[len(record)]; !known {
				return nil, fmt.Errorf("line %d: %d fields; known are path,score and name,label,score and path,score,label,data set", line, len(record))
			}
			if of != "" && f.set < 0 {
				return nil, fmt.Errorf("of: %q cannot be looked for: rows have %d fields, and only the fourth names a data set", of, len(record))
			}
		}
		score, err := strconv.ParseFloat(strings.TrimSpace(record[f.score]), 64)
		if err != nil && first {
			first = false // a header
			continue
		}
		first = false
		if err != nil || math.IsNaN(score) || math.IsInf(score, 0) {
			return nil, fmt.Errorf("line %d: score %q is no finite number", line, record[f.score])
		}
		if of != "" && record[f.set] != of {
			continue
		}
		row := metrics.Score{Path: record[f.path], Class: metrics.Unlabelled, Score: score}
		if f.label >= 0 {
			class, ok := metrics.Class(strings.TrimSuffix(record[f.label], ".0"))
			if !ok {
				return nil, fmt.Errorf("line %d: unknown label %q, known are Real and Synthetic, and 0 and 1 for them", line, record[f.label])
			}
			row.Class, row.Label = class, metrics.Label(class)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 && of != "" {
		return nil, fmt.Errorf("no row is of the data set %q", of)
	}
	if len(rows) == 0 {
		return nil, errors.New("it has no rows")
	}
	return rows, nil
}
