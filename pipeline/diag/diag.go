// Package diag is how the runner speaks of mistakes in what a user wrote.
//
// A diagnostic names a place (file, line, column), says what is wrong there and, where it can, what to write instead.
// Functions that can find several problems take or return a *List and go on; only a List that has errors stops a run.
package diag

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"
)

// Pos is a place in a file. Line and Column count from 1; a zero Line means the file as a whole. An argument of the
// command line ("--set seeds=many") is its own File: it has a Column and no Line. Width is how many columns the caret
// line underlines (0: one).
type Pos struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Width  int    `json:"-"`
}

// String is file:line:column, without the parts that are not known.
func (p Pos) String() string {
	switch {
	case p.File == "":
		return "-"
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Diagnostic is one mistake.
type Diagnostic struct {
	Code    string `json:"code"` // E103; docs/errors.md explains each
	Pos     Pos    `json:"pos"`
	Message string `json:"message"`
}

func (d Diagnostic) Error() string { return fmt.Sprintf("%s: %s [%s]", d.Pos, d.Message, d.Code) }

// List collects diagnostics. The zero value is empty and ready to use; it is not safe for concurrent use.
type List struct{ all []Diagnostic }

// Add appends one diagnostic; the same one at the same place is kept once.
func (l *List) Add(pos Pos, code, format string, args ...any) {
	d := Diagnostic{Code: code, Pos: pos, Message: fmt.Sprintf(format, args...)}
	for _, have := range l.all {
		if have.Code == d.Code && have.Message == d.Message && have.Pos.String() == d.Pos.String() {
			return
		}
	}
	l.all = append(l.all, d)
}

// Len is the number of diagnostics.
func (l *List) Len() int { return len(l.all) }

// All returns the diagnostics sorted by file, line and column.
func (l *List) All() []Diagnostic {
	out := append([]Diagnostic(nil), l.all...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i].Pos, out[j].Pos
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	return out
}

// Err is nil when the list is empty, else an error that holds it.
func (l *List) Err() error {
	if l.Len() == 0 {
		return nil
	}
	return Error{l.All()}
}

// Error is a list of diagnostics as an error.
type Error struct{ Diagnostics []Diagnostic }

func (e Error) Error() string {
	lines := make([]string, len(e.Diagnostics))
	for i, d := range e.Diagnostics {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Write prints each diagnostic with its line and a caret under the place.
func Write(w io.Writer, all []Diagnostic) {
	for _, d := range all {
		fmt.Fprintln(w, d.Error())
		text, ok := line(d.Pos)
		if !ok {
			continue
		}
		number := strconv.Itoa(d.Pos.Line)
		if d.Pos.Line == 0 {
			number = ""
		}
		shown, carets := excerpt(text, d.Pos.Column, d.Pos.Width)
		fmt.Fprintf(w, "%5s | %s\n", number, shown)
		if d.Pos.Column > 0 {
			fmt.Fprintf(w, "      | %s\n", carets)
		}
	}
}

func line(p Pos) (string, bool) {
	if p.Line == 0 {
		return p.File, p.Column > 0
	}
	f, err := os.Open(p.File)
	if err != nil {
		return "", false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20) // of a spec of one line
	for n := 1; lines.Scan(); n++ {
		if n == p.Line {
			return lines.Text(), true
		}
	}
	return "", false
}
