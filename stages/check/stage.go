package check

import (
	"errors"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/expression"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     Kind,
	Revision: 1,
	Program:  pipeline.Runner,
	Outputs:  []string{"check.json"},
	Publish:  []pipeline.Publication{{Output: "check.json", To: "checks/{node}.json"}},
}

// Spec is how specs use it.
var Spec = experiment.Kind{
	Stage:  Stage,
	Params: func() any { return &Params{} },
	Needs:  []string{"summary"},
	Bind:   bind,
}

func bind(b *experiment.Builder, c *experiment.Cell, n *graph.Node) {
	p := *c.Params.(*Params)
	var axes []string
	seen := map[string]bool{}
	for _, from := range experiment.Upstream(c.Needs, "evaluate") {
		for _, a := range from.Axes {
			if !seen[a.Name] {
				seen[a.Name] = true
				axes = append(axes, a.Name)
			}
		}
	}
	for i, assert := range p.Assert {
		var wrong *expression.Error
		if errors.As(Validate(assert, axes, metrics.Names), &wrong) {
			b.Diags.Add(c.Value("assert").List()[i].Inside(wrong.Offset, wrong.Width), spec.Code(wrong), "%v", wrong)
		}
	}
	if len(c.Needs) > 0 && len(experiment.Upstream(c.Needs, "evaluate", "scores")) == 0 {
		b.Diags.Add(c.Place("assert"), spec.MissingInput, "stage %q (check): nothing that it needs was scored, so there is no metric to check", n.Name)
	}
	for _, from := range experiment.Upstream(c.Needs, "summary") {
		n.Needs = append(n.Needs, graph.Edge{Port: Summary, From: from})
	}
	n.Params = p
}
