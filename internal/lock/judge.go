package lock

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Report is the judgement of a run against a lock. It is what `check --json` prints.
type Report struct {
	Held        bool         `json:"held"` // the run reproduces the lock
	Run         string       `json:"run"`
	Lock        string       `json:"lock"` // file
	Changed     bool         `json:"changed"`
	Changes     Comparison   `json:"changes"`
	Conditions  []Condition  `json:"conditions"` // why bytes are not demanded, where they are not
	Outputs     []Output     `json:"outputs"`
	Metrics     []Metric     `json:"metrics"`
	Seeds       []SeedTest   `json:"seeds"`
	Assertions  []string     `json:"assertions"`         // of the spec's own stages of kind check that do not hold
	Unjudged    []string     `json:"unjudged"`           // metrics without a tolerance
	Unstated    string       `json:"unstated,omitempty"` // what must be stated before anything can be said
	Missing     []string     `json:"missing"`            // nodes of the lock that the run has not
	New         []string     `json:"new"`                // nodes of the run that the lock has not
	Notes       []string     `json:"notes"`
	Environment Environments `json:"environment"`
}

// Environments are what nodes have in common, then and now.
type Environments struct {
	Was map[string]string `json:"was"`
	Now map[string]string `json:"now"`
}

// Condition is why bytes cannot be demanded of some nodes.
type Condition struct {
	What  string `json:"what"` // libtorch
	Was   string `json:"was"`
	Now   string `json:"now"`
	Nodes int    `json:"nodes"` // of how many nodes
}

// Output is one output whose bytes were compared.
type Output struct {
	Node     string `json:"node"`
	File     string `json:"file"`
	Was      string `json:"was"`
	Now      string `json:"now"`
	Same     bool   `json:"same"`
	Demanded bool   `json:"demanded"`         // the bytes have to be the same
	Behind   string `json:"behind,omitempty"` // a node that it takes in and that differs already
}

// Metric is one metric of one model on one set.
type Metric struct {
	Node       string            `json:"node"`
	Set        string            `json:"set"`
	Axes       map[string]string `json:"axes,omitempty"`
	Metric     string            `json:"metric"`
	Was        *float64          `json:"was"` // null: undefined, a class is missing
	Now        *float64          `json:"now"`
	Difference float64           `json:"difference"` // now - was; 0 where one of them is undefined
	Allowed    *float64          `json:"allowed"`    // null: there is no tolerance for it
	By         string            `json:"by"`         // what says so: bytes, within, except.0
	Held       bool              `json:"held"`

	demanded bool // the bytes behind it have to be the same
}

// Options of Judge.
type Options struct {
	Bytes     Bytes
	Reproduce Reproduce // the tolerances that count
}

// Bytes says when equal bytes are demanded.
type Bytes string

// Auto demands them of nodes that were made under the same conditions.
const (
	Auto   Bytes = "auto"
	Always Bytes = "always"
	Never  Bytes = "never"
)

// Judge holds a run against a lock. now is complete: it was collected, and knows what its nodes need.
func Judge(was, now *Lock, o Options) *Report {
	r := &Report{Run: now.Name, Changes: Compare(was, now), Environment: Environments{was.Environment, now.Environment},
		Conditions: []Condition{}, Outputs: []Output{}, Metrics: []Metric{}, Seeds: []SeedTest{}, Assertions: []string{},
		Unjudged: []string{}, Missing: []string{}, New: []string{}, Notes: []string{}}
	r.Changed = r.Changes.Changed()
	when := o.Bytes
	if r.Changed && when == Auto {
		when = Never
		r.Notes = append(r.Notes, "the spec or its data changed: no bytes are demanded")
	}
	byBytes := r.bytes(was, now, when)
	if o.Bytes == Never {
		byBytes.same = nil // tolerances alone
	}
	r.metrics(was, now, byBytes, o.Reproduce)
	if o.Reproduce.Seeds != nil {
		r.Seeds = acrossSeeds(was, now, *o.Reproduce.Seeds, byBytes)
	}
	r.settle()
	return r
}

