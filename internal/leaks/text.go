package leaks

import (
	"fmt"
	"io"
	"strings"
)

// WriteText says what was found, the worst first.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, s := range r.Sets {
		b.WriteString(s.line() + "\n")
	}
	b.WriteString("\n")
	for i, f := range r.Findings {
		fmt.Fprintf(&b, "%d. %s %.2f  %s\n", i+1, strings.ToUpper(string(f.Level)), f.Weight, f.Title)
		fmt.Fprintf(&b, "   means  %s\n   do     %s\n", f.Meaning, f.Advice)
		for k, e := range f.Examples {
			word := ""
			if k == 0 {
				word = "e.g."
			}
			if f.Kind == FactKind {
				fmt.Fprintf(&b, "          %s: %s\n", e[0], e[1])
			} else {
				fmt.Fprintf(&b, "   %-6s %s = %s\n", word, e[0], e[1])
			}
		}
		b.WriteString("\n")
	}
	b.WriteString(r.conclusion() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (s SetReport) line() string {
	if s.Absent != "" {
		return fmt.Sprintf("%s (%s): left out, %s", s.Name, s.Role, s.Absent)
	}
	var classes []string
	for _, c := range s.Classes {
		classes = append(classes, thousands(c.Images)+" "+c.Class)
	}
	line := fmt.Sprintf("%s (%s): %s", s.Name, s.Role, strings.Join(classes, ", "))
	if s.BadCount > 0 {
		line += fmt.Sprintf("; %s", files(s.BadCount, "cannot be read", "cannot be read"))
		for _, bad := range s.Bad[:min(len(s.Bad), maxExamples)] {
			line += fmt.Sprintf("\n  %s: %s", bad.Path, bad.Reason)
		}
		if more := s.BadCount - maxExamples; more > 0 {
			line += fmt.Sprintf("\n  and %s more", thousands(more))
		}
	}
	return line
}

// conclusion says how much was looked at, so that nothing found is no more than it is.
func (r *Report) conclusion() string {
	counts := map[Level]int{}
	for _, f := range r.Findings {
		counts[f.Level]++
	}
	looked := map[string]string{
		Names:      "lists and names alone; no file was opened",
		Heads:      "names, bytes and heads of files; no pixels",
		Everything: "names, bytes, heads and pixels of files",
	}[r.Read]
	text := fmt.Sprintf("%s, %s, %s; looked at %s.", many(counts[Leak], "leak"), many(counts[Warning], "warning"), many(counts[Note], "note"), looked)
	if len(r.Predictions) == 0 {
		return text + " No set has both classes with enough images, so no fact could predict a label."
	}
	best := r.Predictions[0]
	for _, p := range r.Predictions {
		if p.AUC > best.AUC {
			best = p
		}
	}
	return text + fmt.Sprintf(" Predictors tried: %s; the best is %s of %s, AUC %.3f.", many(len(r.Predictions), "fact"), best.Fact, best.Set, best.AUC)
}

func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
