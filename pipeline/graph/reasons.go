package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// Change is one field of a node's key that is not as in the last run that is known.
type Change struct {
	Field  string `json:"field"`            // train.optimizer.sgd.lr; file a.png; input data from data.train
	Before string `json:"before,omitempty"` // as JSON, or a digest; empty: it is new
	After  string `json:"after,omitempty"`  // empty: it is gone
}

// cause is why a step is not what it was in the last run that is known.
type cause struct {
	changes []Change
	own     []string // what is the step's own, in words
	roots   []*Step  // steps with an own reason, this one or ones that it needs
}

// A step names so many of its reasons; the rest are counted.
const (
	fieldsShown = 4
	rootsShown  = 2
	rootsKept   = 8 // and no more are handed down, so that thousands of nodes that share many stay cheap
)

// explain says why a step is not done, and settles whether it is stale or blocked.
func (p *Plan) explain(s *Step) {
	if s.State == Done {
		return
	}
	last, known := p.last()[s.Node.Name]
	c := p.because(s)
	if known {
		s.State = Stale
		s.Reasons = append(slices.Clone(c.own), p.behind(s, c)...)
		if len(s.Reasons) == 0 {
			s.Reasons = []string{p.silent(s, last)}
		}
	} else {
		s.Reasons = []string{"never done"}
		switch {
		case s.lost != "":
			s.Reasons = []string{s.lost}
		case p.store.Begun(s.Key):
			s.Reasons = []string{"was begun and cut off; goes on from what it saved"}
		}
	}
	if why := p.blocked(s); why != "" {
		s.State = Blocked
		if known {
			s.Reasons = append([]string{why}, s.Reasons...)
		} else {
			s.Reasons = []string{why}
		}
	}
}

// silent is the reason of a step that has none of its own and no root: something is not there, or came out otherwise.
func (p *Plan) silent(s *Step, last []store.Part) string {
	if s.Key != "" {
		for i, e := range s.Node.Needs {
			if was, ok := value(last, inputName(e)); ok && was != string(s.in[i].Artifact.Digest(e.Output)) {
				return s.in[i].title() + " came out otherwise since"
			}
		}
		return "its artifact was deleted"
	}
	for _, in := range s.in {
		if in.State != Done {
			return fmt.Sprintf("needs %s, which is to run", in.title())
		}
	}
	return "its artifact was deleted"
}

