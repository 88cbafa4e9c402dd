package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Read reads a list and keeps the rows that were asked for. An error names up to ten bad rows, each as file:line and
// what to do about it; a list that keeps no row is an error too.
func Read(file string, o Options) (*Table, error) {
	data, err := readFile(file, maxBytes)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return nil, fmt.Errorf("read list %s: %w", file, err)
	}
	return Parse(file, data, o)
}

// maxBytes is what a list may not be larger than: ten million rows are not.
const maxBytes = 1 << 30

// readFile reads regular files only, of bounded size: a device or a pipe may never end.
func readFile(file string, most int64) ([]byte, error) {
	info, err := os.Stat(file) // before opening: to open a pipe may wait for ever
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("this is a folder")
	case !info.Mode().IsRegular():
		return nil, errors.New("this is no regular file")
	case info.Size() > most:
		return nil, tooLarge(most)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	data.Grow(int(info.Size()) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(f, most+1)); err != nil {
		return nil, err
	}
	if int64(data.Len()) > most { // it has grown
		return nil, tooLarge(most)
	}
	return data.Bytes(), nil
}

func tooLarge(most int64) error {
	return fmt.Errorf("more than %d MiB; a list of images is never that large", most>>20)
}

// Parse is Read of a list's bytes; file is what errors call it.
func Parse(file string, data []byte, o Options) (*Table, error) {
	known, err := classes(o.Labels)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // which spreadsheets put before UTF-8
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return nil, &Mistake{file, 1 + bytes.Count(data[:i], []byte("\n")), BadList, "not a text file in UTF-8; save it as CSV in UTF-8"}
	}
	wrong := &mistakes{file: file}
	t := &Table{File: file}
	if hasHeader(data, o.Header) {
		t.parseHeaded(data, wrong)
	} else {
		t.parseAuthors(data, wrong)
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	total := len(t.Rows)
	if total == 0 {
		return nil, &Mistake{file, 0, BadList, "no rows"}
	}
	if err := t.keep(o.Where); err != nil {
		return nil, err
	}
	if len(t.Rows) == 0 {
		return nil, &Mistake{file, 0, NoRow, fmt.Sprintf("where %s keeps none of its %d rows", o.Where, total)}
	}
	t.check(known, wrong)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	return t, nil
}

func hasHeader(data []byte, h Header) bool {
	if h == Yes || h == No {
		return h == Yes
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	fields, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err != nil {
		return false
	}
	fields = columnNames(fields)
	return slices.Contains(fields, "path")
}

// parseAuthors reads rows of three fields, of which the last may hold commas.
func (t *Table) parseAuthors(data []byte, wrong *mistakes) {
	t.Columns = []string{"split", "label", "path"}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.SplitN(line, ",", 3)
		if len(fields) < 3 {
			wrong.add(number, "%d of 3 fields; a row is split,label,path (a list with other columns needs a header that names them)", len(fields))
			continue
		}
		fields[0], fields[1] = strings.TrimSpace(fields[0]), strings.TrimSpace(fields[1])
		fields[2] = unquote(fields[2])
		t.Rows = append(t.Rows, Row{Line: number, Split: fields[0], Label: fields[1], Path: fields[2], Fields: fields})
	}
}

// unquote removes the quotes that CSV writers put round a path with a comma.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	}
	return s
}

func (t *Table) parseHeaded(data []byte, wrong *mistakes) {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	names, err := r.Read()
	if err == io.EOF {
		return
	}
	if err != nil {
		wrong.csv(err)
		return
	}
	names = columnNames(names)
	t.Columns = names
	at := func(name string) int { return slices.Index(names, name) }
	split, label, place := at("split"), at("label"), at("path")
	if place < 0 {
		wrong.add(1, "the header needs the column path, and label if the images are known; it has: %s", words(names))
		return
	}
	for i, name := range names {
		if name == "" || at(name) < i {
			wrong.add(1, "column %d of the header is called %q; names must be given and differ", i+1, name)
			return
		}
	}
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			wrong.csv(err) // the rest cannot be trusted to begin at a row
			return
		}
		line, _ := r.FieldPos(0)
		if len(fields) != len(names) {
			wrong.add(line, "%d fields, the header has %d; quote a field that holds a comma", len(fields), len(names))
			continue
		}
		trim(fields)
		row := Row{Line: line, Class: Unlabelled, Path: fields[place], Fields: fields}
		if label >= 0 {
			row.Label = fields[label]
		}
		if split >= 0 {
			row.Split = fields[split]
		}
		t.Rows = append(t.Rows, row)
	}
}

// columnNames are the header's, with the three that this package reads in small letters.
func columnNames(fields []string) []string {
	trim(fields)
	for i, name := range fields {
		if small := strings.ToLower(name); small == "split" || small == "label" || small == "path" {
			fields[i] = small
		}
	}
	return fields
}

func trim(fields []string) {
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
}

// csv records what the reader of quoted fields found.
func (m *mistakes) csv(err error) {
	var p *csv.ParseError
	if errors.As(err, &p) {
		m.add(p.Line, "column %d: %s", p.Column, p.Err)
		return
	}
	m.add(1, "%s", err)
}

func (t *Table) labelled() bool { return slices.Contains(t.Columns, "label") }

// check holds the kept rows against the known labels, gives them their classes, and finds bad paths.
func (t *Table) check(known map[string]int, wrong *mistakes) {
	first := make(map[string]int, len(t.Rows))
	for i := range t.Rows {
		r := &t.Rows[i]
		class, ok := known[r.Label]
		if !t.labelled() {
			class, ok = Unlabelled, true
		}
		if !ok {
			wrong.add(r.Line, "label %q is not known; there are: %s%s", r.Label, words(slices.Sorted(maps.Keys(known))), suggest(r.Label, known))
			continue
		}
		r.Class = class
		clean := path.Clean("/" + r.Path)
		switch line, again := first[clean]; {
		case r.Path == "" || clean == "/":
			wrong.add(r.Line, "the path is empty; it names the image below the data set's root")
		case !utf8.ValidString(r.Path):
			wrong.add(r.Line, "the path %q is not UTF-8; save the list as CSV in UTF-8", r.Path)
		case again:
			wrong.add(r.Line, "image %s is in line %d already; remove one of the two, or keep one of them by where", r.Path, line)
		default:
			first[clean] = r.Line
		}
	}
}

func suggest(label string, known map[string]int) string {
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if strings.EqualFold(name, label) {
			return fmt.Sprintf("; did you mean %s?", name)
		}
	}
	return fmt.Sprintf("; say what it means by labels: {%s: Real} or {%s: Synthetic}", label, label)
}
