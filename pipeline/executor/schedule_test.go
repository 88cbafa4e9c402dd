package executor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// inside is an executor that works in this process, and sees what the scheduler hands it.
type inside struct {
	machine int            // cores
	cores   map[string]int // of each node
	fails   map[string]bool

	mu                    sync.Mutex
	finished              map[string]bool
	begun                 int
	running, mostRunning  int
	busy, mostBusy        int  // cores
	stopped               bool // something failed, and nothing is to begin any more
	tooEarly, afterFailed []string
}

func (x *inside) Execute(_ context.Context, _ pipeline.Program, attempt string) error {
	t, err := task.Read(attempt)
	if err != nil {
		return err
	}
	x.begin(t)
	time.Sleep(time.Duration(len(t.Node)%3) * 200 * time.Microsecond)
	err = succeed(context.Background(), t)
	x.end(t)
	if x.fails[t.Node] {
		return errors.New("no luck")
	}
	return err
}

func (x *inside) begin(t *task.Task) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stopped {
		x.afterFailed = append(x.afterFailed, t.Node)
	}
	for _, in := range t.Inputs["in"] {
		if !x.finished[in.Node] {
			x.tooEarly = append(x.tooEarly, fmt.Sprintf("%s before %s", t.Node, in.Node))
		}
	}
	x.begun++
	x.running++
	x.busy += min(x.cores[t.Node], x.machine)
	x.mostRunning, x.mostBusy = max(x.mostRunning, x.running), max(x.mostBusy, x.busy)
}

func (x *inside) end(t *task.Task) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.running--
	x.busy -= min(x.cores[t.Node], x.machine)
	x.finished[t.Node] = !x.fails[t.Node]
}

