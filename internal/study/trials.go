package study

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cyborg-run/cyborg-run/internal/table"
)

// Row is one trial in trials.csv.
type Row struct {
	Line        int     // in the file, from 1
	Participant string  // p0001, or whatever the participants of another tool are called
	Trial       int     // number in the participant's order, from 1; 0: not known
	Block       int     // from 1; 0: not known
	Image       string  // path as in the list, without a "/" in front; of a pair the left one
	Pair        string  // the right one; empty: no pair
	Label       string  // Real or Synthetic: of Image; empty: not known
	Group       string  // of the image, its generator; of a pair that of the synthetic one
	Answer      string  // Real or Synthetic: what Image was taken for
	Annotated   bool    // the region had to be drawn
	Check       string  // Passed or Failed; empty: no attention check
	Time        float64 // seconds from the image to the choice; NaN: not known
	Total       float64 // seconds to going on; NaN: not known
}

// What Row.Check can be.
const (
	Passed = "passed"
	Failed = "failed"
)

// columns of trials.csv as WriteTrials writes them.
var columns = []string{"participant", "trial", "block", "image", "pair", "label", "generator", "answer", "annotated", "check", "time", "total_time"}

// WriteTrials writes trials.csv with a header.
func WriteTrials(w io.Writer, rows []Row) error {
	out := csv.NewWriter(w)
	_ = out.Write(columns) // Flush keeps the first error
	for _, r := range rows {
		_ = out.Write([]string{r.Participant, whole(r.Trial), whole(r.Block), r.Image, r.Pair, r.Label, r.Group, r.Answer,
			strconv.FormatBool(r.Annotated), r.Check, seconds(r.Time), seconds(r.Total)})
	}
	out.Flush()
	return out.Error()
}

func whole(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func seconds(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// maxWrong is how many mistakes of a file are told.
const maxWrong = 10

// ParseTrials reads trials as CSV with a header; file is what errors call it. The columns participant, image, answer and
// annotated are needed; time (seconds), label, pair, check, trial, block, total_time and the one called group are read
// where they are there, others are not. Answers and labels are Real and Synthetic in any case, or words that labels gives
// a meaning: {fake: Synthetic}. An error names up to ten bad rows.
func ParseTrials(file string, data []byte, group string, labels map[string]string) ([]Row, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%s: not UTF-8; save it as CSV in UTF-8", file)
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("%s: no rows", file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	p := parser{at: map[string]int{}, group: group, labels: labels}
	for i, name := range header {
		name = strings.TrimSpace(name)
		if small := strings.ToLower(name); slices.Contains(columns, small) {
			name = small
		}
		if _, twice := p.at[name]; twice && name != "" {
			return nil, fmt.Errorf("%s:1: there are two columns %q", file, name)
		}
		p.at[name] = i
	}
	for _, name := range []string{"participant", "image", "answer", "annotated"} {
		if _, ok := p.at[name]; !ok {
			return nil, fmt.Errorf("%s:1: the header needs the column %s; it has: %s", file, name, strings.Join(header, ", "))
		}
	}
	var rows []Row
	var wrong []error
	for {
		fields, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil { // the rest cannot be trusted to begin at a row
			wrong = append(wrong, fmt.Errorf("%s: %w", file, err))
			break
		}
		line, _ := r.FieldPos(0)
		row, err := p.row(fields, len(header))
		if err != nil {
			if wrong = append(wrong, fmt.Errorf("%s:%d: %w", file, line, err)); len(wrong) == maxWrong {
				break
			}
			continue
		}
		row.Line = line
		rows = append(rows, row)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: no rows", file)
	}
	return rows, nil
}

// parser knows the columns of one file.
type parser struct {
	at     map[string]int
	group  string
	labels map[string]string
}

func (p parser) row(fields []string, width int) (Row, error) {
	if len(fields) != width {
		return Row{}, fmt.Errorf("%d fields, the header has %d", len(fields), width)
	}
	get := func(name string) string {
		if i, ok := p.at[name]; ok {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	r := Row{Participant: get("participant"), Image: get("image"), Pair: get("pair"), Group: get(p.group), Check: strings.ToLower(get("check"))}
	if r.Participant == "" || r.Image == "" || CleanPath(r.Image) == "" {
		return r, errors.New("participant and image must be given")
	}
	r.Image = CleanPath(r.Image)
	if r.Pair != "" {
		r.Pair = CleanPath(r.Pair)
	}
	var errs [7]error
	r.Answer, errs[0] = p.label("answer", get("answer"))
	if label := get("label"); label != "" {
		r.Label, errs[1] = p.label("label", label)
	}
	r.Annotated, errs[2] = yesOrNo(get("annotated"))
	r.Time, errs[3] = duration("time", get("time"))
	r.Total, errs[4] = duration("total_time", get("total_time"))
	r.Trial, errs[5] = number("trial", get("trial"))
	r.Block, errs[6] = number("block", get("block"))
	for _, err := range errs {
		if err != nil {
			return r, err
		}
	}
	if r.Check != "" && r.Check != Passed && r.Check != Failed {
		return r, fmt.Errorf("check %q; it is %s, %s or empty", r.Check, Passed, Failed)
	}
	return r, nil
}

func (p parser) label(column, text string) (string, error) {
	if meaning, ok := p.labels[text]; ok {
		text = meaning
	}
	for _, name := range table.ClassNames {
		if strings.EqualFold(text, name) {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s %q is not known; there are Real and Synthetic, and what labels says: {%s: Synthetic}", column, text, text)
}

func yesOrNo(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "1":
		return true, nil
	case "false", "no", "0":
		return false, nil
	}
	return false, fmt.Errorf("annotated %q; it is true or false", text)
}

func duration(column, text string) (float64, error) {
	if text == "" {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%s %q is no number of seconds", column, text)
	}
	return v, nil
}

func number(column, text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s %q is no whole number", column, text)
	}
	return n, nil
}
