package lock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
)

// WriteFile leaves the lock as a file: the old one or the new one, and never a part.
func (l *Lock) WriteFile(path string) error {
	raw := l.YAML()
	if len(raw) > maxBytes {
		return fmt.Errorf("write lock: it would have %d MiB, and %d are read; lock a smaller spec", len(raw)>>20, maxBytes>>20)
	}
	if err := renameio.WriteFile(path, raw, 0o644); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}

const head = `# What was run and what came out. Written by 'cyborg-run lock', read by 'cyborg-run check' and 'cyborg-run diff'.
# Run 'cyborg-run lock' again instead of editing it; docs/reproduce.md says what the parts mean.
`

// YAML is the lock as a file, which Read reads. The same lock always gives the same bytes.
func (l *Lock) YAML() []byte {
	w := &writer{}
	w.WriteString(head)
	w.line(0, "version", strconv.Itoa(l.Version))
	w.line(0, "name", text(l.Name))
	w.WriteString("spec:\n")
	w.line(1, "digest", text(l.Spec.Digest))
	if l.Spec.Profile != "" {
		w.line(1, "profile", text(l.Spec.Profile))
	}
	if len(l.Spec.Set) > 0 {
		w.line(1, "set", texts(l.Spec.Set))
	}
	if len(l.Spec.Sources) > 0 {
		w.WriteString("  sources:\n")
		for _, f := range l.Spec.Sources {
			fmt.Fprintf(w, "    - {file: %s, digest: %s}\n", text(f.File), text(f.Digest))
		}
	}
	w.pairs(0, "environment", l.Environment)
	if len(l.Data) > 0 {
		w.WriteString("data:\n")
		for _, d := range l.Data {
			fmt.Fprintf(w, "  - {name: %s, files: %d, digest: %s}\n", text(d.Name), d.Files, text(d.Digest))
		}
	}
	if len(l.Axes) > 0 {
		w.WriteString("axes:\n")
		for _, a := range l.Axes {
			fmt.Fprintf(w, "  - {name: %s, values: %s}\n", text(a.Name), texts(a.Values))
		}
	}
	w.reproduce(l.Reproduce)
	if len(l.Metrics) > 0 {
		w.WriteString("metrics:\n")
		for _, e := range l.Metrics {
			fmt.Fprintf(w, "  - node: %s\n", text(e.Node))
			w.line(2, "set", text(e.Set))
			if len(e.Axes) > 0 {
				w.line(2, "axes", flow(e.Axes, text))
			}
			w.line(2, "values", flow(e.Values, number))
		}
	}
	w.nodes(l.Nodes)
	if len(l.Settings) > 0 {
		w.WriteString("settings:\n")
		for _, s := range l.Settings {
			w.line(1, text(s.Path), settingText(s.Value))
		}
	}
	return w.Bytes()
}

// writer is the file while it is being made.
type writer struct{ bytes.Buffer }

func (w *writer) line(depth int, key, value string) {
	fmt.Fprintf(w, "%s%s: %s\n", strings.Repeat("  ", depth), key, value)
}

func (w *writer) pairs(depth int, name string, pairs map[string]string) {
	if len(pairs) == 0 {
		return
	}
	fmt.Fprintf(w, "%s%s:\n", strings.Repeat("  ", depth), name)
	for _, key := range sorted(pairs) {
		w.line(depth+1, text(key), text(pairs[key]))
	}
}

func (w *writer) reproduce(r Reproduce) {
	if !r.any() {
		return
	}
	w.WriteString("reproduce:\n")
	if len(r.Within) > 0 {
		w.line(1, "within", flow(r.Within, number))
	}
	if len(r.Except) > 0 {
		w.WriteString("  except:\n")
		for _, e := range r.Except {
			fmt.Fprintf(w, "    - {nodes: %s, within: %s}\n", text(e.Nodes), flow(e.Within, number))
		}
	}
	if s := r.Seeds; s != nil {
		w.WriteString("  seeds:\n")
		w.line(2, "test", text(s.Test))
		w.line(2, "level", number(s.Level))
		if len(s.Margin) > 0 {
			w.line(2, "margin", flow(s.Margin, number))
		}
		if len(s.Metrics) > 0 {
			w.line(2, "metrics", texts(s.Metrics))
		}
		w.line(2, "axis", text(s.Axis))
	}
}

func (w *writer) nodes(nodes []Node) {
	if len(nodes) == 0 {
		w.WriteString("nodes: []\n")
		return
	}
	w.WriteString("nodes:\n")
	for _, n := range nodes {
		fmt.Fprintf(w, "  - name: %s\n", text(n.Name))
		w.line(2, "stage", text(n.Stage))
		w.line(2, "key", strconv.Quote(n.Key)) // some look like numbers
		w.line(2, "seconds", strconv.FormatFloat(n.Seconds, 'f', 3, 64))
		if n.Threads > 0 {
			w.line(2, "threads", strconv.Itoa(n.Threads))
		}
		w.pairs(2, "environment", n.Environment)
		w.pairs(2, "outputs", n.Outputs)
	}
}

func flow[T any](pairs map[string]T, write func(T) string) string {
	var parts []string
	for _, key := range sorted(pairs) {
		parts = append(parts, text(key)+": "+write(pairs[key]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func texts(list []string) string {
	written := make([]string, len(list))
	for i, s := range list {
		written[i] = text(s)
	}
	return "[" + strings.Join(written, ", ") + "]"
}

// number has as many digits as it takes to read the same number back.
func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// plain are the texts that YAML reads as the text that they are, anywhere and in any version of it.
var plain = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_./@+-]*|blake3:[0-9a-f]+)( [A-Za-z0-9_./@+-]+)*$`)

// truths are words that some YAML takes for something else.
var truths = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

func text(s string) string {
	if plain.MatchString(s) && !slices.Contains(truths, strings.ToLower(s)) {
		return s
	}
	return strconv.Quote(s) // YAML's double quotes know all of Go's escapes
}

// settingText is a setting's JSON with texts bare where that reads the same.
func settingText(value string) string {
	if value == "null" {
		return value
	}
	var s string
	if json.Unmarshal([]byte(value), &s) == nil {
		return text(s)
	}
	var list []json.RawMessage
	if json.Unmarshal([]byte(value), &list) == nil {
		parts := make([]string, len(list))
		for i, item := range list {
			parts[i] = settingText(string(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return value
}
