package annotation

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Form is what the rows of a CSV file of annotations are.
type Form string

// The forms, with the columns that each needs beside image. All may have the columns annotator (or viewer, or participant)
// and answer; other columns are passed over.
const (
	Boxes     Form = "boxes"     // x, y, width, height
	Polygons  Form = "polygons"  // points: x1 y1 x2 y2 ..., with blanks or commas between
	Clicks    Form = "clicks"    // x, y
	Fixations Form = "fixations" // x, y, ms; those of a viewer in order of time
	Answers   Form = "answers"   // answer; annotator is needed
)

var columns = map[Form][]string{
	Boxes: {"x", "y", "width", "height"}, Polygons: {"points"}, Clicks: {"x", "y"}, Fixations: {"x", "y", "ms"}, Answers: {"annotator", "answer"},
}

// ReadCSV reads a file with a header. Rows of one annotator on one image belong together, wherever they stand. The error
// names the line.
func ReadCSV(r io.Reader, form Form) (*Set, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("CSV: the file is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("CSV: %w", err)
	}
	at, err := places(header, form)
	if err != nil {
		return nil, err
	}
	set, answered := &Set{}, map[[2]string]string{}
	for {
		fields, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return set, nil
		}
		if err != nil {
			return nil, fmt.Errorf("CSV: %w", err)
		}
		line, _ := rows.FieldPos(0)
		row := csvRow{fields, at}
		if err := row.into(set, form, answered); err != nil {
			return nil, fmt.Errorf("CSV line %d: %w", line, err)
		}
	}
}

// places is which column has which name.
func places(header []string, form Form) (map[string]int, error) {
	at := map[string]int{}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "viewer" || name == "participant" {
			name = "annotator"
		}
		if _, twice := at[name]; twice {
			return nil, fmt.Errorf("CSV line 1: two columns %s", name)
		}
		at[name] = i
	}
	for _, name := range append([]string{"image"}, columns[form]...) {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("CSV line 1: there is no column %s; %s have image, %s", name, form, strings.Join(columns[form], ", "))
		}
	}
	return at, nil
}

type csvRow struct {
	fields []string
	at     map[string]int
}

func (r csvRow) text(column string) string {
	i, ok := r.at[column]
	if !ok {
		return ""
	}
	return strings.TrimSpace(r.fields[i])
}

// into adds a row to the set.
func (r csvRow) into(set *Set, form Form, answered map[[2]string]string) error {
	image, annotator := r.text("image"), r.text("annotator")
	if image == "" {
		return errors.New("no image is named")
	}
	if answer := r.text("answer"); answer != "" {
		switch before, known := answered[[2]string{annotator, image}]; {
		case !known:
			answered[[2]string{annotator, image}] = answer
			set.Answers = append(set.Answers, Answer{annotator, image, answer})
		case before != answer:
			return fmt.Errorf("annotator %q answered %q on %s before, and %q here", annotator, before, image, answer)
		}
	} else if form == Answers {
		return errors.New("the answer is empty")
	}
	if form == Answers {
		return nil
	}
	record := set.record(image, annotator)
	if form == Polygons {
		values, err := numbers(r.text("points"))
		if err != nil {
			return fmt.Errorf("points: %w", err)
		}
		if len(values) == 0 {
			return nil // nothing was marked
		}
		line, err := polygon(values)
		if err != nil {
			return fmt.Errorf("points: %w", err)
		}
		record.Regions = append(record.Regions, Region{Lines: [][]Vec{line}})
		return nil
	}
	values, err := r.numbers(columns[form])
	if err != nil || values == nil {
		return err
	}
	switch form {
	case Boxes:
		region, err := boxRegion(values)
		record.Regions = append(record.Regions, region)
		return err
	case Fixations:
		if values[2] < 0 {
			return fmt.Errorf("ms: a fixation of %v ms", values[2])
		}
	default:
		values = append(values, 1)
	}
	record.Points = append(record.Points, Point{values[0], values[1], values[2]})
	return nil
}

// numbers are those of a row; none where all of its fields are empty, which is how a list says that nothing was marked.
func (r csvRow) numbers(names []string) (values []float64, err error) {
	if !slices.ContainsFunc(names, func(name string) bool { return r.text(name) != "" }) {
		return nil, nil
	}
	for _, name := range names {
		v, err := strconv.ParseFloat(r.text(name), 64)
		if err != nil || finite(v) != nil {
			return nil, fmt.Errorf("%s: %q is no number of pixels or milliseconds", name, r.text(name))
		}
		values = append(values, v)
	}
	return values, nil
}

// ReadFixations reads fixations from JSON: for each image a list of viewers, {"viewer": 1, "x": [...], "y": [...], "ms": [...]}, in
// order of time.
func ReadFixations(r io.Reader) (*Set, error) {
	var file map[string][]struct {
		Viewer text      `json:"viewer"`
		X      []float64 `json:"x"`
		Y      []float64 `json:"y"`
		MS     []float64 `json:"ms"`
	}
	if err := decodeJSON(r, &file); err != nil {
		return nil, err
	}
	set := &Set{}
	for _, image := range slices.Sorted(maps.Keys(file)) {
		for _, v := range file[image] {
			if len(v.X) != len(v.Y) || len(v.X) != len(v.MS) {
				return nil, fmt.Errorf("image %s, viewer %s: %d values of x, %d of y, %d of ms; they belong together", image, v.Viewer, len(v.X), len(v.Y), len(v.MS))
			}
			record := set.record(image, string(v.Viewer))
			for i := range v.X {
				if err := finite(v.X[i], v.Y[i], v.MS[i]); err != nil || v.MS[i] < 0 {
					return nil, fmt.Errorf("image %s, viewer %s, fixation %d: %v, %v for %v ms", image, v.Viewer, i+1, v.X[i], v.Y[i], v.MS[i])
				}
				record.Points = append(record.Points, Point{v.X[i], v.Y[i], v.MS[i]})
			}
		}
	}
	return set, nil
}
