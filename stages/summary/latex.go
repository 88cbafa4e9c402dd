package summary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/results"
)

// What a page of LaTeX's article holds, in points: one column of letters of 10 pt.
const (
	lineWidth   = 345.0
	floatHeight = 490.0 // of the page's 550, less a caption of a few lines
)

// latexStyle is a size of letters and what it takes.
type latexStyle struct {
	begin    string
	em       float64 // of its font: small ones are cut wider
	sep, row float64 // beside a column, from line to line
}

var latexStyles = []latexStyle{
	{"", 10, 6, 12.2},
	{"\\scriptsize\n\\setlength{\\tabcolsep}{2pt}\n", 8, 2, 8.3},
}

// latex is a table environment that needs no package. A sheet that fits no page in one piece becomes several environments
// under one number, each some of the rows: one tabular below the other has the columns that fit beside the rows' names.
func (s sheet) latex() []byte {
	var b strings.Builder
	all := part{sheet: s, columns: span(s.names, len(s.head))}
	for _, style := range latexStyles {
		if all.width(style) <= lineWidth && all.height(style) <= floatHeight {
			begin(&b, s.caption, style)
			all.write(&b)
			b.WriteString("\\end{table}\n")
			return []byte(b.String())
		}
	}
	style := latexStyles[len(latexStyles)-1]
	blocks := part{sheet: s, headed: s.once > 0}.blocks(style)
	for i, rows := range s.chunks(style, len(blocks), floatHeight) {
		caption := s.caption
		if i > 0 {
			b.WriteString("\\addtocounter{table}{-1}\n")
			caption = "(continued)"
		}
		begin(&b, caption, style)
		for k, columns := range blocks {
			if k > 0 {
				b.WriteString("\\par\\medskip\n")
			}
			of := s
			of.rows = rows
			part{sheet: of, columns: columns, headed: s.once > 0}.write(&b)
		}
		b.WriteString("\\end{table}\n")
	}
	return []byte(b.String())
}

func begin(b *strings.Builder, caption string, style latexStyle) {
	fmt.Fprintf(b, "\\begin{table}\n\\centering\n\\caption{%s}\n%s", latexText(caption), style.begin)
}

// part is a tabular: some columns of a sheet beside those that name its rows.
type part struct {
	sheet
	columns []int
	headed  bool // what is said once a group stands on a line of its own, not in columns
}

func (p part) names() []int {
	if p.headed {
		return span(p.once, p.sheet.names)
	}
	return span(0, p.sheet.names)
}

