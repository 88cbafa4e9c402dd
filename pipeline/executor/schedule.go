package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Options of a run.
type Options struct {
	Jobs      int    // nodes at a time; 0: as many as fit into CPUs
	CPUs      int    // cores to share out among nodes
	Device    string // cpu, cuda:0
	KeepGoing bool   // after a failure, do what does not depend on it
}

// Outcome is how a run ended.
type Outcome struct {
	Done, Failed, Skipped int
	Failures              []Failure
	Interrupted           bool
}

// Failure is a node that failed, and why.
type Failure struct{ Node, Reason string }

// Run does every step of the plan that is to run. A step starts when all that it needs is done and enough cores are
// free. emit gets what happens, from one goroutine at a time; done is called after each step that is done, earlier
// artifacts included, in an order in which inputs come first.
func Run(ctx context.Context, p *graph.Plan, st *store.Store, ex Executor, o Options,
	emit func(task.Event), done func(*graph.Step) error) (Outcome, error) {

	s := &scheduler{plan: p, store: st, executor: ex, Options: o, emit: emit, done: done,
		events: make(chan task.Event), results: make(chan result),
		waits: map[*graph.Step]int{}, next: map[*graph.Step][]*graph.Step{}, failed: map[*graph.Step]bool{}}
	return s.run(ctx)
}

type scheduler struct {
	Options
	plan     *graph.Plan
	store    *store.Store
	executor Executor
	emit     func(task.Event)
	done     func(*graph.Step) error

	waits   map[*graph.Step]int
	next    map[*graph.Step][]*graph.Step
	failed  map[*graph.Step]bool
	ready   []*graph.Step
	events  chan task.Event
	results chan result

	running, cpus int
	gpu           bool
	outcome       Outcome
}

type result struct {
	step *graph.Step
	err  error
}

func (s *scheduler) run(ctx context.Context) (Outcome, error) {
	for _, step := range s.plan.Steps {
		for _, in := range step.Inputs() {
			s.next[in] = append(s.next[in], step)
			s.waits[step]++
		}
	}
	for _, step := range s.plan.Steps {
		if s.waits[step] == 0 {
			s.ready = append(s.ready, step)
		}
	}
	workers, stop := context.WithCancel(ctx)
	defer stop()
	interrupted := ctx.Done()
	var fatal error
	for {
		if fatal == nil && ctx.Err() == nil && (s.KeepGoing || s.outcome.Failed == 0) {
			if fatal = s.startAll(workers); fatal != nil {
				stop()
			}
		}
		if s.running == 0 {
			break
		}
		select {
		case <-interrupted:
			interrupted = nil
			s.emit(task.Event{Time: time.Now().UTC(), Type: task.RunInterrupt, Message: "interrupted"})
		case e := <-s.events:
			s.emit(e)
		case r := <-s.results:
			s.running--
			s.cpus -= s.cost(r.step)
			s.gpu = s.gpu && !s.holds(r.step)
			if err := s.finish(r); err != nil {
				fatal = err
				stop()
			}
		}
	}
	s.leave(ctx.Err() != nil)
	return s.outcome, fatal
}

// leave counts what was not tried and says why.
func (s *scheduler) leave(interrupted bool) {
	for _, step := range s.plan.Steps {
		if step.State != graph.Run || s.failed[step] {
			continue
		}
		s.outcome.Skipped++
		why := "the run was stopped"
		if !interrupted {
			why = "another node failed; --keep-going tries it all the same"
			for _, in := range step.Inputs() {
				if s.failed[in] {
					why = fmt.Sprintf("needs %s, which failed", in.Node.Name)
				} else if in.State != graph.Done {
					why = fmt.Sprintf("needs %s, which was not tried", in.Node.Name)
				}
			}
		}
		s.emit(task.Event{Time: time.Now().UTC(), Type: task.NodeSkipped, Node: step.Node.Name, Message: why})
	}
	s.outcome.Interrupted = interrupted && s.outcome.Skipped > 0
}

// startAll starts whatever is ready and fits.
func (s *scheduler) startAll(ctx context.Context) error {
	var later []*graph.Step
	for len(s.ready) > 0 {
		step := s.ready[0]
		s.ready = s.ready[1:]
		s.plan.Look(step)
		if step.State == graph.Done {
			if err := s.complete(step); err != nil {
				return err
			}
			continue
		}
		if !s.fits(step) {
			later = append(later, step)
			continue
		}
		s.running++
		s.cpus += s.cost(step)
		s.gpu = s.gpu || s.holds(step)
		go func() {
			err := s.attempt(ctx, step)
			s.results <- result{step, err}
		}()
	}
	s.ready = later
	return nil
}

