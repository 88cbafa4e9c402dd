package experiment

import (
	"fmt"
	"slices"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// Coverage is how many images of a list have a map of files.
type Coverage struct {
	Have, Of int

	example string // of a file that would be one
}

// coverageOf counts the maps that are files; those that a stage makes are known later.
func coverageOf(plan *prepare.Plan) map[string]Coverage {
	all := map[string]Coverage{}
	for i := range plan.Maps {
		m := &plan.Maps[i]
		if m.Made || plan.Maps[m.Base].Made || m.Program != nil {
			continue
		}
		all[m.Name] = Coverage{m.Count(), len(plan.Images), plan.Example(m)}
	}
	return all
}

// Reads says that a loss reads a map of a packed data set: at least one of its images must have one. Otherwise the term
// would be zero and the training one without it, under the name of the loss.
func (b *Builder) Reads(data *graph.Node, dataset, name, loss string) {
	c, known := b.coverage[data][name]
	if !known || c.Have > 0 || c.Of == 0 {
		return
	}
	at := diag.Pos{File: b.doc.Path}
	for _, s := range b.dataset(at, dataset).Value.Saliency {
		if s.Name == name {
			at = s.Pos
		}
	}
	if b.mapless[at] {
		return
	}
	b.mapless[at] = true
	example := ""
	if c.example != "" {
		example = fmt.Sprintf("; there is no file %s, to name one", c.example)
	}
	b.Diags.Add(at, spec.MissingFile, "none of the %d images of the data set %q has the map %q, which the loss %q reads%s", c.Of, dataset, name, loss, example)
}

// ReadsMaps is the parameters of a node whose loss compares with maps of its input "data".
type ReadsMaps interface{ MapsRead() []string }

// PartialMaps says of which maps that trainings read some of the images lack, a sentence each.
func (b *Builder) PartialMaps(trainings []*graph.Node) (notes []string) {
	for _, n := range trainings {
		reads, ok := n.Params.(ReadsMaps)
		if !ok {
			continue
		}
		for _, e := range n.Needs {
			for _, name := range reads.MapsRead() {
				c, known := b.coverage[e.From][name]
				if e.Port != "data" || !known || c.Have == c.Of {
					continue
				}
				note := fmt.Sprintf("Maps are missing: of the %d images of the %s, %d have the map %s; on the others the loss compares with none.",
					c.Of, e.From.Title, c.Have, name)
				if !slices.Contains(notes, note) {
					notes = append(notes, note)
				}
			}
		}
	}
	return notes
}
