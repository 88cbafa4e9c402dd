package graph

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// State is what a plan says of a node.
type State string

// The states of a node.
const (
	Done    State = "done"    // its artifact is there and current
	Run     State = "run"     // it was never done
	Stale   State = "stale"   // the last run that is known did it, and something changed since
	Blocked State = "blocked" // it cannot be done, or needs what cannot be
)

// Machine is what results depend on beside spec and data, and what can be done on it.
type Machine struct {
	Device   string                      // cpu, cuda
	Libtorch string                      // 2.11.0
	Missing  map[pipeline.Program]string // programs that are not there, and what to do about it
	Lacks    func(*Node) string          // what a node asks for that the machine does not have, "" where nothing; nil: it has all
}

// Step is a node with what the store knows of it.
type Step struct {
	Node     *Node
	State    State
	Reasons  []string        // why it is not done, in words
	Parts    []store.Part    // complete only when everything it needs is done
	Key      store.Key       // "" until then
	Artifact *store.Artifact // when done

	own   []store.Part // parts that do not depend on other nodes
	in    []*Step      // the steps of Node.Needs, in that order
	lost  string       // what happened to its artifact
	cause *cause       // what changed since the last run that is known, once somebody asked
}

// Plan says of every node of a graph, in graph order, what is to be done and why.
type Plan struct {
	Steps   []*Step
	Run     string // the history that reasons are given against
	store   *store.Store
	machine Machine
	last    func() map[string][]store.Part
	asKnown bool // files are as in the last run
}

// MakePlan looks every node up in the store. run names the history that reasons are given against.
func MakePlan(g *Graph, st *store.Store, run string, machine Machine) (*Plan, error) {
	return makePlan(g, st, run, machine, false)
}

// MakePlanAsKnown is MakePlan where the user's files are not at hand: those of each node are taken to be what they were when
// the run last did it.
func MakePlanAsKnown(g *Graph, st *store.Store, run string, machine Machine) (*Plan, error) {
	return makePlan(g, st, run, machine, true)
}

func makePlan(g *Graph, st *store.Store, run string, machine Machine, asKnown bool) (*Plan, error) {
	p := &Plan{Run: run, store: st, machine: machine, asKnown: asKnown, Steps: make([]*Step, len(g.Nodes)),
		last: sync.OnceValue(func() map[string][]store.Part { return st.Last(run) })}
	steps := make(map[*Node]*Step, len(g.Nodes))
	depth := make(map[*Step]int, len(g.Nodes))
	var waves [][]*Step // no step needs another of its wave
	for i, n := range g.Nodes {
		s := &Step{Node: n, in: make([]*Step, len(n.Needs))}
		wave := 0
		for k, e := range n.Needs {
			s.in[k] = steps[e.From]
			wave = max(wave, depth[s.in[k]]+1)
		}
		p.Steps[i], steps[n], depth[s] = s, s, wave
		if wave == len(waves) {
			waves = append(waves, nil)
		}
		waves[wave] = append(waves[wave], s)
	}
	errs := make([]error, len(p.Steps))
	inParallel(len(p.Steps), func(i int) { errs[i] = p.ownParts(p.Steps[i]) })
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("plan %s: %w", g.Nodes[i].Name, err)
		}
	}
	for _, wave := range waves {
		inParallel(len(wave), func(i int) { p.find(wave[i]) })
	}
	for _, s := range p.Steps {
		p.explain(s)
	}
	return p, nil
}

// inParallel does n independent pieces of work on all cores.
func inParallel(n int, do func(i int)) {
	const block = 32
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+block-1)/block) {
		workers.Go(func() {
			for {
				from := int(next.Add(block)) - block
				if from >= n {
					return
				}
				for i := from; i < min(from+block, n); i++ {
					do(i)
				}
			}
		})
	}
	workers.Wait()
}

