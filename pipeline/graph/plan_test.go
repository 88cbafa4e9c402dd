package graph_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// bench is a run without workers: doing a node writes its parameters and what its inputs hold.
type bench struct {
	t       rapid.TB
	store   *store.Store
	machine graph.Machine
}

func newBench(t rapid.TB, dir string) *bench {
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, store: st, machine: graph.Machine{Device: "cpu", Libtorch: "2.11.0"}}
}

func (b *bench) plan(g *graph.Graph) *graph.Plan {
	b.t.Helper()
	p, err := graph.MakePlan(g, b.store, "test", b.machine)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// do makes a step's artifact; all that it needs must be done.
func (b *bench) do(p *graph.Plan, s *graph.Step) {
	b.t.Helper()
	if p.Look(s); s.State == graph.Done {
		return
	}
	if s.Key == "" {
		b.t.Fatalf("%s cannot be done yet: %v", s.Node.Name, s.Reasons)
	}
	content, err := json.Marshal(s.Node.Params)
	if err != nil {
		b.t.Fatal(err)
	}
	for i, in := range s.Inputs() {
		text, err := os.ReadFile(in.Artifact.Path(s.Node.Needs[i].Output))
		if err != nil {
			b.t.Fatal(err)
		}
		content = append(content, text...)
	}
	try, err := b.store.Begin(s.Key)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(try.Dir, "out", "result"), content, 0o644); err != nil {
		b.t.Fatal(err)
	}
	if _, err := try.Commit(store.Manifest{Node: s.Node.Name, Kind: s.Node.Stage.Kind, Parts: s.Parts}, s.Node.Stage.Outputs); err != nil {
		b.t.Fatal(err)
	}
	if p.Look(s); s.State != graph.Done {
		b.t.Fatalf("%s is not done right after it was done: %v", s.Node.Name, s.Reasons)
	}
}

func (b *bench) doAll(g *graph.Graph) {
	b.t.Helper()
	p := b.plan(g)
	for _, s := range p.Steps {
		b.do(p, s)
	}
	if err := p.Remember("test"); err != nil {
		b.t.Fatal(err)
	}
}

type settings struct {
	LR     float64 `json:"lr"`
	Epochs int     `json:"epochs"`
}

