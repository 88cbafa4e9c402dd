package lock

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// linesShown bounds each part of the text; JSON and JUnit have all.
const linesShown = 20

// Text is the report for people: what is off first, then how it was judged and what differs around it.
func (r *Report) Text(w io.Writer) {
	switch {
	case r.Held:
		fmt.Fprintf(w, "%s reproduces %s: %s\n", r.Run, r.Lock, r.counts())
	case r.Unstated != "":
		fmt.Fprintf(w, "%s cannot be judged by %s: %s\n", r.Run, r.Lock, r.counts())
	default:
		fmt.Fprintf(w, "%s does not reproduce %s: %s\n", r.Run, r.Lock, r.counts())
	}
	r.textMetrics(w)
	r.textSeeds(w)
	r.textOutputs(w)
	section(w, "assertions of the spec that do not hold", r.Assertions)
	section(w, "nodes of the lock that this run has not", r.Missing)
	section(w, "nodes of this run that the lock has not", r.New)
	spec := "the spec differs"
	if !r.Changed {
		spec = "the spec differs in what makes no other experiment"
	}
	WriteChanges(w, spec, r.Changes.Settings)
	WriteChanges(w, "the data differ", r.Changes.Data)
	if len(r.Conditions) > 0 {
		fmt.Fprintln(w, "\nequal bytes are not asked for, because nodes were made under other conditions:")
		table(w, len(r.Conditions), func(i int) string {
			c := r.Conditions[i]
			return fmt.Sprintf("%s\t%s -> %s\t%s", c.What, or(c.Was), or(c.Now), several(c.Nodes, "node"))
		})
	}
	WriteChanges(w, "the environment differs", r.Changes.Environment)
	if len(r.Unjudged) > 0 {
		fmt.Fprintf(w, "\nnot judged, because no tolerance is stated: %s\n", strings.Join(r.Unjudged, ", "))
	}
	if r.Unstated != "" {
		fmt.Fprintf(w, "\n%s\n", r.Unstated)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "\nnote: %s\n", note)
	}
}

// counts is what was judged, in one line.
func (r *Report) counts() string {
	var parts []string
	demanded, same := len(kept(r.Outputs, func(o Output) bool { return o.Demanded })), len(kept(r.Outputs, func(o Output) bool { return o.Same }))
	switch off := len(r.OffBytes()); {
	case off > 0 || same == demanded && same > 0:
		parts = append(parts, tally(demanded, off, "output", "the same bytes", "not the same bytes"))
	case same > 0 && demanded == 0:
		parts = append(parts, several(same, "output")+" the same bytes (none of them had to be)")
	case same > 0:
		parts = append(parts, fmt.Sprintf("%s the same bytes (%d of them had to be)", several(same, "output"), demanded))
	}
	if n := len(kept(r.Metrics, func(m Metric) bool { return m.Allowed != nil && m.By == "bytes" })); n > 0 {
		off := len(kept(r.OffMetrics(), func(m Metric) bool { return m.By == "bytes" }))
		parts = append(parts, tally(n, off, "metric", "equal", "not equal"))
	}
	if n := len(kept(r.Metrics, func(m Metric) bool { return m.Allowed != nil && m.By != "bytes" })); n > 0 {
		off := len(kept(r.OffMetrics(), func(m Metric) bool { return m.By != "bytes" }))
		parts = append(parts, tally(n, off, "metric", "within tolerance", "out of tolerance"))
	}
	if n := len(r.Seeds); n > 0 {
		parts = append(parts, tally(n, len(r.OffSeeds()), "test over seeds", "held", "not held"))
	}
	if n := len(r.Assertions); n > 0 {
		parts = append(parts, several(n, "assertion")+" not held")
	}
	if n := len(r.Missing); n > 0 {
		parts = append(parts, several(n, "node")+" missing")
	}
	if len(parts) == 0 {
		return "nothing was judged"
	}
	return strings.Join(parts, ", ")
}

func tally(all, off int, what, good, bad string) string {
	switch {
	case off == 0:
		return several(all, what) + " " + good
	case all == 1:
		return "1 " + what + " " + bad
	}
	return fmt.Sprintf("%d of %s %s", off, several(all, what), bad)
}