func (p *Plan) ownParts(s *Step) error {
	n := s.Node
	flatten := n.params
	if flatten == nil {
		flatten = n.paramParts
	}
	params, err := flatten()
	if err != nil {
		return err
	}
	files, err := p.files(n)
	if err != nil {
		return err
	}
	parts := make([]store.Part, 0, 5+len(params)+len(files)+len(n.Needs))
	parts = append(parts, store.Part{Name: "stage", Value: n.Stage.Kind + " revision " + strconv.Itoa(n.Stage.Revision)})
	if n.Stage.Named {
		parts = append(parts, store.Part{Name: "node", Value: n.Name})
	}
	parts = append(parts, params...)
	parts = append(parts, files...)
	if n.Stage.Tensors {
		parts = append(parts,
			store.Part{Name: "device", Value: p.machine.Device},
			store.Part{Name: "libtorch", Value: p.machine.Libtorch},
			store.Part{Name: "threads", Value: strconv.Itoa(n.CPUs)})
	}
	s.own = parts
	return nil
}

// files are the parts of the user's files that a node reads.
func (p *Plan) files(n *Node) (parts []store.Part, err error) {
	if p.asKnown {
		for _, part := range p.last()[n.Name] {
			if strings.HasPrefix(part.Name, filePart) {
				parts = append(parts, part)
			}
		}
		return parts, nil
	}
	files, err := p.store.Files(n.Files)
	if err != nil {
		return nil, err
	}
	parts = make([]store.Part, len(files))
	for i, f := range files {
		parts[i] = store.Part{Name: filePart + f.Name, Value: string(f.Digest)}
	}
	return parts, nil
}

// What parts that are no parameters are called.
const (
	paramPart = "params."
	filePart  = "file "
	inputPart = "input "
)

const inputFrom = " from "

func inputName(e Edge) string { return inputPart + e.Port + inputFrom + e.From.Name }

// key is that of a node with these parts, the inputs last. They say which node each input is from, so that a plan can name
// it; what that node is called counts only where the stage reads names.
func (n *Node) key(parts []store.Part) store.Key {
	if n.Stage.Named {
		return store.MakeKey(parts)
	}
	own := slices.IndexFunc(parts, func(p store.Part) bool { return strings.HasPrefix(p.Name, inputPart) })
	if own < 0 {
		return store.MakeKey(parts)
	}
	inputs := slices.Clone(parts[own:])
	for i := range inputs {
		inputs[i].Name, _, _ = strings.Cut(inputs[i].Name, inputFrom)
	}
	return store.MakeKey(parts[:own], inputs)
}

// Look brings a step up to date with the store; all that it needs must have been looked at before.
func (p *Plan) Look(s *Step) {
	p.find(s)
	p.explain(s)
}

// find settles the key of a step whose inputs are done, and looks for its artifact.
func (p *Plan) find(s *Step) {
	s.State, s.Reasons, s.Artifact, s.lost, s.Key = Run, nil, nil, "", ""
	parts := s.own
	for i, e := range s.Node.Needs {
		from := s.in[i]
		if from.State != Done {
			return
		}
		parts = append(parts, store.Part{Name: inputName(e), Value: string(from.Artifact.Digest(e.Output))})
	}
	s.Parts, s.Key = parts, s.Node.key(parts)
	artifact, err := p.store.Find(s.Key)
	switch {
	case err == nil:
		artifact.Parts = parts
		s.State, s.Artifact = Done, artifact
	case err != store.ErrMissing && errors.Is(err, store.ErrMissing): // it was there and is damaged
		s.lost = strings.TrimPrefix(err.Error(), store.ErrMissing.Error()+": ")
	}
}

// Count is how many steps are in that state.
func (p *Plan) Count(state State) int {
	count := 0
	for _, s := range p.Steps {
		if s.State == state {
			count++
		}
	}
	return count
}

// Left is how many steps are not done.
func (p *Plan) Left() int { return len(p.Steps) - p.Count(Done) }

// Inputs are the steps of Node.Needs, in that order.
func (s *Step) Inputs() []*Step { return s.in }

// Remember writes down what is done: its parts into the run's history, against which the next plan gives its reasons, and
// its keys as those that the run needs.
func (p *Plan) Remember(run string) error {
	last, keys := p.store.Last(run), map[string]store.Key{}
	for _, s := range p.Steps {
		if s.State == Done {
			last[s.Node.Name], keys[s.Node.Name] = s.Parts, s.Key
		}
	}
	if err := p.store.SetLast(run, last); err != nil {
		return err
	}
	return p.store.Record(store.Record{Run: run, Ended: time.Now(), Nodes: keys})
}
