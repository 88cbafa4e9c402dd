package summary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     Kind,
	Revision: 3,
	Program:  pipeline.Runner,
	Named:    true,
	Outputs:  []string{"metrics.csv", "summary.json"},
	Publish: []pipeline.Publication{
		{Output: "metrics.csv", To: "metrics.csv"},
		{Output: "tables", To: "tables"},
		{Output: "figures", To: "figures"},
	},
}

// Spec is how specs use it. It gathers every evaluation among its needs, and the trainings and CAMs that those come from
// or that stand beside them. Earlier trainings may stand alone, with their learning curves.
var Spec = experiment.Kind{
	Stage:  Stage,
	Params: func() any { return &Params{} },
	Needs:  []string{"evaluate", "scores", "train_log"},
	Bind:   bind,
}

func bind(b *experiment.Builder, c *experiment.Cell, n *graph.Node) {
	p := *c.Params.(*Params)
	if !slices.Contains(metrics.Names, p.Metric) {
		b.Diags.Add(c.Place("metric"), spec.NotAllowed, "there is no metric %q%s; there are: %s",
			p.Metric, spec.Suggest(p.Metric, metrics.Names), strings.Join(metrics.Names, ", "))
	}
	for _, metric := range p.Tables {
		if !slices.Contains(metrics.Measures, metric) {
			b.Diags.Add(c.Place("tables"), spec.NotAllowed, "there is no metric %q%s; there are: %s",
				metric, spec.Suggest(metric, metrics.Measures), strings.Join(metrics.Measures, ", "))
		}
	}
	scored := map[string]bool{}
	for _, from := range c.Needs {
		if set, ok := from.Axis("set"); ok {
			scored[set] = true
		}
	}
	for _, set := range p.Mean {
		if len(scored) > 0 && !scored[set] {
			b.Diags.Add(c.Place("mean"), spec.UnknownDataset, "mean: the set %q is scored by no stage that this one needs", set)
		}
	}
	if len(experiment.Upstream(c.Needs, "evaluate", "scores")) == 0 {
		p.Mean = nil // a section may name sets
	}
	upstream := byKind(experiment.Upstream(c.Needs, "evaluate", "scores", "train", "train_log", "cam", "prepare"))
	trained := behind(c.Needs, upstream)
	for _, gather := range []struct{ port, kind string }{
		{Scores, "evaluate"}, {Scores, "scores"}, {Histories, "train"}, {Histories, "train_log"}, {CAMs, "cam"}} {
		for _, from := range upstream[gather.kind] {
			if gather.kind != "train" || trained[from] {
				n.Needs = append(n.Needs, graph.Edge{Port: gather.port, From: from})
			}
		}
	}
	for _, data := range upstream["prepare"] {
		if d, ok := data.Params.(prepare.Params); ok && d.OnBadImage == prepare.Skip {
			n.Needs = append(n.Needs, graph.Edge{Port: Skipped, From: data, Output: prepare.Skipped})
		}
	}
	p.Notes = append(slices.Clone(p.Notes), simulated(n)...)
	p.Notes = append(p.Notes, b.PartialMaps(upstream["train"])...)
	p.Notes = append(p.Notes, earlier(n)...)
	n.Params, n.CPUs = p, b.Threads(0)
}

func byKind(nodes []*graph.Node) map[string][]*graph.Node {
	all := map[string][]*graph.Node{}
	for _, n := range nodes {
		all[n.Stage.Kind] = append(all[n.Stage.Kind], n)
	}
	return all
}

// behind are the needs and the nodes whose networks were scored or explained. Other trainings may stand behind those: where
// a network's first weights are from, or the teacher that made its maps.
func behind(needs []*graph.Node, upstream map[string][]*graph.Node) map[*graph.Node]bool {
	all := map[*graph.Node]bool{}
	for _, n := range needs {
		all[n] = true
	}
	for _, kind := range []string{"evaluate", "cam"} {
		for _, n := range upstream[kind] {
			for _, e := range n.Needs {
				all[e.From] = true
			}
		}
	}
	return all
}

// simulated says which of the data that a summary stands on were made by a program.
func simulated(n *graph.Node) (notes []string) {
	from := make([]*graph.Node, len(n.Needs))
	for i, e := range n.Needs {
		from[i] = e.From
	}
	upstream := byKind(experiment.Upstream(from, "generate", "prepare"))
	if len(upstream["generate"]) > 0 {
		notes = append(notes, "Simulated data: the faces are cartoons drawn by a program, real and synthetic ones alike.")
	}
	var maps []string
	for _, data := range upstream["prepare"] {
		for _, name := range experiment.SimulatedMaps(data) {
			if !slices.Contains(maps, name) {
				maps = append(maps, name)
			}
		}
	}
	if len(maps) > 0 {
		notes = append(notes, "Simulated maps: no person drew the saliency maps called "+strings.Join(maps, ", ")+".")
	}
	return notes
}

// earlier says which results were not made here.
func earlier(n *graph.Node) (notes []string) {
	for _, of := range []struct{ kind, what string }{{"scores", "scores"}, {"train_log", "learning curves"}} {
		count := 0
		for _, e := range n.Needs {
			if e.From.Stage.Kind == of.kind {
				count++
			}
		}
		if count > 0 {
			notes = append(notes, fmt.Sprintf("Earlier results: %d of the %s were read from files that another program left; with which code, data and seeds they were made is not known here.", count, of.what))
		}
	}
	return notes
}
