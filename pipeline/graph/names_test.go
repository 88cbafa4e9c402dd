package graph_test

import (
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

// What another spec, or another stage, made of the same bytes is taken up whatever it was called there, but for stages that
// read the names of what they gather.
func TestNamesOfInputsCountWhereTheyAreRead(t *testing.T) {
	kind := func(name string, named bool) *pipeline.Stage {
		return &pipeline.Stage{Kind: name, Revision: 1, Program: pipeline.Runner, Named: named, Outputs: []string{"result"}}
	}
	data, score, gather := kind("prepare", false), kind("evaluate", false), kind("summary", true)
	build := func(dataName, scoreName, tableName string) *graph.Graph {
		from := &graph.Node{Name: dataName, Stage: data, Params: settings{LR: 1}}
		scored := &graph.Node{Name: scoreName, Stage: score, Params: settings{LR: 2},
			Needs: []graph.Edge{{Port: "data", From: from, Output: "result"}, {Port: "model", From: from, Output: "result"}}}
		table := &graph.Node{Name: tableName, Stage: gather, Params: settings{LR: 3},
			Needs: []graph.Edge{{Port: "scores", From: scored, Output: "result"}}}
		g, err := graph.New([]*graph.Node{from, scored, table})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	b := newBench(t, t.TempDir())
	b.doAll(build("data.train", "score[seed=1]", "table"))
	for _, c := range []struct {
		data, score, table string
		left               int
	}{
		{"data.train", "score[seed=1]", "table", 0},
		{"data.train_7x", "score[seed=1]", "table", 0},
		{"data.train_7x", "score[seed=2]", "table", 1},
		{"data.train", "score[seed=1]", "all", 1},
	} {
		p := b.plan(build(c.data, c.score, c.table))
		if p.Left() != c.left {
			for _, s := range p.Steps {
				t.Logf("%s: %s %v", s.Node.Name, s.State, s.Reasons)
			}
			t.Errorf("%s, %s, %s: %d nodes are left to do, want %d", c.data, c.score, c.table, p.Left(), c.left)
		}
	}
}