func span(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

// column is how wide a column is.
func (p part) column(k int, style latexStyle) float64 {
	wide := setWidth(p.head[k], false)
	for _, row := range p.rows {
		wide = max(wide, setWidth(row.cells[k].text, row.cells[k].bold))
	}
	return wide*style.em + 2*style.sep
}

func (p part) width(style latexStyle) (wide float64) {
	for _, k := range slices.Concat(p.names(), p.columns) {
		wide += p.column(k, style)
	}
	return wide
}

func (p part) height(style latexStyle) float64 { return float64(len(p.rows)+3) * style.row }

// blocks shares the columns out, evenly among as few tabulars as there must be.
func (p part) blocks(style latexStyle) (blocks [][]int) {
	room := lineWidth - part{sheet: p.sheet, headed: p.headed}.width(style)
	fill := func(room float64) (blocks [][]int) {
		left := 0.0
		for k := p.sheet.names; k < len(p.head); k++ {
			wide := p.column(k, style)
			if len(blocks) == 0 || wide > left {
				blocks, left = append(blocks, nil), room
			}
			blocks[len(blocks)-1], left = append(blocks[len(blocks)-1], k), left-wide
		}
		return blocks
	}
	blocks = fill(room)
	for less := room - 1; less > 0; less-- {
		even := fill(less)
		if len(even) > len(blocks) {
			break
		}
		blocks = even
	}
	return blocks
}

// chunks shares the rows out among environments, whole groups together where these are not larger than a page.
func (s sheet) chunks(style latexStyle, blocks int, height float64) (chunks [][]sheetRow) {
	most := max(2, int(height/style.row)/max(1, blocks)-4) // lines: beside the head, its rules, and what parts tabulars
	lines := 0
	for from := 0; from < len(s.rows); {
		end := from + 1
		for end < len(s.rows) && !s.rows[end].starts {
			end++
		}
		group := s.rows[from:end]
		for first := true; len(group) > 0; first = false {
			take := len(group)
			if lines+take+1 > most && (len(chunks) == 0 || lines > 0) {
				chunks, lines = append(chunks, nil), 0
			}
			take = min(take, most-1)
			if chunks == nil {
				chunks = [][]sheetRow{nil}
			}
			rows := slices.Clone(group[:take])
			rows[0].starts = rows[0].starts || !first
			last := len(chunks) - 1
			chunks[last], lines, group = append(chunks[last], rows...), lines+take+1, group[take:]
		}
		from = end
	}
	return chunks
}

func (p part) write(b *strings.Builder) {
	names := p.names()
	all := slices.Concat(names, p.columns)
	line := func(cells []string) { b.WriteString(strings.Join(cells, " & ") + ` \\` + "\n") }
	fmt.Fprintf(b, "\\begin{tabular}{%s}\n\\hline\n", strings.Repeat("l", len(names))+strings.Repeat("c", len(p.columns)))
	head := make([]string, len(all))
	for i, k := range all {
		head[i] = latexText(p.head[k])
	}
	line(head)
	for i, row := range p.rows {
		if i == 0 || row.starts {
			b.WriteString("\\hline\n")
			if p.headed {
				var once []string
				for _, cell := range row.cells[:p.once] {
					once = append(once, latexText(cell.text))
				}
				line([]string{fmt.Sprintf(`\multicolumn{%d}{l}{\textit{%s}}`, len(all), strings.Join(once, ", "))})
			}
		}
		cells := make([]string, len(all))
		for at, k := range all {
			cells[at] = latexText(row.cells[k].text)
			if row.cells[k].bold {
				cells[at] = `\textbf{` + cells[at] + "}"
			}
			if k < p.once && i > 0 && !row.starts {
				cells[at] = "" // said once a group
			}
		}
		line(cells)
	}
	b.WriteString("\\hline\n\\end{tabular}\n")
}

// byGroup names the settings of a table of tests within their networks, which are said once.
func (s sheet) byGroup(groups []results.Group, tests []results.Test) sheet {
	if len(groups) < 2 {
		return s
	}
	of, names := map[string]string{}, results.Names(groups)
	for _, g := range groups {
		for _, setting := range g.Settings {
			of[setting.Setting] = g.Name
		}
	}
	out := s
	out.head = slices.Concat(s.head[:1], []string{""}, s.head[1:])
	out.names, out.once, out.rows = s.names+1, 2, nil
	last := ""
	for i, row := range s.rows {
		t := tests[i]
		at := t.Set + "\x00" + of[t.Setting]
		cells := slices.Concat(row.cells[:1], []sheetCell{{text: of[t.Setting]}, {text: names[t.Setting]}, {text: names[t.Baseline]}}, row.cells[3:])
		out.rows = append(out.rows, sheetRow{cells: cells, starts: at != last})
		last = at
	}
	return out
}

// setWidth is about how wide text is set, in em, on the wide side.
func setWidth(text string, bold bool) (em float64) {
	for _, r := range text {
		switch {
		case strings.ContainsRune("mwMW%", r):
			em += 0.86
		case strings.ContainsRune("ijlt.,:;!|'()[] ", r):
			em += 0.36
		case r >= 'A' && r <= 'Z', strings.ContainsRune("±−<>+=~^&\\", r):
			em += 0.78
		case r > 0x7f && r != '–':
			em += 5
		default:
			em += 0.53
		}
	}
	if bold {
		em *= 1.16
	}
	return em
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