// chain is data <- fit <- score, where the user's file is part of data and fit uses tensors.
func chain(t testing.TB, file string, change func(data, fit, score *graph.Node)) *graph.Graph {
	t.Helper()
	tensors := &pipeline.Stage{Kind: "train", Revision: 1, Program: pipeline.Torch, Tensors: true, Outputs: []string{"result"}}
	data := &graph.Node{Name: "data", Stage: kind, Params: map[string]any{"side": 96}, Files: []string{file}, CPUs: 1}
	fit := &graph.Node{Name: "fit", Stage: tensors, Params: settings{LR: 0.02, Epochs: 2}, CPUs: 1,
		Needs: []graph.Edge{{Port: "data", From: data, Output: "result"}}}
	score := &graph.Node{Name: "score", Stage: kind, Params: map[string]any{}, CPUs: 1,
		Needs: []graph.Edge{{Port: "model", From: fit, Output: "result"}}}
	if change != nil {
		change(data, fit, score)
	}
	g, err := graph.New([]*graph.Node{data, fit, score})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// What is done stays done; what changed runs again, with all that depends on it, and the plan says why.
func TestPlanSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(data, fit, score *graph.Node)
		also   func(t *testing.T, b *bench, file string)
		want   []string
	}{
		"nothing":         {want: []string{"done data", "done fit", "done score"}},
		"a_parameter":     {change: func(_, fit, _ *graph.Node) { fit.Params = settings{LR: 0.01, Epochs: 2} }, want: []string{"done data", "stale fit: train.lr 0.02 -> 0.01", "stale score: fit: train.lr 0.02 -> 0.01"}},
		"two_parameters":  {change: func(_, fit, _ *graph.Node) { fit.Params = settings{LR: 0.01, Epochs: 3} }, want: []string{"done data", "stale fit: train.epochs 2 -> 3; train.lr 0.02 -> 0.01", "stale score: fit: train.epochs 2 -> 3; train.lr 0.02 -> 0.01"}},
		"a_new_parameter": {change: func(_, _, score *graph.Node) { score.Params = map[string]any{"batch": 5} }, want: []string{"done data", "done fit", "stale score: step.batch: 5 is new"}},
		"a_lost_parameter": {
			change: func(data, _, _ *graph.Node) { data.Params = map[string]any{} },
			want:   []string{"stale data: step.side is gone", "stale fit: data: step.side is gone", "stale score: data: step.side is gone"},
		},
		"many_parameters": {
			change: func(_, _, score *graph.Node) {
				score.Params = map[string]any{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1}
			},
			want: []string{"done data", "done fit", "stale score: step.a: 1 is new; step.b: 1 is new; step.c: 1 is new; step.d: 1 is new; and 3 more changes"},
		},
		"the_revision": {
			change: func(_, _, score *graph.Node) {
				score.Stage = &pipeline.Stage{Kind: "step", Revision: 2, Outputs: []string{"result"}}
			},
			want: []string{"done data", "done fit", "stale score: stage step revision 1 -> step revision 2"},
		},
		"the_users_file": {
			also: func(t *testing.T, _ *bench, file string) {
				if err := os.WriteFile(file, []byte("other rows"), 0o644); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"stale data: file FILE changed", "stale fit: data: file FILE changed", "stale score: data: file FILE changed"},
		},
		"how": { // to do it changes no result
			change: func(_, fit, _ *graph.Node) { fit.How = map[string]any{"every": "10s"} },
			want:   []string{"done data", "done fit", "done score"},
		},
		"threads":  {change: func(_, fit, _ *graph.Node) { fit.CPUs = 2 }, want: []string{"done data", "stale fit: threads 1 -> 2", "stale score: fit: threads 1 -> 2"}},
		"a_device": {also: func(_ *testing.T, b *bench, _ string) { b.machine.Device = "cuda" }, want: []string{"done data", "stale fit: device cpu -> cuda", "stale score: fit: device cpu -> cuda"}},
		"libtorch": {also: func(_ *testing.T, b *bench, _ string) { b.machine.Libtorch = "3.0" }, want: []string{"done data", "stale fit: libtorch 2.11.0 -> 3.0", "stale score: fit: libtorch 2.11.0 -> 3.0"}},
		"a_new_node": {
			change: func(_, _, score *graph.Node) { score.Name = "score2" },
			want:   []string{"done data", "done fit", "done score2"}, // the same work under another name
		},
		"a_deleted_artifact": {
			also: func(t *testing.T, b *bench, file string) {
				p := b.plan(chain(t, file, nil))
				if err := b.store.Remove(p.Steps[1].Key); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"done data", "stale fit: its artifact was deleted", "stale score: fit: its artifact was deleted"},
		},
		"a_deleted_output": {
			also: func(t *testing.T, b *bench, file string) {
				if err := os.Remove(b.plan(chain(t, file, nil)).Steps[1].Artifact.Path("result")); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"done data", "stale fit: output result was deleted", "stale score: fit: output result was deleted"},
		},
		"a_damaged_output": {
			also: func(t *testing.T, b *bench, file string) {
				path := b.plan(chain(t, file, nil)).Steps[1].Artifact.Path("result")
				damage(t, path)
			},
			want: []string{"done data", "stale fit: output result was changed", "stale score: fit: output result was changed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "rows.csv")
			if err := os.WriteFile(file, []byte("rows"), 0o644); err != nil {
				t.Fatal(err)
			}
			b := newBench(t, filepath.Join(dir, "store"))
			if d := cmp.Diff([]string{"run data: never done", "run fit: never done", "run score: never done"}, said(b.plan(chain(t, file, nil)))); d != "" {
				t.Fatalf("before anything was done:\n%s", d)
			}
			b.doAll(chain(t, file, nil))
			if c.also != nil {
				c.also(t, b, file)
			}
			got := said(b.plan(chain(t, file, c.change)))
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], file, "FILE")
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func said(p *graph.Plan) []string {
	var out []string
	for _, s := range p.Steps {
		line := string(s.State) + " " + s.Node.Name
		if len(s.Reasons) > 0 {
			line += ": " + strings.Join(s.Reasons, "; ")
		}
		out = append(out, line)
	}
	return out
}

func damage(t rapid.TB, path string) {
	t.Helper()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o444); err != nil {
		t.Fatal(err)
	}
}

