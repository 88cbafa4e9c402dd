package summary

import (
	"fmt"
	"strings"
)

// sheet is a table of text, to be written as Markdown or LaTeX (latex.go).
type sheet struct {
	caption string
	head    []string
	names   int // so many columns name the row; the others are numbers
	once    int // the first so many are said once a group in LaTeX
	rows    []sheetRow
}

type sheetRow struct {
	cells  []sheetCell
	starts bool // a group begins
}

type sheetCell struct {
	text string
	bold bool
}

// markdown is a table as GitHub renders it, its caption below.
func (s sheet) markdown() []byte {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	head, rule := make([]string, len(s.head)), make([]string, len(s.head))
	for i, name := range s.head {
		head[i], rule[i] = markdownText(name), "---"
		if i >= s.names {
			rule[i] = "---:"
		}
	}
	line(head)
	line(rule)
	for _, row := range s.rows {
		cells := make([]string, len(row.cells))
		for i, cell := range row.cells {
			if cells[i] = markdownText(cell.text); cell.bold {
				cells[i] = "**" + cells[i] + "**"
			}
		}
		line(cells)
	}
	fmt.Fprintf(&b, "\n%s\n", markdownText(s.caption))
	return []byte(b.String())
}

// markdownText is text that stands in a Markdown table as it is.
func markdownText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < ' ':
			b.WriteByte(' ')
		case strings.ContainsRune("\\`*_{}[]<>#|~$&!", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
