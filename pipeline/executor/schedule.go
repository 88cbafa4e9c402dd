package executor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Options of a run.
type Options struct {
	Machine
	Jobs      int  // nodes at a time; 0: as many as fit into the machine
	KeepGoing bool // after a failure, do what does not depend on it
}

// Outcome is how a run ended.
type Outcome struct {
	Done, Failed, Skipped int
	Failures              []Failure
	Interrupted           bool
}

// Failure is a node that failed, and why.
type Failure struct{ Node, Reason string }

// Run does every step of the plan that is to run. A step starts when all that it needs is done and what it asks for is
// free. emit gets what happens, from one goroutine at a time; done is called after each step that is done, earlier
// artifacts included, in an order in which inputs come first.
func Run(ctx context.Context, p *graph.Plan, st *store.Store, ex Executor, o Options,
	emit func(task.Event), done func(*graph.Step) error) (Outcome, error) {

	s := &scheduler{Options: o, plan: p, store: st, executor: ex, emit: emit, done: done, free: o.has(),
		waits: map[*graph.Step]int{}, next: map[*graph.Step][]*graph.Step{}, failed: map[*graph.Step]bool{},
		users: make([]int, max(1, len(o.Devices))), retrying: map[*turn]error{},
		events: make(chan task.Event), results: make(chan result), ended: make(chan *turn), again: make(chan *turn)}
	return s.run(ctx)
}

type scheduler struct {
	Options
	plan     *graph.Plan
	store    *store.Store
	executor Executor
	emit     func(task.Event)
	done     func(*graph.Step) error

	waits  map[*graph.Step]int
	next   map[*graph.Step][]*graph.Step
	failed map[*graph.Step]bool

	ready    []*graph.Step // have all that they need, and were not looked up since
	queue    queue
	retrying map[*turn]error // wait for another try, after this failure

	events  chan task.Event
	results chan result
	ended   chan *turn // its worker did the work
	again   chan *turn

	running    int // workers, and commits
	committing int
	free       amount
	users      []int  // of each device
	lacking    string // what nodes wait for, as it was last told
	outcome    Outcome
}

type result struct {
	turn *turn
	err  error
}

func (s *scheduler) run(ctx context.Context) (Outcome, error) {
	s.begin()
	workers, stop := context.WithCancel(ctx)
	defer stop()
	interrupted := ctx.Done()
	var fatal error
	for {
		goesOn := fatal == nil && ctx.Err() == nil && (s.KeepGoing || s.outcome.Failed == 0)
		if goesOn {
			if fatal = s.startAll(workers); fatal != nil {
				stop()
			}
		}
		if s.running == 0 && (len(s.retrying) == 0 || !goesOn || fatal != nil) {
			break
		}
		for changed := false; !changed; {
			select {
			case <-interrupted:
				interrupted, changed = nil, true
				s.emit(event(task.RunInterrupt, "", "interrupted"))
			case e := <-s.events:
				s.emit(e)
			case t := <-s.ended:
				changed = true
				s.committing++
				s.release(t)
			case t := <-s.again:
				changed = true
				delete(s.retrying, t)
				s.queue.add(t)
			case r := <-s.results:
				changed = true
				if err := s.finish(workers, r); err != nil {
					fatal = err
					stop()
				}
			}
		}
	}
	s.leave(ctx.Err() != nil)
	return s.outcome, fatal
}

func event(kind task.Type, node, message string) task.Event {
	return task.Event{Time: time.Now().UTC(), Type: kind, Node: node, Message: message}
}

// begin counts what each step waits for, and sees to what can never be done before anything is.
func (s *scheduler) begin() {
	for _, step := range s.plan.Steps {
		if step.State != graph.Done {
			if why := s.Lacks(step.Node); why != "" {
				s.fail(step, why)
			}
		}
		for _, in := range step.Inputs() {
			s.next[in] = append(s.next[in], step)
			s.waits[step]++
		}
		if s.waits[step] == 0 && !s.failed[step] {
			s.ready = append(s.ready, step)
		}
	}
}