// Whatever the graph, and whatever fails in it: no node begins before its inputs, cores and jobs are never exceeded, with
// --keep-going all is done that does not depend on a failure, and the next run does what is left and no more.
func TestScheduleProperty(t *testing.T) {
	base, err := os.MkdirTemp("/dev/shm", "cyborg-test-*") // in memory: a store writes every file through
	if err != nil {
		base = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(base, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		st, err := store.Open(filepath.Join(dir, "store"))
		if err != nil {
			t.Fatal(err)
		}
		x := &inside{cores: map[string]int{}, finished: map[string]bool{}, fails: map[string]bool{}, machine: rapid.IntRange(1, 4).Draw(t, "cores")}
		var nodes []*graph.Node
		for i := range rapid.IntRange(1, 10).Draw(t, "nodes") {
			n := node(fmt.Sprintf("n%d", i), "succeeds")
			for _, k := range rapid.SliceOfNDistinct(rapid.IntRange(0, max(0, i-1)), 0, min(i, 3), rapid.ID[int]).Draw(t, "needs") {
				n.Needs = append(n.Needs, graph.Edge{Port: "in", From: nodes[k], Output: "result"})
			}
			n.CPUs = rapid.IntRange(1, 5).Draw(t, "cpus")
			x.cores[n.Name] = n.CPUs
			x.fails[n.Name] = rapid.IntRange(0, 5).Draw(t, "fails") == 0
			nodes = append(nodes, n)
		}
		g, err := graph.New(nodes)
		if err != nil {
			t.Fatal(err)
		}
		o := executor.Options{Jobs: rapid.IntRange(0, 3).Draw(t, "jobs"), Machine: executor.Machine{CPUs: x.machine}, KeepGoing: rapid.Bool().Draw(t, "keep going")}

		var emitting atomic.Int32
		published := map[string]bool{}
		run := func() executor.Outcome {
			p, err := graph.MakePlan(g, st, "test", graph.Machine{})
			if err != nil {
				t.Fatal(err)
			}
			clear(published)
			outcome, err := executor.Run(context.Background(), p, st, x, o, func(e task.Event) {
				if emitting.Add(1) != 1 {
					t.Error("two events at once")
				}
				if e.Type == task.NodeFailed {
					x.mu.Lock()
					x.stopped = !o.KeepGoing
					x.mu.Unlock()
				}
				emitting.Add(-1)
			}, func(s *graph.Step) error {
				for _, in := range s.Inputs() {
					if !published[in.Node.Name] {
						t.Errorf("%s is handed on before %s", s.Node.Name, in.Node.Name)
					}
				}
				published[s.Node.Name] = true
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if outcome.Done+outcome.Failed+outcome.Skipped != len(nodes) || len(outcome.Failures) != outcome.Failed || outcome.Done != len(published) {
				t.Fatalf("%d nodes, %d handed on, and %+v", len(nodes), len(published), outcome)
			}
			return outcome
		}
		outcome := run()

		if len(x.tooEarly) > 0 {
			t.Fatalf("begun too early: %v", x.tooEarly)
		}
		if x.mostBusy > x.machine || o.Jobs > 0 && x.mostRunning > o.Jobs {
			t.Fatalf("%d cores of %d and %d jobs of %d were busy at once", x.mostBusy, x.machine, x.mostRunning, o.Jobs)
		}
		most := x.machine
		if o.Jobs > 0 {
			most = min(most, o.Jobs)
		}
		if len(x.afterFailed) > most-1 { // those were on their way already
			t.Fatalf("begun after a failure: %v, of %d at a time", x.afterFailed, most)
		}
		if o.KeepGoing {
			want := map[string]bool{}
			for _, n := range g.Nodes {
				want[n.Name] = !x.fails[n.Name]
				for _, e := range n.Needs {
					want[n.Name] = want[n.Name] && want[e.From.Name]
				}
				if published[n.Name] != want[n.Name] {
					t.Fatalf("%s: done %v, want %v", n.Name, published[n.Name], want[n.Name])
				}
			}
		}
		// What failed is mended: the next run does the rest, and only that.
		clear(x.fails)
		x.stopped, x.begun = false, 0
		if again := run(); again.Done != len(nodes) || x.begun != len(nodes)-outcome.Done {
			t.Fatalf("the second run began %d nodes: %+v, after %+v", x.begun, again, outcome)
		}
	})
}

// --jobs lets several nodes share a CUDA device; without it, one at a time holds it.
func TestScheduleOfADevice(t *testing.T) {
	for _, c := range []struct {
		devices []string
		jobs    int
		want    int
	}{{[]string{"cpu"}, 0, 3}, {[]string{"cuda:0"}, 0, 1}, {[]string{"cuda:0"}, 2, 2}, {[]string{"cuda:0", "cuda:1"}, 0, 2}} {
		t.Run(fmt.Sprintf("%s_jobs_%d", strings.Join(c.devices, "_"), c.jobs), func(t *testing.T) {
			var nodes []*graph.Node
			for i := range 3 {
				n := node(fmt.Sprint("fit", i), "succeeds")
				n.GPU = true
				nodes = append(nodes, n)
			}
			h := newHouse(t, t.TempDir(), nodes...)
			together := &meeting{want: c.want, all: make(chan struct{}), first: map[string]bool{}}
			outcome, err := executor.Run(t.Context(), h.plan(), h.store, together, executor.Options{Jobs: c.jobs, Machine: executor.Machine{CPUs: 3, Devices: c.devices}},
				func(task.Event) {}, func(*graph.Step) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			if outcome.Done != 3 || together.most != c.want {
				t.Errorf("%d at once, want %d; %+v", together.most, c.want, outcome)
			}
			if len(together.first) != min(c.want, len(c.devices)) { // nodes that are done at once have one each, if they last
				t.Errorf("the first nodes worked on %v, of %v", together.first, c.devices)
			}
		})
	}
}

// A node that asks for more than there can ever be is told before anything starts; with --keep-going the others are done.
func TestRunOfTooMuch(t *testing.T) {
	large := node("large", "succeeds")
	large.Resources.Memory = 64 << 30
	h := newHouse(t, t.TempDir(), node("small", "succeeds"), large, node("score", "succeeds", large))
	o := executor.Options{Machine: executor.Machine{CPUs: 2, Memory: 16 << 30}}
	const why = "it asks for 64GiB of memory by resources.memory, and there are 16GiB"
	outcome := h.run(t.Context(), o)
	if outcome.Done != 0 || outcome.Failed != 1 || outcome.Skipped != 2 || outcome.Failures[0] != (executor.Failure{Node: "large", Reason: why}) {
		t.Errorf("%+v", outcome)
	}
	if said := h.said(task.NodeStarted); len(said) > 0 {
		t.Errorf("begun all the same: %v", said)
	}
	o.KeepGoing = true
	if outcome := h.run(t.Context(), o); outcome.Done != 1 || outcome.Failed != 1 || outcome.Skipped != 1 {
		t.Errorf("%+v", outcome)
	}
}

// Nodes that wait for memory are told of, and when none does any more.
func TestRunTellsWhatNodesWaitFor(t *testing.T) {
	a, b := node("a", "succeeds"), node("b", "succeeds")
	a.Resources.Memory, b.Resources.Memory = 10<<30, 10<<30
	h := newHouse(t, t.TempDir(), a, b)
	if outcome := h.run(t.Context(), executor.Options{Machine: executor.Machine{CPUs: 2, Memory: 16 << 30}}); outcome.Done != 2 {
		t.Fatalf("%+v", outcome)
	}
	if d := cmp.Diff([]string{"run waits : 1 node waits for memory", "run waits "}, h.said(task.RunWaits)); d != "" {
		t.Error(d)
	}
}

// meeting is an executor whose first workers wait until as many as are wanted are there.
type meeting struct {
	mu         sync.Mutex
	want       int
	here, most int
	all        chan struct{}
	met        bool
	first      map[string]bool // devices of those that meet
}

func (m *meeting) Execute(ctx context.Context, _ pipeline.Program, attempt string) error {
	t, err := task.Read(attempt)
	if err != nil {
		return err
	}
	m.mu.Lock()
	if !m.met {
		m.first[t.Device] = true
	}
	m.here++
	m.most = max(m.most, m.here)
	if m.here == m.want && !m.met {
		m.met = true
		close(m.all)
	}
	m.mu.Unlock()
	<-m.all
	err = succeed(ctx, t)
	m.mu.Lock()
	m.here--
	m.mu.Unlock()
	return err
}
