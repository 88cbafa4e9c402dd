package experiment

import (
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/lock"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// ReproduceSection is the section whose tolerances `cyborg-run lock` takes into the lock.
const ReproduceSection = "reproduce"

// Reproduce reads the section `reproduce`; mistakes go to diags.
func Reproduce(doc *spec.Document, diags *diag.List) (r lock.Reproduce) {
	section := doc.Root.Get(ReproduceSection)
	if section.Absent() {
		return r
	}
	before := diags.Len()
	spec.Decode(section, &r, diags)
	if diags.Len() > before {
		return r
	}
	for _, p := range r.Validate() {
		diags.Add(below(section, p.Path).Pos, spec.NotAllowed, "%s.%s: %s", ReproduceSection, p.Path, p.Message)
	}
	return r
}

// below is the value at a path below v, or the last one on the way that is there.
func below(v *spec.Value, path string) *spec.Value {
	for step := range strings.SplitSeq(path, ".") {
		next := v.Get(step)
		if n, err := strconv.Atoi(step); err == nil && v.Kind == spec.List && n < v.Len() {
			next = v.List()[n]
		}
		if next == nil {
			return v
		}
		v = next
	}
	return v
}
