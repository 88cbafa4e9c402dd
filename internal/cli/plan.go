package cli

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
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
	Name    string         `json:"name"`
	Stage   string         `json:"stage"`
	State   graph.State    `json:"state"`
	Reasons []string       `json:"reasons"`
	Changes []graph.Change `json:"changes,omitempty"` // of its own fields, against the last run that is known
	Roots   []string       `json:"roots,omitempty"`   // nodes in which the reason lies
	Needs   []string       `json:"needs"`
}

func planCommand() *cobra.Command {
	var f specFlags
	var place placeFlags
	var asJSON, all bool
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
			if asJSON {
				err = planJSON(c.OutOrStdout(), args[0], plan)
			} else {
				err = planText(c.OutOrStdout(), plan, all)
			}
			return closed(st, err)
		},
	}
	f.add(c)
	f.addNoFiles(c)
	place.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&all, "all", false, "a line for each node, however many of a stage are alike")
	return c
}

// closed closes a store behind a command's work.
func closed(st io.Closer, err error) error {
	if closing := st.Close(); err == nil && closing != nil {
		return exit{ExitFailed, closing}
	}
	return err
}

func planJSON(w io.Writer, path string, plan *graph.Plan) error {
	nodes := make([]plannedNode, len(plan.Steps))
	for i, s := range plan.Steps {
		nodes[i] = plannedNode{Name: s.Node.Name, Stage: stageOf(s), State: s.State,
			Reasons: append([]string{}, s.Reasons...), Needs: needs(s)}
		if s.State == graph.Done {
			continue
		}
		nodes[i].Changes = plan.Changes(s)
		for _, root := range plan.Roots(s) {
			nodes[i].Roots = append(nodes[i].Roots, root.Node.Name)
		}
	}
	return printJSON(w, planned{path, nodes})
}

func needs(s *graph.Step) []string {
	names, seen := []string{}, map[*graph.Node]bool{} // a table may need thousands
	for _, e := range s.Node.Needs {
		if !seen[e.From] {
			seen[e.From] = true
			names = append(names, e.From.Name)
		}
	}
	return names
}

func stageOf(s *graph.Step) string {
	stage, _, _ := strings.Cut(s.Node.Name, "[")
	return stage
}

// alike is from how many neighbours of one stage, in one state for reasons of one form, on a plan shows them as one line.
const alike = 20

func planText(out io.Writer, plan *graph.Plan, all bool) error {
	type row struct{ state, name, why string }
	var rows []row
	for i := 0; i < len(plan.Steps); {
		s := plan.Steps[i]
		end := i + 1
		for end < len(plan.Steps) && !all && same(s, plan.Steps[end]) {
			end++
		}
		name, why := s.Node.Name, strings.Join(s.Reasons, "; ")
		if end-i < alike {
			end = i + 1
		} else {
			name = fmt.Sprintf("%s .. %s (%d nodes)", s.Node.Name, plan.Steps[end-1].Node.Name, end-i)
			if slices.ContainsFunc(plan.Steps[i:end], func(o *graph.Step) bool { return !slices.Equal(o.Reasons, s.Reasons) }) {
				why = form(s)
			}
		}
		rows = append(rows, row{string(s.State), name, why})
		i = end
	}
	widest := 0
	for _, r := range rows {
		widest = max(widest, len(r.name))
	}
	w := bufio.NewWriter(out)
	for _, r := range rows {
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-7s  %-*s  %s", r.state, widest, r.name, r.why), " "))
	}
	fmt.Fprintf(w, "\n%d nodes: %d done, %d to run", len(plan.Steps), plan.Count(graph.Done), plan.Count(graph.Run))
	for _, state := range []graph.State{graph.Stale, graph.Blocked} {
		if n := plan.Count(state); n > 0 {
			fmt.Fprintf(w, ", %d %s", n, state)
		}
	}
	fmt.Fprintln(w)
	return w.Flush()
}

func same(a, b *graph.Step) bool {
	return a.State == b.State && stageOf(a) == stageOf(b) && (slices.Equal(a.Reasons, b.Reasons) || form(a) == form(b))
}

// form is a step's reasons without the matrix values of the nodes in them: each of a thousand scores is stale because of
// a training of its own.
func form(s *graph.Step) string {
	return cellOf.ReplaceAllString(strings.Join(s.Reasons, "; "), "[...]")
}

var cellOf = regexp.MustCompile(`\[[^]\[]*\]`)