// An input that comes out with the same bytes runs nothing behind it.
func TestPlanStopsAtEqualBytes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(file, []byte("rows"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, filepath.Join(dir, "store"))
	b.doAll(chain(t, file, nil))
	if err := os.WriteFile(file, []byte("a comment more"), 0o644); err != nil { // the bench's work does not read it
		t.Fatal(err)
	}
	p := b.plan(chain(t, file, nil))
	if p.Steps[0].State != graph.Stale || p.Steps[1].State != graph.Stale {
		t.Fatalf("%v", said(p))
	}
	b.do(p, p.Steps[0])
	p.Look(p.Steps[1])
	if p.Steps[1].State != graph.Done {
		t.Errorf("fit: %s %v", p.Steps[1].State, p.Steps[1].Reasons)
	}
}

// Whatever is done, damaged or changed, a step is Done only when all that it needs is, a plan that was carried out in its
// order leaves nothing to do, and a step that is to run says why.
func TestPlanProperty(t *testing.T) {
	dir := inMemory(t)
	rapid.Check(t, func(t *rapid.T) {
		folder, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(folder)
		b := newBench(t, folder)
		nodes := dag(t, 6)
		for i, n := range nodes {
			n.Params = map[string]any{"i": i, "v": 0}
			for k := range n.Needs {
				n.Needs[k].Output = "result"
			}
		}
		g, err := graph.New(nodes)
		if err != nil {
			t.Fatal(err)
		}
		t.Repeat(map[string]func(*rapid.T){
			"do the next": func(t *rapid.T) {
				p := b.plan(g)
				for _, s := range p.Steps {
					if s.State != graph.Done {
						b.do(p, s)
						break
					}
				}
			},
			"do all": func(t *rapid.T) { b.doAll(g) },
			"change a parameter": func(t *rapid.T) {
				n := rapid.SampledFrom(g.Nodes).Draw(t, "node")
				n.Params = map[string]any{"i": n.Params.(map[string]any)["i"], "v": rapid.IntRange(0, 2).Draw(t, "v")}
			},
			"damage": func(t *rapid.T) {
				p := b.plan(g)
				if s := rapid.SampledFrom(p.Steps).Draw(t, "step"); s.State == graph.Done {
					damage(t, s.Artifact.Path("result"))
				}
			},
			"": func(t *rapid.T) {
				p := b.plan(g)
				if p.Count(graph.Done)+p.Count(graph.Run)+p.Count(graph.Stale) != len(g.Nodes) {
					t.Fatalf("%v", said(p))
				}
				for _, s := range p.Steps {
					if (s.State != graph.Done) != (len(s.Reasons) > 0) {
						t.Fatalf("%s is %s because %v", s.Node.Name, s.State, s.Reasons)
					}
					for _, in := range s.Inputs() {
						if s.State == graph.Done && in.State != graph.Done {
							t.Fatalf("%s is done, and %s, which it needs, is not", s.Node.Name, in.Node.Name)
						}
					}
				}
			},
		})
		b.doAll(g)
		if p := b.plan(g); p.Left() != 0 {
			t.Fatalf("after all was done: %v", said(p))
		}
	})
}

// inMemory is a folder that costs no disk where there is one: a store writes every file through, and a property does so
// thousands of times.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "cyborg-test-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// BenchmarkPlan is a plan of 10,000 nodes, none of them done.
func BenchmarkPlan(b *testing.B) {
	nodes := []*graph.Node{{Name: "data", Stage: kind, Params: map[string]any{"side": 96}}}
	for i := range 9_999 {
		nodes = append(nodes, &graph.Node{Name: fmt.Sprintf("fit[seed=%d]", i), Stage: kind, Params: settings{LR: 0.02, Epochs: i},
			Needs: []graph.Edge{{Port: "data", From: nodes[0], Output: "result"}}})
	}
	for b.Loop() {
		g, err := graph.New(nodes)
		if err != nil {
			b.Fatal(err)
		}
		newBench(b, b.TempDir()).plan(g)
	}
}