// settled are the nodes whose metrics bytes alone decide.
type settled struct {
	demanded map[string]bool // equal bytes are demanded
	same     map[string]bool // all outputs are the same bytes, whether or not they had to be
}

func (s settled) has(node string) bool { return s.demanded[node] || s.same[node] }

// bytes compares outputs, and says which nodes that decides.
func (r *Report) bytes(was, now *Lock, when Bytes) settled {
	by := settled{demanded: map[string]bool{}, same: map[string]bool{}}
	differs := map[string]string{} // by node: the first node on the way that differs
	counted := map[Condition]int{}
	var order []Condition
	old := map[string]*Node{}
	for i := range was.Nodes {
		old[was.Nodes[i].Name] = &was.Nodes[i]
	}
	known := map[string]bool{}
	for i := range now.Nodes {
		n := &now.Nodes[i]
		known[n.Name] = true
		before, ok := old[n.Name]
		if !ok {
			r.New = append(r.New, n.Name)
			continue
		}
		unlike := unlike(was, now, before, n)
		for _, c := range unlike {
			if counted[c] == 0 {
				order = append(order, c)
			}
			counted[c]++
		}
		alike := len(unlike) == 0
		behind := ""
		for _, need := range n.Needs {
			alike = alike && by.demanded[need]
			if behind == "" {
				behind = differs[need]
			}
		}
		by.demanded[n.Name] = when == Always || when == Auto && alike
		by.same[n.Name] = len(n.Outputs) > 0 && maps.Equal(before.Outputs, n.Outputs)
		for _, file := range sorted(before.Outputs, n.Outputs) {
			out := Output{Node: n.Name, File: file, Was: before.Outputs[file], Now: n.Outputs[file], Demanded: by.demanded[n.Name]}
			out.Same = out.Was == out.Now
			if !out.Same {
				out.Behind = behind
				if differs[n.Name] = behind; behind == "" {
					differs[n.Name] = n.Name
				}
			}
			r.Outputs = append(r.Outputs, out)
		}
	}
	for _, n := range was.Nodes {
		if !known[n.Name] {
			r.Missing = append(r.Missing, n.Name)
		}
	}
	for _, c := range order {
		c.Nodes = counted[c]
		r.Conditions = append(r.Conditions, c)
	}
	return by
}

// decisive are the parts of the environment on which the last digits of tensors depend. libtorch chooses its kernels by the
// processor or the card, so that another model of it is another class of device.
var decisive = []string{"libtorch", "device", "device name", "instructions"}

// unlike are the conditions under which a node's bytes were made and that are not the same now.
func unlike(was, now *Lock, a, b *Node) (all []Condition) {
	add := func(what, was, now string) {
		if was != now {
			all = append(all, Condition{What: what, Was: was, Now: now})
		}
	}
	add("revision of the stage", a.Stage, b.Stage)
	before, here := was.environment(a), now.environment(b)
	add("system", before["system"], here["system"]) // Go's floating point, too, depends on the architecture
	if b.Tensors {
		for _, what := range decisive {
			add(what, before[what], here[what])
		}
		add("threads", fmt.Sprint(a.Threads), fmt.Sprint(b.Threads))
	}
	return all
}

// metrics compares every metric that one of both has.
func (r *Report) metrics(was, now *Lock, by settled, tolerances Reproduce) {
	type place struct{ node, set string }
	old := map[place]Evaluation{}
	for _, e := range was.Metrics {
		old[place{e.Node, e.Set}] = e
	}
	unjudged := map[string]bool{}
	for _, e := range now.Metrics {
		before, ok := old[place{e.Node, e.Set}]
		if !ok {
			continue // a node that the lock has not
		}
		for _, name := range sorted(before.Values, e.Values) {
			m := Metric{Node: e.Node, Set: e.Set, Axes: e.Axes, Metric: name, demanded: by.demanded[e.Node]}
			a, hadA := before.Values[name]
			b, hasB := e.Values[name]
			if hadA {
				m.Was = &a
			}
			if hasB {
				m.Now = &b
			}
			if allowed, tolerance, stated := tolerances.Allowance(e.Node, name); by.has(e.Node) {
				m.Allowed, m.By = new(float64), "bytes"
			} else if stated {
				m.Allowed, m.By = &allowed, tolerance
			}
			switch {
			case hadA && hasB:
				m.Difference = b - a
				m.Held = m.Allowed == nil || off(a, b, *m.Allowed) <= 0
			default:
				m.Held = m.Allowed == nil
			}
			if m.Allowed == nil && !tolerances.bySeeds(name) && !unjudged[name] {
				unjudged[name] = true
				r.Unjudged = append(r.Unjudged, name)
			}
			r.Metrics = append(r.Metrics, m)
		}
	}
}

