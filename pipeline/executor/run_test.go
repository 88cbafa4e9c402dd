package executor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// house is a store with a graph to be done in it.
type house struct {
	t      testing.TB
	store  *store.Store
	graph  *graph.Graph
	local  *executor.Local
	events []task.Event
	done   []string
	watch  func(task.Event)
}

// node makes a node whose worker behaves like its kind.
func node(name, kind string, from ...*graph.Node) *graph.Node {
	n := &graph.Node{Name: name, CPUs: 1, Params: map[string]string{"of": name},
		Stage: &pipeline.Stage{Kind: kind, Revision: 1, Program: pipeline.Torch, Outputs: []string{"result"}}}
	for _, f := range from {
		n.Needs = append(n.Needs, graph.Edge{Port: "in", From: f, Output: "result"})
	}
	return n
}

func newHouse(t testing.TB, dir string, nodes ...*graph.Node) *house {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	g, err := graph.New(nodes)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &house{t: t, store: st, graph: g, local: &executor.Local{
		Programs: map[pipeline.Program]string{pipeline.Torch: self}, Env: []string{"CYBORG_TEST_WORKER=1", "GORACE=atexit_sleep_ms=0"}}} // a worker under -race would wait a second
}

func (h *house) plan() *graph.Plan {
	h.t.Helper()
	p, err := graph.MakePlan(h.graph, h.store, "test", graph.Machine{Device: "cpu"})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) run(ctx context.Context, o executor.Options) executor.Outcome {
	h.t.Helper()
	h.events, h.done = nil, nil
	if o.CPUs == 0 {
		o.CPUs = 2
	}
	outcome, err := executor.Run(ctx, h.plan(), h.store, h.local, o, func(e task.Event) {
		h.events = append(h.events, e)
		if h.watch != nil {
			h.watch(e)
		}
	}, func(s *graph.Step) error {
		h.done = append(h.done, s.Node.Name)
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return outcome
}

// said is the events as short lines, without what only the clock decides.
func (h *house) said(types ...task.Type) []string {
	var out []string
	for _, e := range h.events {
		for _, want := range types {
			if e.Type == want {
				out = append(out, strings.TrimSuffix(fmt.Sprintf("%s %s: %s", e.Type, e.Node, e.Message), ": "))
			}
		}
	}
	return out
}

func (h *house) result(name string) string {
	h.t.Helper()
	for _, s := range h.plan().Steps {
		if s.Node.Name == name && s.Artifact != nil {
			raw, err := os.ReadFile(s.Artifact.Path("result"))
			if err != nil {
				h.t.Fatal(err)
			}
			return string(raw)
		}
	}
	h.t.Fatalf("%s is not done", name)
	return ""
}

// attempt is the folder of a step that is not done.
func (h *house) attempt(name string) string {
	for _, s := range h.plan().Steps {
		if s.Node.Name == name {
			return filepath.Join(h.store.Dir(), "attempts", string(s.Key))
		}
	}
	h.t.Fatalf("no node %s", name)
	return ""
}

// How a node is done reaches its worker beside its parameters.
func TestRunTellsHow(t *testing.T) {
	plain, told := node("plain", "says_how"), node("told", "says_how")
	told.How = map[string]int{"steps": 5}
	h := newHouse(t, t.TempDir(), plain, told)
	h.run(t.Context(), executor.Options{})
	if got := h.result("plain") + "; " + h.result("told"); got != "map[steps:7]; map[steps:5]" {
		t.Errorf("plain, where the worker's own are 7 steps, and told 5: %s", got)
	}
}

// A chain is done in order, each node gets what the one before left, and a second run does nothing.
func TestRun(t *testing.T) {
	data := node("data", "succeeds")
	fit := node("fit", "speaks", data)
	fit.CPUs = 8 // more than there are: it runs alone, with the threads that its key names
	h := newHouse(t, t.TempDir(), data, fit, node("score", "succeeds", fit, data))

	outcome := h.run(t.Context(), executor.Options{Machine: executor.Machine{Devices: []string{"cpu"}}})
	if d := cmp.Diff(executor.Outcome{Done: 3}, outcome); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"data", "fit", "score"}, h.done); d != "" {
		t.Error(d)
	}
	want := "score of score\nfit of fit\ndata of data\ndata of data\n"
	if got := h.result("score"); got != want {
		t.Errorf("score got %q, want %q", got, want)
	}
	if d := cmp.Diff([]string{
		"node started data: never done", "node done data", "node started fit: never done", "warning fit: two images have no map",
		"node done fit", "node started score: never done", "node done score",
	}, h.said(task.NodeStarted, task.NodeDone, task.NodeFailed, task.NodeSkipped, task.Warning)); d != "" {
		t.Error(d)
	}
	last := task.Event{}
	for _, e := range h.events {
		if e.Type == task.Progress {
			last = e
		}
	}
	if last.Done != 50 || last.Of != 50 || last.Unit != "steps" || last.Facts["loss"] != 0.5 || last.Node != "fit" {
		t.Errorf("the last progress is %+v", last)
	}
	step := h.plan().Steps[1]
	if step.Artifact.Environment["libtorch"] != "2.11.0" {
		t.Errorf("the artifact's environment is %v", step.Artifact.Environment)
	}
	raw, err := os.ReadFile(filepath.Join(step.Artifact.Dir, "task.json"))
	if err != nil {
		t.Fatal(err)
	}
	var written task.Task
	if err := json.Unmarshal(raw, &written); err != nil {
		t.Fatal(err)
	}
	if written.Threads != 8 || written.Device != "cpu" || written.Kind != "speaks" {
		t.Errorf("the task was %s", raw)
	}

	if d := cmp.Diff(executor.Outcome{Done: 3}, h.run(t.Context(), executor.Options{})); d != "" {
		t.Error(d)
	}
	if len(h.events) != 0 {
		t.Errorf("the second run did something: %v", h.events)
	}
}

