package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

type parserPanic struct{ value any }

func (p parserPanic) Error() string { return fmt.Sprintf("yaml: the parser gave up: %v", p.value) }

// reportSyntax says where a text stops being YAML, and what to look for. The parser names a line only, often that of
// the construct around; the place is found by parsing ever longer parts of the text.
func reportSyntax(s *source, err error, diags *diag.List) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if _, rest, ok := strings.Cut(message, "line "); ok && strings.HasPrefix(message, "line ") {
		number, what, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, message = n, what
		}
	}
	if name, ok := strings.CutPrefix(message, "unknown anchor '"); ok {
		name, _, _ = strings.Cut(name, "'")
		diags.Add(find(s, "*"+name), BadYAML, "the alias *%s means nothing: there is no anchor &%s before it", name, name)
		return
	}
	lines := strings.Split(s.text, "\n")
	line = firstBad(lines, line)
	if column := tabbed(lines[line-1]); column > 0 {
		diags.Add(diag.Pos{File: s.path, Line: line, Column: column}, Syntax, "a tab; YAML is indented by spaces")
		return
	}
	hint := ""
	for part, words := range hints {
		if strings.Contains(message, part) {
			hint = ": " + words
		}
	}
	diags.Add(place(s.path, lines[line-1], line, message), Syntax, "not valid YAML: %s%s", message, hint)
}

// hints says in a spec's words what the parser's message most often means.
var hints = map[string]string{
	"mapping values are not allowed":        "a second colon in the line, a line indented too far, or a key above it without its colon; quote text that has a colon and a space",
	"did not find expected key":             "is the line indented like its neighbours, and is each quote closed?",
	"could not find expected ':'":           "a key without its colon",
	"found unexpected end of stream":        "a quote or bracket is not closed",
	"did not find expected ',' or":          "a bracket or brace is not closed, or a comma is missing",
	"found character that cannot start":     "quote text that begins with a special character",
	"did not find expected '-' indicator":   "a list entry without its dash",
	"block sequence entries are not":        "a list must begin on its own line",
	"did not find expected node content":    "a value is missing",
	"found unknown escape character":        "write \\\\ for a backslash, or use single quotes",
	"block mapping entries are not allowed": "two keys in one line",
}

// firstBad is the line (from 1) at which the text stops being YAML: the line behind the longest beginning that is.
// To stay fast it looks only at the top-level entry that does not parse by itself, and at none that is very long.
func firstBad(lines []string, reported int) int {
	reported = min(max(reported, 1), len(lines))
	if len(lines) > 10_000 {
		return reported
	}
	for start := 0; start < len(lines); {
		end := start + 1
		for end < len(lines) && !topLevel(lines[end]) {
			end++
		}
		entry := lines[start:end]
		if broken(entry) {
			n := len(entry)
			if n > 400 {
				return reported
			}
			for n > 1 && broken(entry[:n-1]) {
				n--
			}
			return start + n
		}
		start = end
	}
	return reported
}

func topLevel(line string) bool {
	return line != "" && !strings.ContainsAny(line[:1], " \t#\r]})-")
}

func broken(lines []string) bool {
	_, _, err := decodeYAML(mask(strings.Join(lines, "\n") + "\n"))
	return err != nil && !strings.Contains(err.Error(), "unknown anchor")
}

// tabbed is the column of a tab among the spaces that a line begins with.
func tabbed(line string) int {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	return strings.IndexByte(indent, '\t') + 1
}

var secondColon = regexp.MustCompile(`^[^:]*:\s.*?(:)(\s|$)`)

// place is the column in the line that a message most likely means: its first character, or the second colon.
func place(path, text string, line int, message string) diag.Pos {
	text = strings.TrimRight(text, "\r")
	column := len(text) - len(strings.TrimLeft(text, " \t"))
	width := utf8.RuneCountInString(strings.TrimSpace(text))
	if strings.Contains(message, "mapping values") {
		if m := secondColon.FindStringSubmatchIndex(text); m != nil {
			column, width = utf8.RuneCountInString(text[:m[2]]), 1
		}
	}
	return diag.Pos{File: path, Line: line, Column: column + 1, Width: max(1, width)}
}

// find is the place of a word in a text.
func find(s *source, word string) diag.Pos {
	for i, line := range strings.Split(s.text, "\n") {
		for from := 0; ; {
			at := strings.Index(line[from:], word)
			if at < 0 {
				break
			}
			at += from
			end := at + len(word)
			if end == len(line) || !strings.ContainsAny(line[end:end+1], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") {
				return diag.Pos{File: s.path, Line: i + 1, Column: utf8.RuneCountInString(line[:at]) + 1, Width: utf8.RuneCountInString(word)}
			}
			from = end
		}
	}
	return diag.Pos{File: s.path}
}
