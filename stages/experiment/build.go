package experiment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Builder holds a spec's sections while its graph is built. Mistakes go to Diags, and building goes on.
type Builder struct {
	Diags *diag.List
	Cores int  // of this machine: what `threads: 0` means
	Files bool // look for the files that the spec names

	doc      *spec.Document
	kinds    []Kind
	model    Model
	datasets []*Dataset
	losses   []namedLoss

	nodes []*graph.Node
	data  map[dataKey]*graph.Node
	made  map[string][]*graph.Node // by stage name
	used  map[string]bool          // data sets

	problems []error // of the data, not of the spec
}

type namedLoss struct {
	name  string
	at    *spec.Value
	terms []Term
}

// Options of Build.
type Options struct {
	Cores   int
	NoFiles bool // check a spec whose data is not at hand
}

// Build makes the graph of a spec, or reports all that is wrong with it.
func Build(doc *spec.Document, kinds []Kind, o Options, diags *diag.List) *graph.Graph {
	b := &Builder{Diags: diags, Cores: max(1, o.Cores), Files: !o.NoFiles, doc: doc, kinds: kinds,
		data: map[dataKey]*graph.Node{}, made: map[string][]*graph.Node{}, used: map[string]bool{}}
	b.sections()
	for _, stage := range b.ordered() {
		b.stage(stage)
	}
	b.unused()
	if diags.Len() > 0 {
		return nil
	}
	g, err := graph.New(b.nodes)
	if err != nil {
		diags.Add(doc.Root.Get("stages").Pos, spec.StageCycle, "%v", err)
		return nil
	}
	return g
}

// frame are the top-level keys that every spec may have; the others are sections.
var frame = []string{"version", "name", "title", "description", "extends", "profile", "params", "profiles", "stages"}

// sections decodes datasets, model and losses, and reports unknown top-level keys.
func (b *Builder) sections() {
	known := append(slices.Clone(frame), "datasets", "model", "losses")
	for _, k := range b.kinds {
		known = append(known, k.Kind)
	}
	root := b.doc.Root
	for _, key := range root.Keys {
		if !slices.Contains(known, key.Name) {
			b.Diags.Add(key.Pos, spec.UnknownKey, "unknown key %q%s", key.Name, spec.Suggest(key.Name, known))
		}
	}
	if model := root.Get("model"); !model.Absent() {
		spec.Decode(model, &b.model, b.Diags)
	}
	datasets := decodeNamed(root.Get("datasets"), b.Diags, func(d *Dataset, key spec.Key) {
		d.name, d.at = key.Name, root.Get("datasets").Get(key.Name)
	})
	for i := range datasets {
		b.datasets = append(b.datasets, &datasets[i])
	}
	losses := root.Get("losses")
	if losses.Absent() {
		return
	}
	for _, key := range losses.Keys {
		loss := namedLoss{name: key.Name, at: losses.Get(key.Name)}
		spec.Decode(loss.at, &loss.terms, b.Diags)
		if len(loss.terms) == 0 {
			b.Diags.Add(key.Pos, spec.Missing, "losses.%s: at least one term is needed: [{term: cross_entropy}]", key.Name)
		}
		b.losses = append(b.losses, loss)
	}
}

// stageDecl is a stage as the spec declares it.
type stageDecl struct {
	name  string
	at    *spec.Value
	kind  *Kind
	needs []string
	axes  []spec.Axis
}

// ordered reads the declarations and sorts them so that a stage comes after those it needs.
func (b *Builder) ordered() []stageDecl {
	stages := b.doc.Root.Get("stages")
	if stages.Absent() {
		b.Diags.Add(b.doc.Root.Pos, spec.Missing, "a spec needs stages: stages: {fit: {uses: train}}")
		return nil
	}
	var all []stageDecl
	for _, key := range stages.Keys {
		if s, ok := b.declaration(key.Name, stages.Get(key.Name)); ok {
			all = append(all, s)
		}
	}
	names := stages.Names()
	var sorted []stageDecl
	state := map[string]int{} // 1: being visited, 2: placed
	var visit func(s stageDecl, chain []string)
	visit = func(s stageDecl, chain []string) {
		chain = append(chain, s.name)
		switch state[s.name] {
		case 2:
			return
		case 1:
			first := slices.Index(chain, s.name)
			b.Diags.Add(s.at.Get("needs").Pos, spec.StageCycle, "cycle: %s", strings.Join(chain[first:], " needs "))
			return
		}
		state[s.name] = 1
		for _, need := range s.needs {
			at := slices.IndexFunc(all, func(o stageDecl) bool { return o.name == need })
			if at >= 0 {
				visit(all[at], chain)
			} else if !slices.Contains(names, need) {
				b.Diags.Add(needPos(s.at, need), spec.UnknownStage, "stage %q needs %q, which is not a stage%s; there are: %s",
					s.name, need, spec.Suggest(need, names), strings.Join(names, ", "))
			}
		}
		state[s.name] = 2
		sorted = append(sorted, s)
	}
	for _, s := range all {
		visit(s, nil)
	}
	return sorted
}