// off is by how much two values are further apart than allowed. Decimal tolerances are not exact in binary: what is over by
// rounding alone, as 0.905 - 0.9 is over 0.005, is not off.
func off(a, b, allowed float64) float64 {
	d := math.Abs(b-a) - allowed
	if allowed > 0 && d <= 4e-16*max(1, math.Abs(a), math.Abs(b)) {
		return 0
	}
	return d
}

// bySeeds tells whether a metric is judged over seeds.
func (r Reproduce) bySeeds(metric string) bool {
	if r.Seeds == nil {
		return false
	}
	if r.Seeds.Test == Equivalence {
		return r.Seeds.Margin[metric] > 0
	}
	return len(r.Seeds.Metrics) == 0 || slices.Contains(r.Seeds.Metrics, metric)
}

// settle draws the conclusion.
func (r *Report) settle() {
	r.Held = len(r.Missing) == 0 && len(r.Assertions) == 0 && len(r.OffBytes()) == 0 && len(r.OffMetrics()) == 0 && len(r.OffSeeds()) == 0
}

// Assert adds assertions of the spec that do not hold.
func (r *Report) Assert(failures ...string) {
	r.Assertions = append(r.Assertions, failures...)
	r.settle()
}

// OffBytes are the outputs that had to be the same bytes and are not.
func (r *Report) OffBytes() []Output {
	return kept(r.Outputs, func(o Output) bool { return o.Demanded && !o.Same })
}

// OffMetrics are the metrics that are further off than allowed.
func (r *Report) OffMetrics() []Metric {
	return kept(r.Metrics, func(m Metric) bool { return !m.Held })
}

// OffSeeds are the tests over seeds that do not hold.
func (r *Report) OffSeeds() []SeedTest {
	return kept(r.Seeds, func(s SeedTest) bool { return !s.Held })
}

// Judged tells whether anything was: bytes demanded or all the same, a metric held to a tolerance, or a test.
func (r *Report) Judged() bool {
	same := !slices.ContainsFunc(r.Outputs, func(o Output) bool { return !o.Same })
	return same && len(r.Outputs) > 0 || len(r.Seeds) > 0 || slices.ContainsFunc(r.Metrics, func(m Metric) bool { return m.Allowed != nil }) ||
		slices.ContainsFunc(r.Outputs, func(o Output) bool { return o.Demanded })
}

// Ask asks for tolerances where nothing else is off and nothing says how close the run must come.
func (r *Report) Ask() {
	if r.Held && (!r.Judged() || !r.Tolerated()) {
		r.Held = false
		r.Unstated = "nothing says how close the metrics must come here, where equal bytes are not asked for: state it in the spec, " +
			"reproduce: {within: {auc: 0.005}}, or by --within auc=0.005"
	}
}

// Tolerated tells whether all evaluations are covered: bytes decide them, or there are tolerances.
func (r *Report) Tolerated() bool {
	open := slices.ContainsFunc(r.Metrics, func(m Metric) bool { return m.Allowed == nil })
	return !open || len(r.Seeds) > 0 || slices.ContainsFunc(r.Metrics, func(m Metric) bool { return m.Allowed != nil && m.By != "bytes" })
}

func kept[T any](all []T, keep func(T) bool) []T {
	out := []T{}
	for _, one := range all {
		if keep(one) {
			out = append(out, one)
		}
	}
	return out
}

// axesText are matrix values as a node's name has them.
func axesText(axes map[string]string) string {
	var parts []string
	for _, name := range sorted(axes) {
		parts = append(parts, name+"="+axes[name])
	}
	return strings.Join(parts, ",")
}
