package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/pipeline/event"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// reasoned is what `why --json` prints.
type reasoned struct {
	Node     string           `json:"node"`
	State    graph.State      `json:"state"`
	Reasons  []string         `json:"reasons"`
	Roots    []string         `json:"roots,omitempty"`
	Key      store.Key        `json:"key,omitempty"` // absent while something that it needs is not done
	Parts    []graph.Part     `json:"parts"`
	Artifact *reasonedOutputs `json:"artifact,omitempty"`
	Needs    []string         `json:"needs"`
	NeededBy []string         `json:"needed_by"`
}

type reasonedOutputs struct {
	Current     bool              `json:"current"` // false: it is that of the last run, under another key
	Key         store.Key         `json:"key"`
	Folder      string            `json:"folder"`
	Started     time.Time         `json:"started"`
	Seconds     float64           `json:"seconds"`
	Environment map[string]string `json:"environment,omitempty"`
	Outputs     []reasonedOutput  `json:"outputs"`
}

type reasonedOutput struct {
	Name   string       `json:"name"`
	Size   int64        `json:"size"`
	Digest store.Digest `json:"digest"`
}

func whyCommand() *cobra.Command {
	var f specFlags
	var place placeFlags
	var asJSON, all bool
	c := &cobra.Command{
		Use:   "why SPEC NODE",
		Short: "Say all that decides a node: its key part by part against the last run, and what it left",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			doc, g, err := f.lookAt(c, &place, args[0])
			if err != nil {
				return err
			}
			node, err := oneNode(g, args[1])
			if err != nil {
				return wrong(err)
			}
			closure, err := g.Only(node.Name)
			if err != nil {
				return wrong(err)
			}
			plan, st, _, err := place.plan(doc, closure)
			if err != nil {
				return err
			}
			r := reason(plan, st, g, node)
			if asJSON {
				err = printJSON(c.OutOrStdout(), r)
			} else {
				err = whyText(c.OutOrStdout(), r, all)
			}
			return closed(st, err)
		},
	}
	f.add(c)
	f.addNoFiles(c)
	place.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&all, "all", false, "list files that did not change too")
	return c
}

// oneNode is the node of that name, or the only one that the pattern matches.
func oneNode(g *graph.Graph, pattern string) (*graph.Node, error) {
	if n, ok := g.Find(pattern); ok {
		return n, nil
	}
	matched := g.Matching(pattern)
	switch len(matched) {
	case 0:
		return nil, fmt.Errorf("no node is called %q; there are: %s", pattern, strings.Join(g.Stages(), ", "))
	case 1:
		return matched[0], nil
	}
	return nil, fmt.Errorf("%q matches %d nodes; name one of them, such as '%s'", pattern, len(matched), matched[0].Name)
}

func reason(plan *graph.Plan, st *store.Store, g *graph.Graph, node *graph.Node) reasoned {
	step := plan.Steps[slices.IndexFunc(plan.Steps, func(s *graph.Step) bool { return s.Node == node })]
	r := reasoned{Node: node.Name, State: step.State, Reasons: append([]string{}, step.Reasons...), Key: step.Key,
		Parts: plan.Parts(step), Needs: needs(step), NeededBy: []string{}}
	if step.State != graph.Done {
		for _, root := range plan.Roots(step) {
			r.Roots = append(r.Roots, root.Node.Name)
		}
	}
	for _, n := range g.Nodes {
		if slices.ContainsFunc(n.Needs, func(e graph.Edge) bool { return e.From == node }) {
			r.NeededBy = append(r.NeededBy, n.Name)
		}
	}
	artifact := step.Artifact
	if artifact == nil {
		artifact, _ = st.Load(plan.LastKey(step)) // there may be none
	}
	if artifact != nil {
		r.Artifact = &reasonedOutputs{Current: step.State == graph.Done, Key: artifact.Key, Folder: artifact.Dir,
			Started: artifact.Started, Seconds: artifact.Seconds, Environment: artifact.Environment, Outputs: []reasonedOutput{}}
		for _, o := range artifact.Outputs {
			r.Artifact.Outputs = append(r.Artifact.Outputs, reasonedOutput{o.Name, o.Size, o.Digest})
		}
	}
	return r
}

func whyText(out io.Writer, r reasoned, all bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s is %s\n", r.Node, r.State)
	for _, reason := range r.Reasons {
		fmt.Fprintf(w, "  %s\n", reason)
	}
	key := string(r.Key)
	if key == "" {
		key = "not known before what it needs is done"
	}
	fmt.Fprintf(w, "\nkey %s\n", key)
	files := 0
	for _, p := range r.Parts {
		if p.State == graph.PartSame && p.File && !all {
			files++
			continue
		}
		value := p.Value
		switch p.State {
		case graph.PartChanged:
			value = p.Before + " -> " + p.Value
		case graph.PartGone:
			value = p.Before
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", p.State, p.Field, value)
	}
	if files > 0 {
		fmt.Fprintf(w, "  %s\t%d files\t--all lists them\n", graph.PartSame, files)
	}
	if a := r.Artifact; a != nil {
		fmt.Fprintf(w, "\nartifact %s\n", a.Folder)
		if !a.Current {
			fmt.Fprintf(w, "  of the last run, under the key %s\n", a.Key)
		}
		fmt.Fprintf(w, "  begun %s, took %s\n", a.Started.Format(time.RFC3339), event.Duration(a.Seconds))
		for _, name := range slices.Sorted(maps.Keys(a.Environment)) {
			fmt.Fprintf(w, "  %s\t%s\n", name, a.Environment[name])
		}
		fmt.Fprintln(w, "\noutputs")
		for _, o := range a.Outputs {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", o.Name, o.Digest, size(o.Size))
		}
	}
	for _, list := range []struct {
		title string
		names []string
	}{{"needs", r.Needs}, {"needed by", r.NeededBy}} {
		if len(list.names) > 0 {
			fmt.Fprintf(w, "\n%s\n  %s\n", list.title, strings.Join(list.names, "\n  "))
		}
	}
	return w.Flush()
}