func needPos(stage *spec.Value, need string) diag.Pos {
	needs := stage.Get("needs")
	for _, v := range needs.List() {
		if v.Text() == need {
			return v.Pos
		}
	}
	return needs.Pos
}

func (b *Builder) declaration(name string, at *spec.Value) (stageDecl, bool) {
	s := stageDecl{name: name, at: at}
	if at.Kind != spec.Map {
		b.Diags.Add(at.Pos, spec.WrongType, "stage %q: a map with `uses` is needed, this is %s", name, at.Kind)
		return s, false
	}
	uses := at.Get("uses")
	var kinds []string
	for i, k := range b.kinds {
		kinds = append(kinds, k.Kind)
		if k.Kind == uses.Text() {
			s.kind = &b.kinds[i]
		}
	}
	switch {
	case uses.Absent():
		b.Diags.Add(at.Pos, spec.Missing, "stage %q says not what it uses; there are: %s", name, strings.Join(kinds, ", "))
		return s, false
	case s.kind == nil:
		b.Diags.Add(uses.Pos, spec.UnknownKind, "stage %q uses %q, which is not a kind of stage%s; there are: %s",
			name, uses.Text(), spec.Suggest(uses.Text(), kinds), strings.Join(kinds, ", "))
		return s, false
	}
	switch needs := at.Get("needs"); {
	case needs.Absent():
	case needs.Kind == spec.List:
		for _, v := range needs.List() {
			s.needs = append(s.needs, v.Text())
		}
	default:
		s.needs = []string{needs.Text()}
	}
	s.axes = spec.Matrix(at.Get("matrix"), b.Diags)
	return s, true
}

// stage makes the nodes of one stage.
func (b *Builder) stage(s stageDecl) {
	var needed []*graph.Node
	for _, need := range s.needs {
		needed = append(needed, b.made[need]...)
	}
	for _, kind := range s.kind.Needs {
		ok := slices.ContainsFunc(s.needs, func(need string) bool { return b.uses(need) == kind })
		if !ok {
			b.Diags.Add(s.at.Pos, spec.MissingInput, "stage %q (%s) needs a stage that uses %s: needs: NAME", s.name, s.kind.Kind, kind)
			return
		}
	}
	groups := [][]*graph.Node{needed}
	if s.kind.Each && len(s.kind.Needs) > 0 {
		groups = nil
		for _, n := range needed {
			groups = append(groups, []*graph.Node{n})
		}
	}
	values := b.params(s)
	for _, group := range groups {
		var inherited []graph.Axis
		if s.kind.Each && len(group) == 1 {
			inherited = group[0].Axes
		}
		for _, own := range spec.Cells(s.axes) {
			b.cell(s, values, group, inherited, own)
		}
	}
}

// uses is the kind of a stage by its name.
func (b *Builder) uses(stage string) string {
	return b.doc.Root.Get("stages").Get(stage).Get("uses").Text()
}

// params is what the spec says of a stage's parameters: the section of its kind, then the stage's own keys.
func (b *Builder) params(s stageDecl) *spec.Value {
	own := s.at.Without("uses", "needs", "matrix")
	return spec.Merge(b.doc.Root.Get(s.kind.Kind), own)
}

