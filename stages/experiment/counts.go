package experiment

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

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
		b.problems = append(b.problems, fmt.Errorf("the data set %q: %w", entry.Name, err))
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
