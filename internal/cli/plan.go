package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

// planned is what `plan --json` prints.
type planned struct {
	Spec  string        `json:"spec"`
	Nodes []plannedNode `json:"nodes"`
}

type plannedNode struct {
	Name    string      `json:"name"`
	Stage   string      `json:"stage"`
	State   graph.State `json:"state"`
	Reasons []string    `json:"reasons"`
	Needs   []string    `json:"needs"`
}

func planCommand() *cobra.Command {
	var f specFlags
	var place placeFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "plan SPEC",
		Short: "Say what would run, what is done, and why",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			doc, g, err := f.load(args[0])
			if err != nil {
				return err
			}
			plan, st, _, err := place.plan(doc, g)
			if err != nil {
				return err
			}
			defer st.Close()
			if asJSON {
				return planJSON(c.OutOrStdout(), args[0], plan)
			}
			planText(c.OutOrStdout(), plan)
			return nil
		},
	}
	f.add(c)
	f.addNoFiles(c)
	place.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func planJSON(w io.Writer, path string, plan *graph.Plan) error {
	nodes := make([]plannedNode, len(plan.Steps))
	for i, s := range plan.Steps {
		stage, _, _ := strings.Cut(s.Node.Name, "[")
		nodes[i] = plannedNode{Name: s.Node.Name, Stage: stage, State: s.State,
			Reasons: append([]string{}, s.Reasons...), Needs: []string{}}
		for _, e := range s.Node.Needs {
			if !slices.Contains(nodes[i].Needs, e.From.Name) {
				nodes[i].Needs = append(nodes[i].Needs, e.From.Name)
			}
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // people read it too: 0.02 -> 0.01
	return encoder.Encode(planned{path, nodes})
}

func planText(w io.Writer, plan *graph.Plan) {
	widest := 0
	for _, s := range plan.Steps {
		widest = max(widest, len(s.Node.Name))
	}
	for _, s := range plan.Steps {
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-7s  %-*s  %s", s.State, widest, s.Node.Name, strings.Join(s.Reasons, "; ")), " "))
	}
	fmt.Fprintf(w, "\n%d nodes: %d done, %d to run\n", len(plan.Steps), plan.Count(graph.Done), plan.Count(graph.Run))
}
