package main

import (
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
)

// line is one row of the table: the figures of both sides by turn, in one unit.
type line struct {
	what, unit   string
	ours, theirs []float64
	limit        float64 // of the ratio ours/theirs, or of ours where there is no other side; 0: none is set
}

func (b *bench) add(l line) {
	b.lines = append(b.lines, l)
	fmt.Fprintf(os.Stderr, "  %s: %s %s", l.what, figures(l.ours), l.unit)
	if l.theirs != nil {
		fmt.Fprintf(os.Stderr, "; other side: %s", figures(l.theirs))
	}
	fmt.Fprintln(os.Stderr)
}

func figures(values []float64) string {
	text := ""
	for i, v := range values {
		if i > 0 {
			text += " "
		}
		text += fmt.Sprintf("%.4g", v)
	}
	return text
}

// print writes the table of medians.
func (b *bench) print() {
	fmt.Printf("\nload at the end %s\n\n", load())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer func() { _ = w.Flush() }()
	fmt.Fprintln(w, "what\tours\tother\tunit\tratio\tat most\t")
	for _, l := range b.lines {
		ours, theirs, ratio, limit, verdict := median(l.ours), "", "", "", ""
		measured := ours
		if l.theirs != nil {
			measured = ours / median(l.theirs)
			theirs, ratio = fmt.Sprintf("%.4g", median(l.theirs)), fmt.Sprintf("%.2f", measured)
		}
		if l.limit > 0 {
			limit, verdict = fmt.Sprintf("%.4g", l.limit), "holds"
			if measured > l.limit {
				verdict = "MISSED"
			}
		}
		fmt.Fprintf(w, "%s\t%.4g\t%s\t%s\t%s\t%s\t%s\n", l.what, ours, theirs, l.unit, ratio, limit, verdict)
	}
}

// median of at least one value.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
