package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// writeOrigins prints each leaf of a resolved spec with the place that it comes from.
func writeOrigins(w io.Writer, all []spec.Origin) {
	const widest = 48 // a longer path or value stands out of its column
	paths, values := 0, 0
	for _, o := range all {
		paths = max(paths, min(widest, utf8.RuneCountInString(o.Path)))
		values = max(values, min(widest, utf8.RuneCountInString(o.Value.Brief())))
	}
	for _, o := range all {
		fmt.Fprintf(w, "%-*s = %-*s   %s\n", paths, o.Path, values, o.Value.Brief(), inWords(o.Place))
	}
}

// inWords is a place as people read it: "specs/mine.yaml:12:8, from params.seeds: --set seeds=4". What a parameter was
// made from stands in parentheses.
func inWords(p spec.Place) string {
	words := p.Pos.String()
	if p.Default {
		words = "default"
	}
	if p.Profile != "" {
		words += " (profile " + p.Profile + ")"
	}
	for _, via := range p.Via {
		words += ", from " + via.Name
		switch where := via.Place; {
		case len(where.Via) > 0:
			words += " (" + inWords(where) + ")"
		case where.Default || where.Pos.File != "":
			words += ": " + inWords(where)
		}
	}
	return words
}

// placeJSON is a place as programs read it. From says what wrote the value where that is no file's own text: "default",
// "--set", "profile NAME".
type placeJSON struct {
	File   string    `json:"file,omitempty"`
	Line   int       `json:"line,omitempty"`
	Column int       `json:"column,omitempty"`
	From   string    `json:"from,omitempty"`
	Via    []viaJSON `json:"via,omitempty"`
}

type viaJSON struct {
	Name string `json:"name"`
	placeJSON
}

func newPlaceJSON(p spec.Place) placeJSON {
	out := placeJSON{File: p.Pos.File, Line: p.Pos.Line, Column: p.Pos.Column}
	switch {
	case p.Default:
		out.From = "default"
	case p.Profile != "":
		out.From = "profile " + p.Profile
	case strings.HasPrefix(p.Pos.File, "--set "):
		out.From = "--set"
	}
	for _, via := range p.Via {
		out.Via = append(out.Via, viaJSON{via.Name, newPlaceJSON(via.Place)})
	}
	return out
}

func writeOriginsJSON(w io.Writer, all []spec.Origin) error {
	type leaf struct {
		Path  string `json:"path"`
		Value any    `json:"value"`
		placeJSON
	}
	leaves := make([]leaf, len(all))
	for i, o := range all {
		leaves[i] = leaf{o.Path, o.Value.Any(), newPlaceJSON(o.Place)}
	}
	return printJSON(w, leaves)
}
