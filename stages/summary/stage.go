package summary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/earlier"
	"github.com/cyborg-run/cyborg-run/stages/evaluate"
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
	upstream := byKind(experiment.Upstream(c.Needs, "evaluate", "scores", "train", "train_log", "cam", "prepare", "generate"))
	named(b, c, p, upstream)
	if len(upstream["evaluate"])+len(upstream["scores"]) == 0 {
		p.Mean = nil // a section may name sets
	}
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
	p.Notes = append(slices.Clone(p.Notes), simulated(upstream)...)
	p.Notes = append(p.Notes, b.PartialMaps(upstream["train"])...)
	p.Notes = append(p.Notes, madeBefore(n)...)
	n.Params, n.CPUs = p, b.Threads(0)
}

// named says which sets and which baseline a spec names that are not there. A default that is not is nobody's mistake.
func named(b *experiment.Builder, c *experiment.Cell, p Params, upstream map[string][]*graph.Node) {
	var scored, compared []string
	for _, kind := range []string{"evaluate", "scores", "train", "train_log", "cam"} {
		for _, from := range upstream[kind] {
			if value, ok := from.Axis(p.Compare); ok {
				compared = appendNew(compared, value)
			}
			if set := scoredBy(from); set != "" {
				scored = appendNew(scored, set)
			}
		}
	}
	missing := func(param, what, set string) {
		if len(scored) > 0 && !slices.Contains(scored, set) {
			b.Diags.Add(c.Place(param), spec.UnknownDataset, "%s: the set %q is scored by no stage that this one needs%s; there are: %s",
				what, set, spec.Suggest(set, scored), strings.Join(scored, ", "))
		}
	}
	for _, set := range p.Mean {
		missing("mean", "mean", set)
	}
	if !c.Value("chosen_on").Absent() {
		missing("chosen_on", "chosen_on", p.ChosenOn)
	} else if slices.Contains(p.Tables, "acer_chosen") {
		missing("tables", "acer_chosen needs a set to choose its threshold on (chosen_on)", p.ChosenOn)
	}
	if !c.Value("baseline").Absent() && len(compared) > 0 && !slices.Contains(compared, p.Baseline) {
		b.Diags.Add(c.Place("baseline"), spec.NotAllowed, "baseline: %q is no value of %s%s; there are: %s",
			p.Baseline, p.Compare, spec.Suggest(p.Baseline, compared), strings.Join(compared, ", "))
	}
}

// scoredBy is the set that a node scores; empty where it scores none.
func scoredBy(n *graph.Node) string {
	switch job := n.Params.(type) {
	case evaluate.Job:
		return job.Set
	case earlier.ScoresJob:
		return job.Set
	}
	return ""
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
func simulated(upstream map[string][]*graph.Node) (notes []string) {
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

// madeBefore says which results were not made here.
func madeBefore(n *graph.Node) (notes []string) {
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