func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if what == "test over seeds" {
		return strconv.Itoa(n) + " tests over seeds"
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func (r *Report) textMetrics(w io.Writer) {
	off := r.OffMetrics()
	if len(off) == 0 {
		return
	}
	fmt.Fprintln(w, "\nmetrics that are off:")
	table(w, len(off), func(i int) string { return off[i].words("\t") })
}

// words say which metric of which node is off, by how much and against what: the parts with something between them.
func (m Metric) words(between string) string {
	difference := "is undefined on one side"
	if m.Was != nil && m.Now != nil {
		difference = "differs by " + signed(m.Difference)
	}
	allowed := "allowed: " + number(*m.Allowed) + " (" + m.By + ")"
	if m.By == "bytes" {
		allowed = "allowed: 0 (same bytes)"
		if m.demanded {
			allowed = "allowed: 0 (same conditions)"
		}
	}
	return strings.Join([]string{m.Node, m.Metric, value(m.Was) + " -> " + value(m.Now), difference, allowed}, between)
}

func value(f *float64) string {
	if f == nil {
		return "undefined"
	}
	return number(*f)
}

func signed(f float64) string {
	s := strconv.FormatFloat(f, 'g', 3, 64)
	if f > 0 {
		return "+" + s
	}
	return s
}

func (r *Report) textSeeds(w io.Writer) {
	off := r.OffSeeds()
	if len(off) == 0 {
		return
	}
	fmt.Fprintln(w, "\nmetrics whose distribution over the seeds is off:")
	table(w, len(off), func(i int) string { return off[i].words("\t") })
}

func (t SeedTest) words(between string) string {
	verdict := fmt.Sprintf("fewer than two seeds (%d and %d)", t.WasN, t.NowN)
	if t.P != nil {
		verdict = fmt.Sprintf("not shown to be less than %s apart: p = %.3g, level %g", number(t.Margin), *t.P, t.Level)
		if t.Test == Welch {
			verdict = fmt.Sprintf("differs: p = %.3g, level %g", *t.P, t.Level)
		}
	}
	return strings.Join([]string{t.name(), t.Metric, fmt.Sprintf("%.4g±%.2g (n=%d) -> %.4g±%.2g (n=%d)", t.WasMean, t.WasSD, t.WasN, t.NowMean, t.NowSD, t.NowN),
		"means differ by " + signed(t.Difference), verdict}, between)
}

func (r *Report) textOutputs(w io.Writer) {
	off := r.OffBytes()
	first := kept(off, func(o Output) bool { return o.Behind == "" })
	if len(off) == 0 {
		return
	}
	fmt.Fprintln(w, "\noutputs that are not the same bytes, made under the same conditions:")
	table(w, len(first), func(i int) string {
		return fmt.Sprintf("%s\t%s\t%s -> %s", first[i].Node, first[i].File, or(first[i].Was), or(first[i].Now))
	})
	if behind := len(off) - len(first); behind > 0 {
		fmt.Fprintf(w, "  and %s of nodes that take these in\n", several(behind, "output"))
	}
}

// WriteChanges prints changes under a heading; nothing where there are none.
func WriteChanges(w io.Writer, heading string, changes []Change) {
	if len(changes) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", heading)
	table(w, len(changes), func(i int) string {
		c := changes[i]
		line := fmt.Sprintf("%s\t%s -> %s", c.Name, or(c.Was), or(c.Now))
		if at := strings.Trim(c.WasAt+", "+c.NowAt, ", "); at != "" {
			line += "\t" + at
		}
		return line
	})
}

func or(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

func section(w io.Writer, heading string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", heading)
	table(w, len(lines), func(i int) string { return lines[i] })
}

// table prints rows, whose cells have tabs between them, in columns.
func table(w io.Writer, n int, row func(i int) string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range min(n, linesShown) {
		fmt.Fprintf(t, "  %s\n", row(i))
	}
	_ = t.Flush() // to a terminal: there is no one left to tell
	if n > linesShown {
		fmt.Fprintf(w, "  and %d more\n", n-linesShown)
	}
}
