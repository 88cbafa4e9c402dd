// Package table reads the lists that say which images a data set has.
//
// A list is a CSV file in UTF-8 with one image a row. In the authors' form it has no header and three columns,
//
//	train,Synthetic,/train/original_data/1_fake/p1_100_fake.png
//
// of which the path is all that follows the second comma. With a header, the column path is needed, label and split are
// usual, and any others may follow; fields may then be quoted. A list without labels can be scored, not trained on.
//
// Terms: a split is the word that tells training from validation rows (in the authors' lists "test" means validation).
// A label is the row's word for its class; the class is 0 (Real) or 1 (Synthetic).
package table

import (
	"errors"
	"fmt"
	"strings"
)

// The classes, by the names that every list may use.
const (
	Real      = 0
	Synthetic = 1
)

// Unlabelled is the class of all rows of a list that has no column label.
const Unlabelled = -1

// ClassNames are the labels that are always known, in the order of their classes.
var ClassNames = []string{"Real", "Synthetic"}

// Header says whether the first line of a list names its columns.
type Header string

// Auto takes a first line that has a field "path" for a header.
const (
	Auto Header = "auto"
	Yes  Header = "yes"
	No   Header = "no"
)

// Options say how a list is read. The zero value reads all rows of either form.
type Options struct {
	Header Header            // empty: Auto
	Where  string            // which rows are kept: an expr expression over the columns, all of them text; empty: all
	Labels map[string]string // further labels: the list's word to Real or Synthetic
}

// Table is the rows of a list that were asked for.
type Table struct {
	File    string
	Columns []string // names, in the file's order: split, label, path, or the header's
	Rows    []Row
}

// Row is one image.
type Row struct {
	Line   int      // in the file, from 1
	Split  string   // empty where the list has no such column
	Label  string   // as in the list
	Class  int      // Real, Synthetic or Unlabelled
	Path   string   // as in the list
	Fields []string // all of the row, in the order of Table.Columns
}

// Value is the row's field in a named column.
func (t *Table) Value(r Row, column string) (string, bool) {
	for i, name := range t.Columns {
		if name == column {
			return r.Fields[i], true
		}
	}
	return "", false
}

// Counts are the numbers of rows of each class; those without label count for none.
func (t *Table) Counts() (counts [2]int) {
	for _, r := range t.Rows {
		if r.Class != Unlabelled {
			counts[r.Class]++
		}
	}
	return counts
}

// Mistake is one thing that is wrong with a list, or with what a row of it names.
type Mistake struct {
	File    string
	Line    int // 0: the file as a whole
	Kind    Kind
	Message string
}

// Kind is what a Mistake is of.
type Kind int

// The kinds.
const (
	BadRow  Kind = iota
	BadList      // all of it
	NoRow        // the condition keeps none
	NoFile       // what a row names
)

func (m *Mistake) Error() string {
	if m.Line == 0 {
		return m.File + ": " + m.Message
	}
	return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Message)
}

// Mistakes are those that an error is made of; none where it is, or holds, any other.
func Mistakes(err error) (all []*Mistake) {
	switch e := err.(type) {
	case *Mistake:
		return []*Mistake{e}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			some := Mistakes(one)
			if some == nil {
				return nil
			}
			all = append(all, some...)
		}
	}
	return all
}

// mistakes collects what is wrong in one file, up to ten.
type mistakes struct {
	file string
	list []error
	more int
}

const maxMistakes = 10

func (m *mistakes) add(line int, format string, args ...any) {
	if len(m.list) == maxMistakes {
		m.more++
		return
	}
	m.list = append(m.list, &Mistake{File: m.file, Line: line, Message: fmt.Sprintf(format, args...)})
}

func (m *mistakes) err() error {
	if m.more > 0 {
		m.list = append(m.list, &Mistake{File: m.file, Message: fmt.Sprintf("%d more rows have mistakes", m.more)})
		m.more = 0
	}
	return errors.Join(m.list...)
}

// classes are the labels that one list may use.
func classes(declared map[string]string) (map[string]int, error) {
	known := map[string]int{ClassNames[Real]: Real, ClassNames[Synthetic]: Synthetic}
	all := map[string]int{}
	for name, class := range known {
		all[name] = class
	}
	for name, meaning := range declared {
		class, ok := known[meaning]
		if !ok {
			return nil, fmt.Errorf("labels: %s: %q is no class; write Real or Synthetic", name, meaning)
		}
		if fixed, ok := known[name]; ok && fixed != class {
			return nil, fmt.Errorf("labels: %s cannot mean %s", name, meaning)
		}
		all[name] = class
	}
	return all, nil
}

// words joins a list for a message: a, b, c.
func words(list []string) string { return strings.Join(list, ", ") }
