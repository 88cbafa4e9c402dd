package experiment

import (
	"errors"

	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// unreadable reports what is wrong with a list or with the files that its rows name: at the row, or else where the spec
// names the list.
func (b *Builder) unreadable(entry *datasetEntry, err error) {
	var pattern *prepare.PatternError
	mistakes := table.Mistakes(err)
	for _, m := range mistakes {
		row := diag.Pos{File: m.File, Line: m.Line}
		switch {
		case m.Kind == table.BadRow:
			b.Diags.Add(row, spec.BadRow, "%s", m.Message)
		case m.Kind == table.NoFile:
			b.Diags.Add(row, spec.MissingImage, "%s", m.Message)
		case m.Kind == table.NoRow:
			b.Diags.Add(entry.From.Get("where").Pos, spec.BadList, "the data set %q: %v", entry.Name, m)
		case m.Line > 0:
			b.Diags.Add(row, spec.BadList, "%s", m.Message)
		default:
			b.Diags.Add(entry.From.Get("csv").Pos, spec.BadList, "the data set %q: %v", entry.Name, m)
		}
	}
	switch {
	case len(mistakes) > 0:
	case errors.As(err, &pattern):
		at := entry.From.Get("saliency").Key(pattern.Saliency).Pos
		b.Diags.Add(at, spec.NotAllowed, "the data set %q: %v", entry.Name, err)
	default:
		b.Diags.Add(entry.From.Get("csv").Pos, spec.BadList, "the data set %q: %v", entry.Name, err)
	}
}

// unread looks at the lists and files of data sets from which other mistakes kept the stages.
func (b *Builder) unread() {
	for i := range b.datasets {
		entry := &b.datasets[i]
		d := &entry.Value
		if b.Diags.Len() == 0 || b.Diags.Len() > maxMistakes || b.read[entry.Name] || d.CSV == "" || d.Generate != nil || !sound(entry) {
			continue
		}
		var n graph.Node
		p := prepare.Params{Where: d.Where, Labels: d.Labels, Side: 1, GridH: 1, GridW: 1, MaxPixels: d.MaxPixels, OnBadImage: d.OnBadImage}
		for _, named := range d.Saliency {
			if s := named.Value; s.Maps != "" || s.Masks != "" {
				p.Saliency = append(p.Saliency, d.source(named))
			}
		}
		if !b.list(entry, &n, &p) {
			continue
		}
		if err := p.Validate(); err != nil {
			b.Diags.Add(entry.Pos, spec.NotAllowed, "the data set %q: %v", entry.Name, err)
			continue
		}
		b.external(entry, p, &n)
	}
}

// sound tells whether a data set was decoded without mistakes: what stands in for a refused key would lead to others.
func sound(entry *datasetEntry) bool {
	var found diag.List
	spec.Decode(entry.From, new(Dataset), &found)
	return found.Len() == 0 && entry.From.Sound()
}
