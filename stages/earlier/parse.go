package earlier

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
)

// form is where a file of scores has its fields, behind the path; label and set are -1 where it has none.
type form struct{ score, label, set int }

// forms are the files that are known, by their number of fields.
var forms = map[int]form{
	2: {score: 1, label: -1, set: -1}, // test.py: path,score
	3: {score: 2, label: 1, set: -1},  // Evaluation.py: name,label,score; and scores.csv
	4: {score: 1, label: 2, set: 3},   // Grains, MENTOR: path,score,label,data set
}

// ParseScores reads a file of scores in any of the known forms, with or without a header; of keeps the rows of one data
// set of a file that names them. Labels are empty where the file has none. Errors name the line.
//
// The authors write paths as they are, commas among them. The first row tells how many fields there are behind the path;
// what a row has more of is the path's, if it ends as a file's name does.
func ParseScores(raw []byte, of string) ([]metrics.Score, error) {
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	in.LazyQuotes, in.FieldsPerRecord = true, -1
	var rows []metrics.Score
	var f form
	fields := 0
	for first := true; ; first = false {
		record, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		if first {
			fields = fieldsOf(record)
			var known bool
			if f, known = forms[fields]; !known {
				return nil, fmt.Errorf("line %d: %d fields; known are path,score and name,label,score and path,score,label,data set; a path with commas goes in quotes", line, len(record))
			}
			if of != "" && f.set < 0 {
				return nil, fmt.Errorf("of: %q cannot be looked for: rows have %d fields, and only the fourth names a data set", of, fields)
			}
		}
		if record = joined(record, fields); len(record) != fields {
			return nil, fmt.Errorf("line %d: wrong number of fields: %d, and the first row has %d; a path with commas goes in quotes", line, len(record), fields)
		}
		if first && !slices.ContainsFunc(record, isNumber) {
			continue // a header
		}
		score, ok := number(record[f.score])
		if !ok || math.IsNaN(score) || math.IsInf(score, 0) {
			return nil, fmt.Errorf("line %d: score %q is no finite number", line, record[f.score])
		}
		if of != "" && record[f.set] != of {
			continue
		}
		row := metrics.Score{Path: record[0], Class: metrics.Unlabelled, Score: score}
		if f.label >= 0 {
			class, ok := labelled(record[f.label])
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

// ofFile is the end of a file's name, which no label, number or data set has.
var ofFile = regexp.MustCompile(`\.[A-Za-z]\w*$`)

// fieldsOf is how many fields there are in the form of a row: all of the row's, unless its last ones are a form's behind the
// end of a path. No row is of two forms: what stands one before the last is the name of a file in path,score and a label in
// the others, which have a score or the name of a file before it.
func fieldsOf(record []string) int {
	for fields, f := range forms {
		if end := max(0, len(record)-fields); end > 0 && ofFile.MatchString(record[end]) {
			known := true
			if f.label >= 0 {
				_, known = labelled(record[end+f.label])
			}
			if known && isNumber(record[end+f.score]) {
				return fields
			}
		}
	}
	return len(record)
}

// joined puts a path together that commas took apart.
func joined(record []string, fields int) []string {
	end := len(record) - fields
	if end <= 0 || !ofFile.MatchString(record[end]) {
		return record
	}
	return append([]string{strings.Join(record[:end+1], ",")}, record[end+1:]...)
}

func labelled(field string) (class int, known bool) {
	return metrics.Class(strings.TrimSuffix(field, ".0"))
}

func number(field string) (v float64, ok bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
	return v, !errors.Is(err, strconv.ErrSyntax) // too large ones are infinite
}

func isNumber(field string) bool {
	_, ok := number(field)
	return ok
}
