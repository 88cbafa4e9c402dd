package diag

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// A line longer than lineLength is shown from some way before the place on.
const (
	lineLength = 160
	lineBefore = 60
)

// excerpt is the part of a line that shows a place, and what stands below it: space up to the column (from 1) and carets
// under the next columns, as wide as a terminal shows what is above them.
func excerpt(text string, column, columns int) (shown, carets string) {
	runes := []rune(text)
	at := min(max(0, column-1), len(runes))
	from, to := 0, len(runes)
	before, after := "", ""
	if len(runes) > lineLength {
		if from = max(0, at-lineBefore); from > 0 {
			before = "... "
		}
		if to = min(len(runes), from+lineLength); to < len(runes) {
			after = " ..."
		}
	}
	var below strings.Builder
	below.WriteString(strings.Repeat(" ", len(before)))
	for _, r := range runes[from:at] {
		if r == '\t' { // as wide as the one above it, wherever the terminal stops
			below.WriteByte('\t')
			continue
		}
		below.WriteString(strings.Repeat(" ", cells(r)))
	}
	end := min(at+max(1, columns), to)
	under := max(0, at+max(1, columns)-len(runes)) // what is missing stands behind the end of the line
	if end < len(runes) {
		under = 0
	}
	for _, r := range runes[at:end] {
		under += cells(r)
	}
	return before + strings.Map(printable, string(runes[from:to])) + after, below.String() + strings.Repeat("^", max(1, under))
}

// printable is a character that a terminal does not take for a command: lists may hold any.
func printable(r rune) rune {
	if unicode.IsControl(r) && r != '\t' {
		return '\ufffd'
	}
	return r
}

// cells is how many columns of a terminal a character takes.
func cells(r rune) int {
	switch kind := width.LookupRune(r).Kind(); {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case kind == width.EastAsianWide, kind == width.EastAsianFullwidth:
		return 2
	}
	return 1
}