// However a worker ends, the run says how, goes on, and keeps no artifact; the next run tries again.
func TestRunSaysHowAWorkerEnded(t *testing.T) {
	for kind, want := range map[string]string{
		"fails":                  "read data.pack: 3 bytes are missing",
		"panics":                 "fit: a defect of the program: index out of range\n",
		"exits":                  "the worker ended with exit status 7\nfatal error: out of patience",
		"says_nothing":           "the worker failed and could not say why",
		"has_no_room_for_events": "write scores.csv: no space left on device",
		"is_killed":              "the worker was killed by signal 9 (killed): memory may have run out; the next run goes on from its last checkpoint\nalmost there",
		"leaves_nothing":         "fit finished without its output result",
		"unknown":                `fit: this worker does not know stages of kind "unknown"; runner and worker are of different versions: run ` + "`make build`",
	} {
		t.Run(kind, func(t *testing.T) {
			fit := node("fit", kind)
			h := newHouse(t, t.TempDir(), fit, node("score", "succeeds", fit), node("other", "succeeds"))
			for range 2 { // a failure is not kept
				outcome := h.run(t.Context(), executor.Options{KeepGoing: true})
				if outcome.Failed != 1 || outcome.Skipped != 1 || outcome.Done != 1 || len(outcome.Failures) != 1 || outcome.Interrupted {
					t.Fatalf("%+v", outcome)
				}
				got := outcome.Failures[0]
				if got.Node != "fit" || got.Reason != want && (kind != "panics" || !strings.HasPrefix(got.Reason, want)) {
					t.Errorf("%s: %q, want %q", got.Node, got.Reason, want)
				}
			}
			if d := cmp.Diff([]string{"node skipped score: needs fit, which failed"}, h.said(task.NodeSkipped)); d != "" {
				t.Error(d)
			}
			p := h.plan()
			if p.Steps[0].State != graph.Run || p.Count(graph.Done) != 1 {
				t.Errorf("fit is %s", p.Steps[0].State)
			}
		})
	}
}