// leave counts what was not tried and says why.
func (s *scheduler) leave(interrupted bool) {
	for t, err := range s.retrying {
		if !interrupted {
			s.fail(t.step, s.reason(t, err))
		}
	}
	for _, step := range s.plan.Steps {
		if step.State == graph.Done || s.failed[step] {
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
		s.emit(event(task.NodeSkipped, step.Node.Name, why))
	}
	s.outcome.Interrupted = interrupted && s.outcome.Skipped > 0
}

// startAll starts whatever is ready and fits.
func (s *scheduler) startAll(ctx context.Context) error {
	for len(s.ready) > 0 {
		step := s.ready[0]
		s.ready = s.ready[1:]
		s.plan.Look(step)
		if step.State != graph.Done {
			s.queue.add(&turn{step: step, asks: s.asks(step.Node), try: 1})
		} else if err := s.complete(step); err != nil {
			return err
		}
	}
	for s.committing < commitsAtOnce*max(1, s.CPUs) {
		t := s.queue.next(s.free)
		if t == nil {
			break
		}
		s.running++
		s.free = s.free.minus(t.asks)
		s.hold(t)
		go func() {
			err := s.attempt(ctx, t)
			s.results <- result{t, err}
		}()
	}
	s.tellWaiting()
	return nil
}

// tellWaiting says so when nodes wait for something else than a core.
func (s *scheduler) tellWaiting() {
	what, nodes := s.queue.short(s.free)
	lacking := strings.Join(what, " and ")
	if lacking == s.lacking {
		return
	}
	s.lacking = lacking
	e := event(task.RunWaits, "", "")
	if e.Of = nodes; nodes > 0 {
		verb := "wait"
		if nodes == 1 {
			verb = "waits"
		}
		e.Message = fmt.Sprintf("%s %s for %s", count(int64(nodes), "node"), verb, lacking)
	}
	s.emit(e)
}

// hold hands a node its devices: those with the fewest users, of which a node that asks for devices finds some with none
// but those that share.
func (s *scheduler) hold(t *turn) {
	t.held = nil
	if !t.step.Node.GPU && t.asks[devices] == 0 || s.cuda() == 0 {
		return
	}
	for range max(1, t.asks[devices]) {
		best := 0
		for i, users := range s.users {
			if users < s.users[best] {
				best = i
			}
		}
		s.users[best] += weight(t)
		t.held = append(t.held, best)
	}
}

// release takes back what a node held. That is as soon as its worker has done the work: hashing what it left and writing
// it through waits for the disk, beside the next worker.
func (s *scheduler) release(t *turn) {
	t.released = true
	s.free = s.free.plus(t.asks)
	for _, i := range t.held {
		s.users[i] -= weight(t)
	}
}

// commitsAtOnce bounds, for each core, how many finished nodes wait for the disk before the next worker starts.
const commitsAtOnce = 4

// weight makes a device that is kept by one node look fuller than one that any number share.
func weight(t *turn) int {
	if t.asks[devices] > 0 {
		return 1 << 20
	}
	return 1
}

// device is the one that a node works on: cpu, cuda:1.
func (s *scheduler) device(t *turn) string {
	switch {
	case len(t.held) > 0:
		return s.Devices[t.held[0]]
	case len(s.Devices) > 0:
		return s.Devices[0]
	}
	return "cpu"
}

// complete hands a finished step on and frees what waited for it.
func (s *scheduler) complete(step *graph.Step) error {
	s.outcome.Done++
	if err := s.done(step); err != nil {
		return err
	}
	for _, after := range s.next[step] {
		if s.waits[after]--; s.waits[after] == 0 && !s.failed[after] {
			s.ready = append(s.ready, after)
		}
	}
	return nil
}

func (s *scheduler) finish(ctx context.Context, r result) error {
	s.running--
	if r.turn.released {
		s.committing--
	} else {
		s.release(r.turn)
	}
	step := r.turn.step
	name := step.Node.Name
	switch {
	case r.err == nil:
		s.plan.Look(step)
		if step.State != graph.Done {
			return fmt.Errorf("%s: its artifact is not there right after it was made; is another program changing %s?", name, s.store.Dir())
		}
		e := event(task.NodeDone, name, "")
		e.Facts = map[string]float64{"seconds": step.Artifact.Seconds}
		s.emit(e)
		return s.complete(step)
	case ctx.Err() != nil && errors.Is(r.err, context.Canceled):
	case r.turn.try <= step.Node.Retry.Times:
		s.retry(ctx, r.turn, r.err)
	default:
		s.fail(step, s.reason(r.turn, r.err))
	}
	return nil
}

// fail counts a step as failed.
func (s *scheduler) fail(step *graph.Step, reason string) {
	s.failed[step] = true
	s.outcome.Failed++
	s.outcome.Failures = append(s.outcome.Failures, Failure{step.Node.Name, reason})
	s.emit(event(task.NodeFailed, step.Node.Name, reason))
}
