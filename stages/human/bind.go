package human

import (
	"maps"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/evaluate"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

func bind(b *experiment.Builder, c *experiment.Cell, n *graph.Node) {
	p := *c.Params.(*Params)
	job := Job{Params: p, Path: c.Path("trials")}
	b.File(c.Place("trials"), job.Path, "human.trials", "; `cyborg-run human export` writes one")
	if b.Files {
		n.Files = append(n.Files, job.Path)
	}
	for _, word := range slices.Sorted(maps.Keys(p.Labels)) {
		if !slices.Contains(table.ClassNames, p.Labels[word]) {
			b.Diags.Add(c.Place("labels"), spec.NotAllowed, "labels: %s: %q is no class; write Real or Synthetic", word, p.Labels[word])
		}
	}
	if p.Set != "" {
		job.Lists = b.Lists(c.Place("set"), p.Set)
		for _, list := range job.Lists {
			if b.Files {
				n.Files = append(n.Files, list.CSV)
			}
		}
	}
	scored := append(experiment.Upstream(c.Needs, "evaluate"), experiment.Upstream(c.Needs, "scores")...)
	for _, from := range scored {
		if p.Set == "" || setOf(from) == p.Set {
			n.Needs = append(n.Needs, graph.Edge{Port: Scores, From: from})
		}
	}
	if len(c.Needs) > 0 && len(n.Needs) == 0 {
		b.Diags.Add(c.Place("set"), spec.MissingInput, "stage %q (human): none of the stages that it needs scores %s", n.Name, setName(p.Set))
	}
	if p.Simulated {
		job.Notes = append(job.Notes, "Simulated answers: a program took part in this study, and no person.")
	}
	if len(experiment.Upstream(scored, "generate")) > 0 {
		job.Notes = append(job.Notes, "Simulated data: the images are cartoons drawn by a program.")
	}
	n.Params = job
}

// setOf is the data set that a node scored.
func setOf(n *graph.Node) string {
	if set, ok := n.Axis("set"); ok {
		return set
	}
	if job, ok := n.Params.(evaluate.Job); ok {
		return job.Set
	}
	return ""
}

func setName(set string) string {
	if set == "" {
		return "anything"
	}
	return "the data set " + set
}