// Without --keep-going nothing is begun after a failure, and what was not tried is counted and told.
func TestRunStopsAtAFailure(t *testing.T) {
	bad := node("a", "fails")
	h := newHouse(t, t.TempDir(), bad, node("b", "succeeds"), node("c", "succeeds", bad))
	outcome := h.run(t.Context(), executor.Options{Jobs: 1})
	if outcome.Done != 0 || outcome.Failed != 1 || outcome.Skipped != 2 {
		t.Errorf("%+v", outcome)
	}
	if d := cmp.Diff([]string{
		"node failed a: read data.pack: 3 bytes are missing",
		"node skipped b: another node failed; --keep-going tries it all the same",
		"node skipped c: needs a, which failed",
	}, h.said(task.NodeFailed, task.NodeSkipped, task.NodeDone)); d != "" {
		t.Error(d)
	}
}

func TestRunWithoutTheProgram(t *testing.T) {
	h := newHouse(t, t.TempDir(), node("fit", "succeeds"))
	h.local.Programs = nil
	outcome := h.run(t.Context(), executor.Options{})
	if len(outcome.Failures) != 1 || !strings.Contains(outcome.Failures[0].Reason, "cyborg-torch is not there: build it with `make build`") {
		t.Errorf("%+v", outcome)
	}
	h.local.Programs = map[pipeline.Program]string{pipeline.Torch: filepath.Join(t.TempDir(), "gone")}
	outcome = h.run(t.Context(), executor.Options{})
	if len(outcome.Failures) != 1 || !strings.Contains(outcome.Failures[0].Reason, "start worker: ") {
		t.Errorf("%+v", outcome)
	}
}

// What a worker prints never stops it nor fills the disk, and its end is in the message.
func TestRunOfAFlood(t *testing.T) {
	fit := node("fit", "floods")
	h := newHouse(t, t.TempDir(), fit, node("other", "floods_and_dies"))
	outcome := h.run(t.Context(), executor.Options{KeepGoing: true})
	if outcome.Done != 1 || len(outcome.Failures) != 1 {
		t.Fatalf("%+v", outcome)
	}
	reason := outcome.Failures[0].Reason
	if !strings.HasSuffix(reason, "x\nthe last line says why") || len(reason) > 3000 {
		t.Errorf("a reason of %d characters ends in %q", len(reason), reason[max(0, len(reason)-100):])
	}
	info, err := os.Stat(filepath.Join(h.attempt("other"), "stderr.log"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != 1<<20 {
		t.Errorf("stderr.log has %d bytes, want 1 MiB", info.Size())
	}
}

// Lines that are no events of a worker are passed over; those around them are not.
func TestRunOfDamagedEvents(t *testing.T) {
	h := newHouse(t, t.TempDir(), node("fit", "damages_its_events"))
	if outcome := h.run(t.Context(), executor.Options{}); outcome.Done != 1 {
		t.Fatalf("%+v", outcome)
	}
	if d := cmp.Diff([]string{"node started fit: never done", "log fit: before", "warning fit: after", "node done fit"},
		h.said(task.NodeStarted, task.NodeDone, task.Log, task.Warning, "")); d != "" {
		t.Error(d)
	}
}

// A worker that was killed leaves its state, from which the next attempt goes on.
func TestRunGoesOn(t *testing.T) {
	h := newHouse(t, t.TempDir(), node("fit", "goes_on"))
	if outcome := h.run(t.Context(), executor.Options{}); outcome.Failed != 1 {
		t.Fatalf("%+v", outcome)
	}
	if outcome := h.run(t.Context(), executor.Options{}); outcome.Done != 1 {
		t.Fatalf("%+v", outcome)
	}
	if got := h.result("fit"); got != "step 7" {
		t.Errorf("it went on from %q", got)
	}
	if _, err := os.Stat(h.attempt("fit")); !os.IsNotExist(err) {
		t.Errorf("the attempt's folder is still there (%v)", err)
	}
}

// A stopped run lets its workers save their state, and ends those that do not listen.
func TestRunStopped(t *testing.T) {
	for kind, c := range map[string]struct {
		grace time.Duration
		state string
	}{
		"hangs":         {time.Minute, "saved"},
		"hears_nothing": {200 * time.Millisecond, ""},
	} {
		t.Run(kind, func(t *testing.T) {
			fit := node("fit", kind)
			h := newHouse(t, t.TempDir(), fit, node("score", "succeeds", fit))
			h.local.Grace = c.grace
			ctx, stop := context.WithCancel(t.Context())
			h.watch = func(e task.Event) {
				if e.Message == "at work" {
					stop()
				}
			}
			outcome := h.run(ctx, executor.Options{})
			if d := cmp.Diff(executor.Outcome{Skipped: 2, Interrupted: true}, outcome); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]string{"interrupted : interrupted", "node skipped fit: the run was stopped", "node skipped score: the run was stopped"},
				h.said(task.RunInterrupt, task.NodeFailed, task.NodeSkipped)); d != "" {
				t.Error(d)
			}
			raw, _ := os.ReadFile(filepath.Join(h.attempt("fit"), "state", "checkpoint"))
			if string(raw) != c.state {
				t.Errorf("the state is %q, want %q", raw, c.state)
			}
		})
	}
}

