package experiment

import (
	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// List is the list of a data set's images as a stage reads it that needs no pixels.
type List struct {
	CSV    string            `json:"csv"`
	Header string            `json:"header,omitempty"`
	Where  string            `json:"where,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

// Read is the list's rows.
func (l List) Read() (*table.Table, error) {
	return table.Read(l.CSV, table.Options{Header: table.Header(l.Header), Where: l.Where, Labels: l.Labels})
}

// Lists are the lists of a data set and of those that it is scored with. A generated one has none before it is made, which
// is reported.
func (b *Builder) Lists(at diag.Pos, name string) (lists []List) {
	for _, one := range b.With(at, name) {
		d := b.dataset(at, one)
		switch {
		case d == nil: // reported
		case d.Value.CSV == "":
			b.Diags.Add(at, spec.NotAllowed, "the data set %q is generated; a list in a file is needed here", one)
		default:
			b.listed(d) // what is wrong with it is reported
			lists = append(lists, List{CSV: d.From.Get("csv").Resolve(), Header: d.Value.Header, Where: d.Value.Where, Labels: d.Value.Labels})
		}
	}
	return lists
}
