package spec

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Inside is the place of a part of a scalar's text, offset and width in its bytes. What the file says differs from the
// text by quotes, escapes, folding and indentation; so both are read side by side from where the scalar begins.
func (v *Value) Inside(offset, width int) diag.Pos {
	pos := v.Pos
	if v.origin == nil || v.origin.source == nil || v.origin.source.path != pos.File || pos.Column == 0 || offset > len(v.text) {
		return pos
	}
	w := walker{rest: v.origin.source.text, line: 1, column: 1}
	if v.origin.set {
		w.rest, w.line = pos.File, 0
	}
	for w.line < pos.Line || w.column < pos.Column {
		if w.rest == "" || w.line > pos.Line {
			return pos
		}
		w.next()
	}
	switch first := w.peek(); first {
	case '"', '\'':
		w.quote = first
		w.next()
	case '|', '>':
		for w.rest != "" && w.peek() != '\n' {
			w.next()
		}
	}
	for i, r := range v.text {
		if i >= offset && !unicode.IsSpace(r) || w.rest == "" {
			break
		}
		if !unicode.IsSpace(r) {
			w.find(r)
			w.step()
		}
	}
	if offset < len(v.text) {
		r, _ := utf8.DecodeRuneInString(v.text[offset:])
		w.find(r)
	}
	end := min(len(v.text), offset+width)
	part, _, _ := strings.Cut(v.text[offset:end], "\n")
	pos.Line, pos.Column, pos.Width = w.line, w.column, max(1, utf8.RuneCountInString(part))
	return pos
}

// walker reads the source of one scalar.
type walker struct {
	rest         string
	line, column int
	quote        rune
}

func (w *walker) peek() rune {
	r, _ := utf8.DecodeRuneInString(w.rest)
	return r
}

func (w *walker) next() {
	r, size := utf8.DecodeRuneInString(w.rest)
	w.rest = w.rest[size:]
	w.column++
	if r == '\n' {
		w.line, w.column = w.line+1, 1
	}
}

// find skips blanks, and the backslashes of escapes, up to r.
func (w *walker) find(r rune) {
	for w.rest != "" && w.peek() != r && (unicode.IsSpace(w.peek()) || w.quote == '"' && w.peek() == '\\') {
		escape := w.peek() == '\\'
		w.next()
		if escape && w.peek() != r && w.rest != "" { // \n, \t, \x41: no letter of the text
			w.next()
		}
	}
}

// step passes over one character of the text.
func (w *walker) step() {
	r := w.peek()
	w.next()
	if r == '\'' && w.quote == '\'' && w.peek() == '\'' || r == '\\' && w.quote == '"' && w.peek() == '\\' {
		w.next()
	}
}
