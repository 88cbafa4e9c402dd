package agreement

import (
	"maps"
	"slices"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/cam"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     "agreement",
	Revision: 2,
	Program:  pipeline.Runner,
	Named:    true,
	Outputs:  []string{"agreement/agreement.csv", "agreement/agreement.json"},
	Publish:  []pipeline.Publication{{Output: "agreement", To: "agreement/{node}"}},
}

// Kind is how specs use it. It gathers every node of cam among its needs, the data that those saw, and the evaluations that
// stand beside them.
var Kind = experiment.Kind{
	Stage:  Stage,
	Params: func() any { return &Params{} },
	Needs:  []string{"cam"},
	Bind:   bind,
}

func bind(b *experiment.Builder, c *experiment.Cell, n *graph.Node) {
	job := Job{Params: *c.Params.(*Params), CAMs: map[string]Seen{}}
	seen := map[*graph.Node]bool{}
	for _, from := range experiment.Upstream(c.Needs, "cam") {
		n.Needs = append(n.Needs, graph.Edge{Port: CAMs, From: from})
		params, _ := from.Params.(cam.Job)
		for _, e := range from.Needs {
			if e.Port != "data" {
				continue
			}
			job.CAMs[from.Name] = Seen{Data: e.From.Name, Set: params.Set, Points: params.Points}
			if !seen[e.From] {
				seen[e.From] = true
				n.Needs = append(n.Needs, graph.Edge{Port: Data, From: e.From, Output: e.Output})
			}
		}
	}
	job.Generated = len(experiment.Upstream(c.Needs, "generate")) > 0
	scored := map[string]bool{}
	for _, kind := range []string{"evaluate", "scores"} {
		for _, from := range experiment.Upstream(c.Needs, kind) {
			n.Needs = append(n.Needs, graph.Edge{Port: Scores, From: from})
			if set, ok := from.Axis("set"); ok {
				scored[set] = true
			}
		}
	}
	for _, set := range job.Mean {
		if !scored[set] {
			b.Diags.Add(c.Place("mean"), spec.UnknownDataset, "mean: the set %q is scored by no stage that this one needs%s", set, spec.Suggest(set, slices.Sorted(maps.Keys(scored))))
		}
	}
	n.Params = job
}
