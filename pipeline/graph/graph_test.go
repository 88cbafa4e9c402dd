package graph_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

var kind = &pipeline.Stage{Kind: "step", Revision: 1, Program: pipeline.Runner, Outputs: []string{"result"}}

// dag draws at most so many nodes, whose needs point backwards, then hands them over in any order.
func dag(t *rapid.T, most int) []*graph.Node {
	count := rapid.IntRange(1, most).Draw(t, "nodes")
	nodes := make([]*graph.Node, count)
	for i := range nodes {
		nodes[i] = &graph.Node{Name: graph.Name(rapid.SampledFrom([]string{"fit", "score", "maps"}).Draw(t, "stage"),
			[]graph.Axis{{Name: "n", Value: fmt.Sprint(i)}}), Stage: kind}
		for _, from := range rapid.SliceOfNDistinct(rapid.IntRange(0, max(0, i-1)), 0, min(i, 4), rapid.ID[int]).Draw(t, "needs") {
			nodes[i].Needs = append(nodes[i].Needs, graph.Edge{Port: "in", From: nodes[from]})
		}
	}
	return rapid.Permutation(nodes).Draw(t, "order")
}

func names(nodes []*graph.Node) []string {
	var out []string
	for _, n := range nodes {
		out = append(out, n.Name)
	}
	return out
}

// inOrder fails where a node stands before one that it needs.
func inOrder(t *rapid.T, g *graph.Graph) {
	seen := map[*graph.Node]bool{}
	for _, n := range g.Nodes {
		for _, e := range n.Needs {
			if !seen[e.From] {
				t.Fatalf("%s stands before %s, which it needs", n.Name, e.From.Name)
			}
		}
		seen[n] = true
	}
}

// Nodes come after all that they need, none is lost, the same list gives the same order, and a list that is in order
// already stays as it is.
func TestNewOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := dag(t, 25)
		given := names(nodes)
		g, err := graph.New(nodes)
		if err != nil {
			t.Fatal(err)
		}
		inOrder(t, g)
		if d := cmp.Diff(slices.Sorted(slices.Values(given)), slices.Sorted(slices.Values(names(g.Nodes)))); d != "" {
			t.Fatalf("nodes were lost or doubled:\n%s", d)
		}
		if d := cmp.Diff(given, names(nodes)); d != "" {
			t.Fatalf("the caller's list was changed:\n%s", d)
		}
		again, err := graph.New(nodes)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(names(g.Nodes), names(again.Nodes)); d != "" {
			t.Fatalf("another order the second time:\n%s", d)
		}
		sorted, err := graph.New(g.Nodes)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(names(g.Nodes), names(sorted.Nodes)); d != "" {
			t.Fatalf("a list in order was rearranged:\n%s", d)
		}
	})
}

// A cycle is named as it runs: each node in the message needs the next one.
func TestNewNamesACycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := dag(t, 25)
		length := rapid.IntRange(1, 4).Draw(t, "length")
		ring := make([]*graph.Node, length)
		for i := range ring {
			ring[i] = &graph.Node{Name: fmt.Sprintf("ring%d", i), Stage: kind}
		}
		for i, n := range ring {
			n.Needs = append(n.Needs, graph.Edge{Port: "in", From: ring[(i+1)%length]})
		}
		// One of the others may wait for the ring without being part of it.
		last := nodes[len(nodes)-1]
		last.Needs = append(last.Needs, graph.Edge{Port: "in", From: ring[0]})
		all := append(nodes, ring...)

		_, err := graph.New(all)
		if err == nil {
			t.Fatal("a cycle was ordered")
		}
		path, ok := strings.CutPrefix(err.Error(), "cycle: ")
		if !ok {
			t.Fatalf("the error does not say cycle: %v", err)
		}
		steps := strings.Split(path, " needs ")
		if len(steps) != length+1 || steps[0] != steps[length] {
			t.Fatalf("%q is not a cycle of %d", path, length)
		}
		byName := map[string]*graph.Node{}
		for _, n := range all {
			byName[n.Name] = n
		}
		for i := range length {
			next := byName[steps[i+1]]
			if !slices.ContainsFunc(byName[steps[i]].Needs, func(e graph.Edge) bool { return e.From == next }) {
				t.Fatalf("%q: %s does not need %s", path, steps[i], steps[i+1])
			}
		}
	})
}

func TestNewMissesANode(t *testing.T) {
	away := &graph.Node{Name: "data.train", Stage: kind}
	_, err := graph.New([]*graph.Node{{Name: "fit", Stage: kind, Needs: []graph.Edge{{From: away}}}})
	if want := "fit needs data.train, which is not in the graph"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// matches is what Only's pattern means, by a regular expression.
func matches(pattern, name string) bool {
	stage, _, _ := strings.Cut(name, "[")
	quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
	return pattern == stage || regexp.MustCompile("^"+quoted+"$").MatchString(name)
}

// reach adds a node and all that it needs.
func reach(n *graph.Node, found map[string]bool) {
	if !found[n.Name] {
		found[n.Name] = true
		for _, e := range n.Needs {
			reach(e.From, found)
		}
	}
}

// Only keeps what matches with all that it needs, nothing else, and the order.
func TestOnlyIsTheClosure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, err := graph.New(dag(t, 25))
		if err != nil {
			t.Fatal(err)
		}
		pattern := rapid.SampledFrom([]string{"fit", "score", "fit[*", "*n=1*", "*", "maps[n=3]", "[n=2]", "*=*1]", "f*t*", "nothing"}).Draw(t, "pattern")
		want := map[string]bool{}
		for _, n := range g.Nodes {
			if matches(pattern, n.Name) {
				reach(n, want)
			}
		}
		only, err := g.Only(pattern)
		if len(want) == 0 {
			if err == nil {
				t.Fatalf("%s matches nothing and gave %v", pattern, names(only.Nodes))
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		inOrder(t, only)
		var expected []string
		for _, n := range g.Nodes {
			if want[n.Name] {
				expected = append(expected, n.Name)
			}
		}
		if d := cmp.Diff(expected, names(only.Nodes)); d != "" {
			t.Fatalf("--only %s:\n%s", pattern, d)
		}
	})
}

func TestName(t *testing.T) {
	for want, axes := range map[string][]graph.Axis{
		"fit":                     nil,
		"fit[seed=3]":             {{Name: "seed", Value: "3"}},
		"fit[loss=cyborg,seed=3]": {{Name: "loss", Value: "cyborg"}, {Name: "seed", Value: "3"}},
	} {
		if got := graph.Name("fit", axes); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