func value(parts []store.Part, name string) (string, bool) {
	for _, p := range parts {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

func (p *Plan) blocked(s *Step) string {
	if p.machine.Lacks != nil {
		if lack := p.machine.Lacks(s.Node); lack != "" {
			return lack
		}
	}
	if lack, missing := p.machine.Missing[s.Node.Stage.Program]; missing {
		return lack
	}
	for _, in := range s.in {
		if in.State == Blocked {
			return fmt.Sprintf("needs %s, which cannot be done", in.title())
		}
	}
	return ""
}

// because compares a step with the last run. It is asked of a step that is done only for the sake of one that is not.
func (p *Plan) because(s *Step) *cause {
	if s.cause != nil {
		return s.cause
	}
	c := &cause{}
	s.cause = c
	last, known := p.last()[s.Node.Name]
	now := s.Parts
	if s.Key == "" { // what comes from a step that is not done is taken to be as it was
		now = slices.Clone(s.own)
		before := map[string]string{}
		for _, part := range last {
			before[part.Name] = part.Value
		}
		for i, e := range s.Node.Needs {
			part := store.Part{Name: inputName(e)}
			if s.in[i].State == Done {
				part.Value = string(s.in[i].Artifact.Digest(e.Output))
			} else {
				part.Value = before[part.Name]
			}
			now = append(now, part)
		}
	}
	var differ map[string]bool
	if known {
		changes := store.Changes(last, now)
		differ = make(map[string]bool, len(changes))
		for _, change := range changes {
			c.changes = append(c.changes, Change{s.Node.field(change.Name), change.Before, change.After})
			differ[change.Name] = true
		}
		c.own = s.words(changes)
		if s.lost != "" {
			c.own = append([]string{s.lost}, c.own...)
		}
	} else if s.State != Done {
		c.own = []string{"never done"}
	}
	if known && s.Key != "" && s.State != Done && len(c.changes) == 0 && s.lost == "" {
		c.own = []string{"its artifact was deleted"}
	}
	if len(c.own) > 0 {
		c.roots = append(c.roots, s)
	}
	for i, e := range s.Node.Needs {
		if in := s.in[i]; len(c.roots) < rootsKept && (in.State != Done || differ[inputName(e)]) {
			for _, root := range p.because(in).roots {
				if !slices.Contains(c.roots, root) && len(c.roots) < rootsKept {
					c.roots = append(c.roots, root)
				}
			}
		}
	}
	return c
}

// behind names the steps in which the reason of this one lies.
func (p *Plan) behind(s *Step, c *cause) []string {
	var said []string
	first := map[string]*Step{}
	more := map[string]bool{}
	for _, root := range c.roots {
		if root == s {
			continue
		}
		what := strings.Join(short(root.cause.own, rootsShown, "changes"), "; ")
		if one, ok := first[what]; ok {
			more[what] = more[what] || one != root
			continue
		}
		first[what] = root
		said = append(said, what)
	}
	for i, what := range said {
		who := first[what].title()
		if more[what] {
			who += " and others"
		}
		said[i] = who + ": " + what
	}
	return short(said, rootsShown, "causes")
}

// words are the changes that are a step's own: parameters and machine one by one, files and inputs counted.
func (s *Step) words(changes []store.Change) []string {
	var fields []string
	var files, inputs count
	for _, c := range changes {
		name := s.Node.field(c.Name)
		switch {
		case strings.HasPrefix(c.Name, filePart):
			files.add(strings.TrimPrefix(c.Name, filePart), c)
		case strings.HasPrefix(c.Name, inputPart):
			if c.New || c.Gone { // one that changed lies in what it comes from
				_, from, _ := strings.Cut(c.Name, inputFrom)
				inputs.add(from, c)
			}
		case c.New:
			fields = append(fields, fmt.Sprintf("%s: %s is new", name, c.After))
		case c.Gone:
			fields = append(fields, name+" is gone")
		default:
			fields = append(fields, fmt.Sprintf("%s %s -> %s", name, orNone(c.Before), orNone(c.After)))
		}
	}
	out := short(fields, fieldsShown, "changes")
	if text := files.words("file"); text != "" {
		out = append(out, text)
	}
	if text := inputs.words("input"); text != "" {
		out = append(out, text)
	}
	return out
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// count is how many of many things changed, and the first of each sort.
type count struct {
	changed, fresh, gone                int
	firstChanged, firstFresh, firstGone string
}

func (n *count) add(name string, c store.Change) {
	note := func(count *int, first *string) {
		if *count++; *count == 1 {
			*first = name
		}
	}
	switch {
	case c.New:
		note(&n.fresh, &n.firstFresh)
	case c.Gone:
		note(&n.gone, &n.firstGone)
	default:
		note(&n.changed, &n.firstChanged)
	}
}

// words are "3 files changed, first a.png; 1 is new, b.png; 2 are gone, first c.png".
func (n *count) words(noun string) string {
	var out []string
	say := func(count int, first, verb, verbs string) {
		if count == 0 {
			return
		}
		subject := noun + " " + first + " " + verb
		switch {
		case len(out) > 0 && count == 1:
			subject = fmt.Sprintf("1 %s, %s", verb, first)
		case len(out) > 0:
			subject = fmt.Sprintf("%d %s, first %s", count, verbs, first)
		case count > 1:
			subject = fmt.Sprintf("%d %ss %s, first %s", count, noun, verbs, first)
		}
		out = append(out, subject)
	}
	say(n.changed, n.firstChanged, "changed", "changed")
	say(n.fresh, n.firstFresh, "is new", "are new")
	say(n.gone, n.firstGone, "is gone", "are gone")
	return strings.Join(out, "; ")
}

func short(list []string, shown int, what string) []string {
	if len(list) <= shown+1 {
		return list
	}
	return append(list[:shown:shown], fmt.Sprintf("and %d more %s", len(list)-shown, what))
}

func (s *Step) title() string {
	if s.Node.Title != "" {
		return s.Node.Title
	}
	return s.Node.Name
}

// field is the name of a part as the spec has it.
func (n *Node) field(part string) string {
	rest, isParam := strings.CutPrefix(part, paramPart)
	if !isParam {
		return part
	}
	first, behind, _ := strings.Cut(rest, ".")
	if other, ok := n.Other[first]; ok {
		return strings.TrimSuffix(other+"."+behind, ".")
	}
	if n.Section != "" {
		return n.Section + "." + rest
	}
	return n.Stage.Kind + "." + rest
}

// Changes are the fields of the step's key that are not as in the last run that is known.
func (p *Plan) Changes(s *Step) []Change { return p.because(s).changes }

// Roots are the steps in which the reason lies why this one is not done, itself among them where it has one of its own;
// a few, where there are many.
func (p *Plan) Roots(s *Step) []*Step { return p.because(s).roots }

// PartState is how a part of a key compares with the last run that is known.
type PartState string

// The states of a part.
const (
	PartSame    PartState = "same"
	PartChanged PartState = "changed"
	PartNew     PartState = "new"
	PartGone    PartState = "gone"
	PartWaits   PartState = "waits" // what it stands for is not done yet
)

// Part is a part of a step's key beside what it was.
type Part struct {
	Field  string    `json:"field"`
	State  PartState `json:"state"`
	Value  string    `json:"value,omitempty"`
	Before string    `json:"before,omitempty"`
	File   bool      `json:"file,omitempty"` // of the user's
}

// Parts are all parts of a step's key; of one whose inputs are not done, those that are known, and which it waits for.
func (p *Plan) Parts(s *Step) []Part {
	before := map[string]string{}
	for _, part := range p.last()[s.Node.Name] {
		before[part.Name] = part.Value
	}
	var out []Part
	add := func(name, value string, waits bool) {
		was, had := before[name]
		delete(before, name)
		part := Part{Field: s.Node.field(name), State: PartSame, Value: value, File: strings.HasPrefix(name, filePart)}
		switch {
		case waits:
			part.State, part.Value = PartWaits, "is to run first"
		case !had:
			part.State = PartNew
		case was != value:
			part.State, part.Before = PartChanged, was
		}
		out = append(out, part)
	}
	for _, part := range s.own {
		add(part.Name, part.Value, false)
	}
	for i, e := range s.Node.Needs {
		if in := s.in[i]; in.State == Done {
			add(inputName(e), string(in.Artifact.Digest(e.Output)), false)
		} else {
			add(inputName(e), "", true)
		}
	}
	for _, part := range p.last()[s.Node.Name] {
		if was, gone := before[part.Name]; gone {
			delete(before, part.Name)
			out = append(out, Part{Field: s.Node.field(part.Name), State: PartGone, Before: was, File: strings.HasPrefix(part.Name, filePart)})
		}
	}
	return out
}

// LastKey is the key under which the last run that is known did the step; empty where none did.
func (p *Plan) LastKey(s *Step) store.Key {
	if last, known := p.last()[s.Node.Name]; known {
		return s.Node.key(last)
	}
	return ""
}