func (b *Builder) cell(s stageDecl, values *spec.Value, group []*graph.Node, inherited []graph.Axis, own []spec.AxisValue) {
	c := &Cell{Stage: s.name, At: s.at, Axes: slices.Clone(inherited), Params: s.kind.Params(), Needs: group}
	for _, v := range own {
		if slices.ContainsFunc(inherited, func(a graph.Axis) bool { return a.Name == v.Axis }) {
			b.Diags.Add(v.Value.Pos, spec.BadMatrix, "stage %q: the axis %q comes from the stage that it needs already", s.name, v.Axis)
			return
		}
		c.Axes = append(c.Axes, graph.Axis{Name: v.Axis, Value: v.Value.Text()})
		values = values.With(v.Axis, v.Value)
	}
	before := b.Diags.Len()
	spec.Decode(values, c.Params, b.Diags)
	if b.Diags.Len() > before {
		return
	}
	n := &graph.Node{Name: graph.Name(s.name, c.Axes), Stage: s.kind.Stage, Axes: c.Axes, CPUs: 1, Pos: s.at.Pos}
	s.kind.Bind(b, c, n)
	b.nodes = append(b.nodes, n)
	b.made[s.name] = append(b.made[s.name], n)
}

// Model is the spec's model, with another architecture or initial weights where those are not empty.
func (b *Builder) Model(at *spec.Value, arch string) (Model, *nn.Network) {
	m := b.model
	place := b.doc.Root.Get("model").Get("arch")
	if arch != "" {
		m.Arch, place = arch, at
	}
	if b.doc.Root.Get("model").Absent() && arch == "" {
		b.Diags.Add(at.Pos, spec.Missing, "a spec that trains needs a model: model: {arch: resnet50}")
		return m, nil
	}
	build, ok := nn.Lookup(m.Arch)
	if !ok {
		if m.Arch != "" { // an absent one was reported by Decode
			b.Diags.Add(place.Pos, spec.UnknownArch, "model.arch: there is no network %q%s; there are: %s",
				m.Arch, spec.Suggest(m.Arch, nn.Names()), strings.Join(nn.Names(), ", "))
		}
		return m, nil
	}
	network := build(Classes)
	if m.Side == 0 {
		m.Side = network.Input.Side
	}
	return m, network
}

// InitPlace is where the spec names the initial weights.
func (b *Builder) InitPlace() *spec.Value { return b.doc.Root.Get("model").Get("init") }

// Size is what a network on images of side x side pixels asks of its data, given the taps of a loss.
func (b *Builder) Size(network *nn.Network, side int, terms []Term, at *spec.Value) (Size, bool) {
	tap := "pooled"
	for _, t := range terms {
		if t.Saliency() {
			tap = t.Tap
		}
	}
	h, w, err := network.Grid(side, tap)
	if err != nil {
		b.Diags.Add(at.Pos, spec.OutOfRange, "%v", err)
		return Size{}, false
	}
	return Size{Side: side, H: h, W: w}, true
}

// Classes is the number of classes: Real and Synthetic.
const Classes = 2

// Loss is the terms of a loss by its name.
func (b *Builder) Loss(at *spec.Value, name string) []Term {
	var names []string
	for _, l := range b.losses {
		if l.name == name {
			return l.terms
		}
		names = append(names, l.name)
	}
	b.Diags.Add(at.Pos, spec.UnknownLoss, "there is no loss %q%s; there are: %s", name, spec.Suggest(name, names), strings.Join(names, ", "))
	return nil
}

// Stage is the nodes of a kind among the nodes and all that they need, in graph order, each once.
func Upstream(nodes []*graph.Node, kind string) []*graph.Node {
	var out []*graph.Node
	seen := map[*graph.Node]bool{}
	var visit func(n *graph.Node)
	visit = func(n *graph.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, e := range n.Needs {
			visit(e.From)
		}
		if n.Stage.Kind == kind {
			out = append(out, n)
		}
	}
	for _, n := range nodes {
		visit(n)
	}
	return out
}

// Threads is the number of cores of a node: what the spec says, or all of the machine's.
func (b *Builder) Threads(threads int) int {
	if threads == 0 {
		return b.Cores
	}
	return threads
}

// File checks that a file of the user's is there.
func (b *Builder) File(at *spec.Value, path, what, mend string) bool {
	if !b.Files || exists(path) {
		return true
	}
	b.Diags.Add(at.Pos, spec.MissingFile, "%s: there is no file %s%s", what, path, mend)
	return false
}

func (b *Builder) unused() {
	for _, d := range b.datasets {
		if !b.used[d.name] && b.Diags.Len() == 0 {
			b.Diags.Add(b.doc.Root.Get("datasets").Key(d.name).Pos, spec.UnusedDataset, "the data set %q is used by no stage", d.name)
		}
	}
}

func (d *Dataset) String() string { return fmt.Sprintf("data set %q", d.name) }