// A stop that comes when all is done is no interruption.
func TestRunStoppedTooLate(t *testing.T) {
	h := newHouse(t, t.TempDir(), node("fit", "succeeds"))
	ctx, stop := context.WithCancel(t.Context())
	h.watch = func(e task.Event) {
		if e.Type == task.NodeDone {
			stop()
		}
	}
	if d := cmp.Diff(executor.Outcome{Done: 1}, h.run(ctx, executor.Options{})); d != "" {
		t.Error(d)
	}
}

// Runs of the same thing at once do it once; the others wait and say so.
func TestRunsAtOnce(t *testing.T) {
	dir := t.TempDir()
	first := newHouse(t, dir, node("fit", "succeeds"))
	unlock, err := first.store.Lock(t.Context(), first.plan().Steps[0].Key, nil) // nobody begins before both want to
	if err != nil {
		t.Fatal(err)
	}
	started, waiting := make(chan string, 2), make(chan string, 2)
	var both sync.WaitGroup
	for range 2 {
		h := newHouse(t, dir, node("fit", "succeeds"))
		h.watch = func(e task.Event) {
			switch e.Type {
			case task.NodeStarted:
				started <- e.Node
			case task.NodeWaits:
				waiting <- e.Node + ": " + e.Message
			}
		}
		both.Go(func() {
			if outcome := h.run(t.Context(), executor.Options{}); outcome.Done != 1 {
				t.Errorf("%+v", outcome)
			}
		})
	}
	for range 2 {
		if got := <-waiting; got != "fit: another run works on it" {
			t.Errorf("waiting: %s", got)
		}
	}
	unlock()
	both.Wait()
	if len(started) != 1 {
		t.Errorf("%d workers were started for one node", len(started))
	}
}

// An error of the caller's, such as a full disk while publishing, ends the run and its workers.
func TestRunEndsWithItsCaller(t *testing.T) {
	h := newHouse(t, t.TempDir(), node("a", "succeeds"), node("b", "hangs"))
	full := fmt.Errorf("publish a: %w", syscall.ENOSPC)
	_, err := executor.Run(t.Context(), h.plan(), h.store, h.local, executor.Options{Machine: executor.Machine{CPUs: 2}}, func(task.Event) {},
		func(*graph.Step) error { return full })
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want %v", err, full)
	}
}