// cost is a node's cores, never more than there are: a node that wants all of a larger machine still runs alone here.
func (s *scheduler) cost(step *graph.Step) int { return min(max(1, step.Node.CPUs), max(1, s.CPUs)) }

// holds tells whether a node keeps the run's CUDA device to itself; --jobs lets several share it.
func (s *scheduler) holds(step *graph.Step) bool {
	return step.Node.GPU && s.Jobs == 0 && strings.HasPrefix(s.Device, "cuda")
}

func (s *scheduler) fits(step *graph.Step) bool {
	if s.running == 0 {
		return true
	}
	if s.Jobs > 0 && s.running >= s.Jobs {
		return false
	}
	return s.cpus+s.cost(step) <= s.CPUs && !(s.gpu && s.holds(step))
}

// complete hands a finished step on and frees what waited for it.
func (s *scheduler) complete(step *graph.Step) error {
	s.outcome.Done++
	if err := s.done(step); err != nil {
		return err
	}
	for _, after := range s.next[step] {
		if s.waits[after]--; s.waits[after] == 0 {
			s.ready = append(s.ready, after)
		}
	}
	return nil
}

func (s *scheduler) finish(r result) error {
	name := r.step.Node.Name
	if r.err == nil {
		s.plan.Look(r.step)
		if r.step.State != graph.Done {
			return fmt.Errorf("%s: its artifact is not there right after it was made; is another program changing %s?", name, s.store.Dir())
		}
		s.emit(task.Event{Time: time.Now().UTC(), Type: task.NodeDone, Node: name,
			Facts: map[string]float64{"seconds": r.step.Artifact.Seconds}})
		return s.complete(r.step)
	}
	if errors.Is(r.err, context.Canceled) {
		return nil
	}
	s.failed[r.step] = true
	s.outcome.Failed++
	s.outcome.Failures = append(s.outcome.Failures, Failure{name, r.err.Error()})
	s.emit(task.Event{Time: time.Now().UTC(), Type: task.NodeFailed, Node: name, Message: r.err.Error()})
	return nil
}

// attempt does one step in an attempt folder and commits it.
func (s *scheduler) attempt(ctx context.Context, step *graph.Step) error {
	node := step.Node
	unlock, err := s.store.Lock(ctx, step.Key, func() {
		s.events <- task.Event{Time: time.Now().UTC(), Type: task.NodeWaits, Node: node.Name,
			Message: "another run works on it"}
	})
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := s.store.Find(step.Key); err == nil {
		return nil // the other run did it
	}
	try, err := s.store.Begin(step.Key)
	if err != nil {
		return err
	}
	if err := s.write(step, try.Dir); err != nil {
		return err
	}
	s.events <- task.Event{Time: time.Now().UTC(), Type: task.NodeStarted, Node: node.Name, Message: reason(step)}
	log := follow(try.Dir, func(e task.Event) { s.events <- e })
	err = s.executor.Execute(ctx, node.Stage.Program, try.Dir)
	log.end()
	if err != nil {
		var said *failed
		if errors.As(err, &said) && log.failed != "" {
			return errors.New(log.failed)
		}
		return err
	}
	_, err = try.Commit(store.Manifest{Node: node.Name, Kind: node.Stage.Kind, Parts: step.Parts,
		Environment: log.environment}, node.Stage.Outputs)
	return err
}

func reason(step *graph.Step) string {
	if len(step.Reasons) == 0 {
		return ""
	}
	return step.Reasons[0]
}

// write makes the task file.
func (s *scheduler) write(step *graph.Step, attempt string) error {
	params, err := json.Marshal(step.Node.Params)
	if err != nil {
		return fmt.Errorf("write task: %w", err)
	}
	t := task.Task{Node: step.Node.Name, Kind: step.Node.Stage.Kind, Axes: step.Node.AxisMap(), Params: params,
		Inputs: map[string][]task.Input{}, Device: s.Device, Threads: max(1, step.Node.CPUs)} // as the key says, however few there are
	for i, edge := range step.Node.Needs {
		from := step.Inputs()[i]
		t.Inputs[edge.Port] = append(t.Inputs[edge.Port], task.Input{Node: edge.From.Name, Axes: edge.From.AxisMap(),
			Path: from.Artifact.Path(edge.Output)})
	}
	raw, err := json.MarshalIndent(t, "", " ")
	if err != nil {
		return fmt.Errorf("write task: %w", err)
	}
	return renameio.WriteFile(filepath.Join(attempt, "task.json"), raw, 0o644)
}
