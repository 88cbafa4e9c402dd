package summary

import (
	"fmt"
	"strings"
)

// sheet is a table of text, to be written as Markdown or LaTeX.
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

// latex is a table environment that needs no package.
func (s sheet) latex() []byte {
	var b strings.Builder
	line := func(cells []string) { b.WriteString(strings.Join(cells, " & ") + ` \\` + "\n") }
	fmt.Fprintf(&b, "\\begin{table}\n\\centering\n\\caption{%s}\n\\begin{tabular}{%s}\n\\hline\n",
		latexText(s.caption), strings.Repeat("l", s.names)+strings.Repeat("c", len(s.head)-s.names))
	head := make([]string, len(s.head))
	for i, name := range s.head {
		head[i] = latexText(name)
	}
	line(head)
	for i, row := range s.rows {
		if i == 0 || row.starts {
			b.WriteString("\\hline\n")
		}
		cells := make([]string, len(row.cells))
		for k, cell := range row.cells {
			cells[k] = latexText(cell.text)
			if cell.bold {
				cells[k] = `\textbf{` + cells[k] + "}"
			}
			if k < s.once && i > 0 && !row.starts {
				cells[k] = "" // said once a group
			}
		}
		line(cells)
	}
	b.WriteString("\\hline\n\\end{tabular}\n\\end{table}\n")
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

var latexSigns = map[rune]string{
	'\\': `\textbackslash{}`, '{': `\{`, '}': `\}`, '$': `\$`, '&': `\&`, '#': `\#`, '%': `\%`, '_': `\_`,
	'^': `\textasciicircum{}`, '~': `\textasciitilde{}`, '<': `$<$`, '>': `$>$`, '|': `$|$`, '"': `''`, '[': `{[}`, ']': `{]}`,
	'±': `$\pm$`, '−': `$-$`, '–': `--`,
}

// latexText is text that any LaTeX sets as it is; what is not ASCII, and not one of the program's own signs, is named by its
// code point, since which letters a document can set depends on its fonts.
func latexText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch sign, special := latexSigns[r]; {
		case special:
			b.WriteString(sign)
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		case r > 0x7f:
			fmt.Fprintf(&b, "{[}U+%04X{]}", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
