package experiment

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Lists are the data sets whose lists a spec's graph stands on, by what is known of them, in the spec's order.
type Lists struct {
	Held   []string `json:"counts_hold"` // read, with as many images as the spec declares
	Read   []string `json:"no_counts"`   // read, and no number is declared
	Absent []string `json:"no_list"`     // not there, which is a mistake unless files are not looked for
}

// String says it in a line: counts hold: train; no list: unseen.
func (l Lists) String() string {
	var parts []string
	for _, of := range []struct {
		what string
		sets []string
	}{{"counts hold", l.Held}, {"no counts declared", l.Read}, {"no list", l.Absent}} {
		if len(of.sets) > 0 {
			parts = append(parts, of.what+": "+strings.Join(of.sets, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// known are the lists that were looked at.
func (b *Builder) known() (l Lists) {
	l = Lists{[]string{}, []string{}, []string{}}
	for _, d := range b.datasets {
		switch ok, read := b.lists[d.Name]; {
		case b.absent[d.Name]:
			l.Absent = append(l.Absent, d.Name)
		case !read || !ok:
		case len(d.Value.Counts) > 0:
			l.Held = append(l.Held, d.Name)
		default:
			l.Read = append(l.Read, d.Name)
		}
	}
	return l
}

// listed reads the list of a data set, once for all of its sizes, where nothing else does or its images are to be counted:
// so a spec whose images are not at hand is held to the lists that are. A list that is not there was reported, or is not
// asked for.
func (b *Builder) listed(entry *datasetEntry) (ok bool) {
	d := &entry.Value
	if b.Files && len(d.Counts) == 0 {
		return true
	}
	if ok, known := b.lists[entry.Name]; known {
		return ok
	}
	list := List{CSV: entry.From.Get("csv").Resolve(), Header: d.Header, Where: d.Where, Labels: d.Labels}
	if !exists(list.CSV) {
		b.absent[entry.Name] = true
		return !b.Files
	}
	t, err := list.Read()
	ok = b.readable(entry, err) && b.counted(entry, t)
	b.lists[entry.Name] = ok
	return ok
}

// readable reports why a list cannot be read: the expression is the spec's, all else the list's.
func (b *Builder) readable(entry *datasetEntry, err error) bool {
	var where *table.WhereError
	switch {
	case err == nil:
		return true
	case errors.As(err, &where):
		b.Diags.Add(entry.From.Get("where").Inside(where.Err.Offset, where.Err.Width), spec.Code(where.Err), "the data set %q: %v", entry.Name, err)
	default:
		b.unreadable(entry, err)
	}
	return false
}

// counted compares a list with the counts that the spec declares.
func (b *Builder) counted(entry *datasetEntry, t *table.Table) bool {
	declared, at := entry.Value.Counts, entry.From.Get("counts")
	counts := t.Counts()
	ok := true
	for _, class := range slices.Sorted(maps.Keys(declared)) {
		k := slices.Index(table.ClassNames, class)
		if k < 0 {
			b.Diags.Add(at.Pos, spec.NotAllowed, "the data set %q: counts: there is no class %q%s; there are: %s",
				entry.Name, class, spec.Suggest(class, table.ClassNames), strings.Join(table.ClassNames, ", "))
			ok = false
		} else if counts[k] != declared[class] {
			b.Diags.Add(at.Get(class).Pos, spec.OutOfRange, "the data set %q has %d %s images in %s, and %d are declared: it is another list, or another part of it; take counts away to go on with it",
				entry.Name, counts[k], class, t.File, declared[class])
			ok = false
		}
	}
	return ok
}