// A failure is never kept: what was begun and not committed is still to run.
func TestPlanForgetsFailures(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(file, []byte("rows"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, filepath.Join(dir, "store"))
	p := b.plan(chain(t, file, nil))
	try, err := b.store.Begin(p.Steps[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := try.Commit(store.Manifest{Node: "data"}, []string{"result"}); err == nil {
		t.Fatal("an attempt without its output was taken")
	}
	if err := p.Remember("test"); err != nil {
		t.Fatal(err)
	}
	if got := said(b.plan(chain(t, file, nil)))[0]; got != "run data: never done" {
		t.Error(got)
	}
}

// Files and inputs are counted, fields are named; many nodes that share a cause name the one in which it lies.
func TestPlanCounts(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		files = append(files, filepath.Join(dir, name+".png"))
		if err := os.WriteFile(files[len(files)-1], []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	make := func(files []string, fits int) *graph.Graph {
		data := &graph.Node{Name: "data.train", Title: "dataset train", Section: "datasets.train", Stage: kind,
			Params: map[string]any{"side": 96}, Files: files}
		nodes := []*graph.Node{data}
		table := &graph.Node{Name: "table", Stage: kind, Params: map[string]any{}}
		for i := range fits {
			fit := &graph.Node{Name: fmt.Sprintf("fit[seed=%d]", i+1), Stage: kind, Params: settings{LR: 0.02},
				Needs: []graph.Edge{{Port: "data", From: data, Output: "result"}}}
			table.Needs = append(table.Needs, graph.Edge{Port: "runs", From: fit, Output: "result"})
			nodes = append(nodes, fit)
		}
		g, err := graph.New(append(nodes, table))
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	b := newBench(t, filepath.Join(dir, "store"))
	b.doAll(make(files[:4], 2))
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), []byte("other"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := b.plan(make([]string{files[0], files[1], files[4]}, 3))
	const cause = "2 files changed, first DIR/a.png; 1 is new, DIR/e.png; 2 are gone, first DIR/c.png"
	want := []string{
		"stale data.train: " + cause,
		"stale fit[seed=1]: dataset train: " + cause,
		"stale fit[seed=2]: dataset train: " + cause,
		"run fit[seed=3]: never done",
		"stale table: input fit[seed=3] is new; dataset train: " + cause + "; fit[seed=3]: never done",
	}
	got := said(p)
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], dir, "DIR")
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if changes := p.Changes(p.Steps[0]); len(changes) != 5 {
		t.Errorf("%+v, want each file", changes)
	}
	if roots := p.Roots(p.Steps[1]); len(roots) != 1 || roots[0] != p.Steps[0] {
		t.Errorf("%v, want the data set alone", roots)
	}
}

// What cannot be done here blocks what needs it, but not what is done.
func TestPlanBlocked(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(file, []byte("rows"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, filepath.Join(dir, "store"))
	b.machine.Missing = map[pipeline.Program]string{pipeline.Torch: "there is no cyborg-torch"}
	want := []string{"run data: never done", "blocked fit: there is no cyborg-torch", "blocked score: needs fit, which cannot be done"}
	if d := cmp.Diff(want, said(b.plan(chain(t, file, nil)))); d != "" {
		t.Error(d)
	}
	b.doAll(chain(t, file, nil))
	if d := cmp.Diff([]string{"done data", "done fit", "done score"}, said(b.plan(chain(t, file, nil)))); d != "" {
		t.Error(d)
	}
}

// Where files are not at hand they are what they were: nodes are done, and what else changed in them is told as ever.
func TestPlanAsKnown(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "list.csv")
	if err := os.WriteFile(file, []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, filepath.Join(dir, "store"))
	defer b.store.Close()
	b.doAll(chain(t, file, nil))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(data, fit, score *graph.Node)
		run    string
		want   string
	}{
		"nothing":       {want: "done done done"},
		"a_parameter":   {change: func(_, fit, _ *graph.Node) { fit.Params = settings{LR: 0.01} }, want: "done stale stale"},
		"another_run":   {run: "other", want: "run run run"},
		"of_the_reader": {change: func(data, _, _ *graph.Node) { data.Params = map[string]any{"side": 32} }, want: "stale stale stale"},
	} {
		t.Run(name, func(t *testing.T) {
			g := chain(t, file, func(data, fit, score *graph.Node) {
				data.Files = nil // as in a graph that was built without files
				if c.change != nil {
					c.change(data, fit, score)
				}
			})
			run := c.run
			if run == "" {
				run = "test"
			}
			p, err := graph.MakePlanAsKnown(g, b.store, run, b.machine)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range p.Steps {
				got = append(got, string(s.State))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
}
