package graph

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// State is what a plan says of a node.
type State string

// Done: its artifact is there and current. Run: it has to be done. Blocked: it cannot be done, its reasons say why.
const (
	Done    State = "done"
	Run     State = "run"
	Blocked State = "blocked"
)

// Machine is what results depend on beside spec and data.
type Machine struct {
	Device   string // cpu, cuda
	Libtorch string // 2.11.0
}

// Step is a node with what the store knows of it.
type Step struct {
	Node     *Node
	State    State
	Reasons  []string
	Parts    []store.Part    // complete only when everything it needs is done
	Key      store.Key       // "" until then
	Artifact *store.Artifact // when done

	own  []store.Part // parts that do not depend on other nodes
	last []store.Part // parts when it last finished in this run's history
	in   []*Step      // the steps of Node.Needs, in that order
}

// Plan says of every node of a graph, in graph order, what is to be done and why.
type Plan struct {
	Steps []*Step
	store *store.Store
}

// MakePlan looks every node up in the store. run names the history that reasons are given against.
func MakePlan(g *Graph, st *store.Store, run string, machine Machine) (*Plan, error) {
	last := st.Last(run)
	p := &Plan{store: st}
	steps := make(map[*Node]*Step, len(g.Nodes))
	for _, n := range g.Nodes {
		own, err := ownParts(n, st, machine)
		if err != nil {
			return nil, fmt.Errorf("plan %s: %w", n.Name, err)
		}
		s := &Step{Node: n, own: own, last: last[n.Name]}
		for _, e := range n.Needs {
			s.in = append(s.in, steps[e.From])
		}
		steps[n] = s
		p.Steps = append(p.Steps, s)
		p.Look(s)
	}
	return p, nil
}

func ownParts(n *Node, st *store.Store, machine Machine) ([]store.Part, error) {
	parts := []store.Part{{Name: "stage", Value: n.Stage.Kind + " revision " + strconv.Itoa(n.Stage.Revision)}}
	params, err := store.ParamParts("params", n.Params)
	if err != nil {
		return nil, err
	}
	parts = append(parts, params...)
	files, err := st.Files(n.Files)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		parts = append(parts, store.Part{Name: "file " + f.Name, Value: string(f.Digest)})
	}
	if n.Stage.Tensors {
		parts = append(parts,
			store.Part{Name: "device", Value: machine.Device},
			store.Part{Name: "libtorch", Value: machine.Libtorch},
			store.Part{Name: "threads", Value: strconv.Itoa(n.CPUs)})
	}
	return parts, nil
}

// Look brings a step up to date with the store; all that it needs must have been looked at before.
func (p *Plan) Look(s *Step) {
	s.State, s.Reasons, s.Artifact = Run, nil, nil
	parts := append([]store.Part(nil), s.own...)
	for i, e := range s.Node.Needs {
		from := s.in[i]
		if from.State != Done {
			s.Reasons = append(s.Reasons, fmt.Sprintf("needs %s, which is to run", from.Node.Name))
			continue
		}
		parts = append(parts, store.Part{
			Name:  fmt.Sprintf("input %s from %s", e.Port, from.Node.Name),
			Value: string(from.Artifact.Digest(e.Output)),
		})
	}
	if s.Reasons != nil {
		s.Reasons = append(shorten(s.Reasons, "inputs"), shorten(store.Changes(inputsOut(s.last), s.own), "changes")...)
		if s.last == nil {
			s.Reasons = []string{"never done"}
		}
		return
	}
	s.Parts, s.Key = parts, store.MakeKey(parts)
	artifact, err := p.store.Find(s.Key)
	if err == nil {
		s.State, s.Artifact = Done, artifact
		return
	}
	switch changes := store.Changes(s.last, parts); {
	case err != store.ErrMissing && errors.Is(err, store.ErrMissing): // it was there and is damaged
		s.Reasons = []string{strings.TrimPrefix(err.Error(), store.ErrMissing.Error()+": ")}
	case s.last == nil:
		s.Reasons = []string{"never done"}
	case len(changes) > 0:
		s.Reasons = shorten(changes, "changes")
	default:
		s.Reasons = []string{"its artifact was deleted"}
	}
}

// inputsOut leaves out the parts that come from other nodes, which are not known before those are done.
func inputsOut(parts []store.Part) []store.Part {
	var out []store.Part
	for _, p := range parts {
		if !strings.HasPrefix(p.Name, "input ") {
			out = append(out, p)
		}
	}
	return out
}

const reasonsShown = 4

func shorten(reasons []string, what string) []string {
	if len(reasons) <= reasonsShown+1 {
		return reasons
	}
	more := len(reasons) - reasonsShown
	return append(reasons[:reasonsShown:reasonsShown], fmt.Sprintf("and %d more %s", more, what))
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

// Inputs are the steps of Node.Needs, in that order.
func (s *Step) Inputs() []*Step { return s.in }

// Remember writes the parts of all finished steps into the run's history.
func (p *Plan) Remember(run string) error {
	last := p.store.Last(run)
	for _, s := range p.Steps {
		if s.State == Done {
			last[s.Node.Name] = s.Parts
		}
	}
	return p.store.SetLast(run, last)
}
