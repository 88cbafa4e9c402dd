// Package graph is the DAG of a run: nodes, what each needs, and an order in which they can be done.
package graph

import (
	"container/heap"
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// Node is one stage with its matrix values.
type Node struct {
	Name   string
	Stage  *pipeline.Stage
	Axes   []Axis
	Params any // what the worker gets as JSON; part of the key
	How    any // what the worker gets beside Params and which changes no result, such as how often to save; not in the key
	Needs  []Edge
	Files  []string // the user's files that this node reads; their bytes are part of the key
	CPUs   int      // cores that it keeps busy, at least 1
	GPU    bool     // works on the run's device
	Pos    diag.Pos // where the spec declares it

	Title   string            // what reasons call it, "dataset train"; empty: its name
	Section string            // where the spec has its parameters, "datasets.train"; empty: its stage's kind
	Other   map[string]string // where it has those that are not there: {"terms": "losses.cyborg"}

	spec.Handling // resources, tries and limits; not in the key

	params func() ([]store.Part, error) // parts of Params, where it is settled
}

// Settle says that the Params of nodes are as they stay. Their parts of the key are made on another core while the graph is
// built further, so that a plan of many nodes is there sooner.
func Settle(nodes []*Node) {
	for _, n := range nodes {
		n.params = sync.OnceValues(n.paramParts)
	}
	go func() {
		for _, n := range nodes {
			_, _ = n.params() // whoever asks for the parts gets the error
		}
	}()
}

func (n *Node) paramParts() ([]store.Part, error) { return store.ParamParts("params", n.Params) }

// Axis is one matrix value of a node.
type Axis struct{ Name, Value string }

// Edge is one input: an output of another node, handed to the worker under the port's name.
type Edge struct {
	Port   string
	From   *Node
	Output string // below the other node's out/; empty: the whole folder
}

// Name is the node name of a stage with these matrix values: stage[a=1,b=x].
func Name(stage string, axes []Axis) string {
	if len(axes) == 0 {
		return stage
	}
	parts := make([]string, len(axes))
	for i, a := range axes {
		parts[i] = a.Name + "=" + a.Value
	}
	return stage + "[" + strings.Join(parts, ",") + "]"
}

// Axis is the value of one axis; ok is false where the node does not have it.
func (n *Node) Axis(name string) (value string, ok bool) {
	for _, a := range n.Axes {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// AxisMap is the axes as a map.
func (n *Node) AxisMap() map[string]string {
	m := make(map[string]string, len(n.Axes))
	for _, a := range n.Axes {
		m[a.Name] = a.Value
	}
	return m
}

// Graph is a set of nodes closed under Needs, in an order in which every node comes after all that it needs.
type Graph struct{ Nodes []*Node }

// New orders the nodes. Among nodes that are free to go, the given order is kept, so that the same spec always gives
// the same graph. It fails on a cycle and names it.
func New(nodes []*Node) (*Graph, error) {
	place := make(map[*Node]int, len(nodes))
	for i, n := range nodes {
		place[n] = i
	}
	waits := make([]int, len(nodes))
	next := make([][]int, len(nodes))
	for i, n := range nodes {
		for _, e := range n.Needs {
			from, ok := place[e.From]
			if !ok {
				return nil, fmt.Errorf("%s needs %s, which is not in the graph", n.Name, e.From.Name)
			}
			next[from] = append(next[from], i)
			waits[i]++
		}
	}
	ready := &queue{}
	for i := range nodes {
		if waits[i] == 0 {
			heap.Push(ready, i)
		}
	}
	sorted := make([]*Node, 0, len(nodes))
	for ready.Len() > 0 {
		i := heap.Pop(ready).(int)
		sorted = append(sorted, nodes[i])
		for _, j := range next[i] {
			if waits[j]--; waits[j] == 0 {
				heap.Push(ready, j)
			}
		}
	}
	if len(sorted) < len(nodes) {
		return nil, fmt.Errorf("cycle: %s", strings.Join(cycle(nodes, waits), " needs "))
	}
	return &Graph{Nodes: sorted}, nil
}

// cycle walks needs among the nodes that could not be ordered until one comes again.
func cycle(nodes []*Node, waits []int) []string {
	stuck := make(map[*Node]bool)
	var at *Node
	for i, n := range nodes {
		if waits[i] > 0 {
			stuck[n] = true
			if at == nil {
				at = n
			}
		}
	}
	seen := make(map[*Node]int)
	var path []string
	for {
		if first, again := seen[at]; again {
			return append(path[first:], at.Name)
		}
		seen[at] = len(path)
		path = append(path, at.Name)
		for _, e := range at.Needs {
			if stuck[e.From] {
				at = e.From
				break
			}
		}
	}
}

// Find is the node of that name.
func (g *Graph) Find(name string) (*Node, bool) {
	for _, n := range g.Nodes {
		if n.Name == name {
			return n, true
		}
	}
	return nil, false
}

// Only keeps the nodes whose name matches the pattern, and all that they need.
func (g *Graph) Only(pattern string) (*Graph, error) {
	keep := make(map[*Node]bool)
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := g.Nodes[i]
		if keep[n] || Matches(pattern, n.Name) {
			keep[n] = true
			for _, e := range n.Needs {
				keep[e.From] = true
			}
		}
	}
	if len(keep) == 0 {
		return nil, fmt.Errorf("no node is called %q; there are: %s", pattern, strings.Join(g.Stages(), ", "))
	}
	out := &Graph{}
	for _, n := range g.Nodes {
		if keep[n] {
			out.Nodes = append(out.Nodes, n)
		}
	}
	return out, nil
}

// Matching are the nodes that a pattern of Only names.
func (g *Graph) Matching(pattern string) []*Node {
	var out []*Node
	for _, n := range g.Nodes {
		if Matches(pattern, n.Name) {
			out = append(out, n)
		}
	}
	return out
}

// Stages lists the distinct stage names, in order.
func (g *Graph) Stages() []string {
	var names []string
	seen := make(map[string]bool)
	for _, n := range g.Nodes {
		stage, _, _ := strings.Cut(n.Name, "[")
		if !seen[stage] {
			seen[stage] = true
			names = append(names, stage)
		}
	}
	return names
}

// Matches tells whether a pattern names a node. Its * matches any text; every other character stands for itself, brackets
// included; without * a stage's name matches all of its nodes.
func Matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		stage, _, _ := strings.Cut(name, "[")
		return pattern == name || pattern == stage
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return strings.HasSuffix(name, parts[len(parts)-1])
}

// queue is a heap of places, so that the given order decides among free nodes.
type queue struct{ sort.IntSlice }

func (q *queue) Push(x any) { q.IntSlice = append(q.IntSlice, x.(int)) }

func (q *queue) Pop() any {
	last := len(q.IntSlice) - 1
	x := q.IntSlice[last]
	q.IntSlice = q.IntSlice[:last]
	return x
}
