package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/lock"
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
	datasets spec.Named[Dataset]
	losses   spec.Named[[]Term]

	nodes []*graph.Node
	fresh []*graph.Node // the last of them, which are not settled yet
	data  map[dataKey]*graph.Node
	made  map[string][]*graph.Node // by stage name
	used  map[string]bool          // data sets
	lists map[string]bool          // data sets whose list was read: whether it is as the spec says

	absent map[string]bool // data sets whose list is not there

	stages   map[string]stageDecl // of a known kind
	progress map[string]int       // of stages: begun or finished
	chain    []string             // the stages and data sets that are being built, the outer ones first

	networks map[string]shapes // by name
	coverage map[*graph.Node]map[string]Coverage
	looked   map[string]bool   // networks whose first weights were looked for
	mapless  map[diag.Pos]bool // maps that a loss reads and no image has

	read map[string]bool // data sets whose files were looked for
	cell *Cell           // that is being wired
}

// maxMistakes is after how many mistakes the nodes of a matrix are no longer looked at: more of them say nothing new.
const maxMistakes = 100

// settledAtOnce is how many nodes are settled together: for fewer, waking another core costs more than it brings.
const settledAtOnce = 64

// Options of Build.
type Options struct {
	Cores   int
	NoFiles bool // check a spec whose data is not at hand

	Lists *Lists // if not nil, gets what is known of the lists
}

// Build makes the graph of a spec, or reports all that is wrong with it, and with the lists and images that it names, in
// diags.
func Build(doc *spec.Document, kinds []Kind, o Options, diags *diag.List) (*graph.Graph, error) {
	b := &Builder{Diags: diags, Cores: max(1, o.Cores), Files: !o.NoFiles, doc: doc, kinds: kinds,
		data: map[dataKey]*graph.Node{}, made: map[string][]*graph.Node{}, used: map[string]bool{}, lists: map[string]bool{}, absent: map[string]bool{},
		networks: map[string]shapes{}, coverage: map[*graph.Node]map[string]Coverage{}, looked: map[string]bool{}, mapless: map[diag.Pos]bool{},
		read:   map[string]bool{},
		stages: map[string]stageDecl{}, progress: map[string]int{}}
	b.sections()
	for _, stage := range b.ordered() {
		b.stages[stage.Name] = stage
	}
	for _, stage := range doc.Stages {
		b.build(stage.Name)
	}
	b.unused()
	b.unread()
	if o.Lists != nil {
		*o.Lists = b.known()
	}
	if diags.Len() > 0 {
		return nil, nil
	}
	return graph.New(b.nodes)
}

// Sections are the top-level keys that specs may have beside the frame, with their Go types.
func Sections(kinds []Kind) map[string]any {
	sections := map[string]any{
		"datasets": (*spec.Named[Dataset])(nil),
		"model":    (*Model)(nil),
		"losses":   (*spec.Named[[]Term])(nil),

		ReproduceSection: (*lock.Reproduce)(nil),
	}
	for _, k := range kinds {
		sections[k.Kind] = k.Params()
	}
	return sections
}

// sections decodes datasets, model and losses, and looks over the sections of the kinds.
func (b *Builder) sections() {
	root := b.doc.Root
	if model := root.Get("model"); !model.Absent() {
		spec.Decode(model, &b.model, b.Diags)
	}
	if datasets := root.Get("datasets"); !datasets.Absent() {
		spec.Decode(datasets, &b.datasets, b.Diags)
	}
	if losses := root.Get("losses"); !losses.Absent() {
		spec.Decode(losses, &b.losses, b.Diags)
	}
	for _, loss := range b.losses {
		checkLoss(loss, b.Diags)
		if len(loss.Value) == 0 && loss.From.Kind != spec.Invalid {
			b.Diags.Add(loss.Pos, spec.Missing, "losses.%s: at least one term is needed: [{term: cross_entropy}]", loss.Name)
		}
	}
	Reproduce(b.doc, b.Diags)
	b.named()
	for _, k := range b.kinds {
		if section := root.Get(k.Kind); !section.Absent() {
			b.report(section, k.Params(), func(d diag.Diagnostic) bool { return d.Code != spec.Missing }) // which a stage or its matrix may give
		}
	}
}

// named looks for what the sections name, whether or not other mistakes keep a stage from using it.
func (b *Builder) named() {
	model := b.doc.Root.Get("model")
	if b.model.Arch.String() != "" {
		b.Model(model.Pos, "")
	}
	if script := b.model.Arch.TorchScript; script != "" {
		b.File(model.Get("arch").Pos, script, "model.arch.torchscript", "; write it in Python by torch.jit.script(net).save(...)")
	}
	if init := model.Get("init"); !init.Absent() {
		b.InitialFile(init.Pos, b.model.Init)
	}
	for _, v := range b.model.ByArch {
		if !slices.Contains(nn.Names(), v.Name) {
			b.Diags.Add(v.Pos, spec.UnknownArch, "model.by_arch: there is no network %q%s; there are: %s",
				v.Name, spec.Suggest(v.Name, nn.Names()), strings.Join(nn.Names(), ", "))
		}
	}
	for _, d := range b.datasets {
		if d.Value.CSV != "" && d.Value.Generate == nil {
			at := d.From.Get("csv")
			b.File(at.Pos, at.Resolve(), fmt.Sprintf("the data set %q", d.Name), "")
		}
	}
}

// InitialFile looks for a file of first weights.
func (b *Builder) InitialFile(at diag.Pos, init Init) {
	if init.From != "" {
		b.File(at, init.From, "model.init", "; take `init` away to start from random weights, or bring the file there")
	}
}

// report decodes a value and keeps those mistakes that pass.
func (b *Builder) report(v *spec.Value, into any, pass func(diag.Diagnostic) bool) (clean bool) {
	var found diag.List
	spec.Decode(v, into, &found)
	for _, d := range found.All() {
		if pass(d) {
			b.Diags.Add(d.Pos, d.Code, "%s", d.Message)
		}
	}
	return found.Len() == 0
}

// stage makes the nodes of one stage.
func (b *Builder) stage(s stageDecl) {
	if kinds := s.kind.Needs; len(kinds) > 0 {
		if !slices.ContainsFunc(s.Needs, func(need *spec.Value) bool { return slices.Contains(kinds, b.uses(need.Text())) }) {
			if !slices.ContainsFunc(s.Needs, func(need *spec.Value) bool { return !b.hasKind(need.Text()) }) { // else it was reported
				b.Diags.Add(s.Pos, spec.MissingInput, "stage %q (%s) needs a stage that uses %s: write needs: NAME", s.Name, s.kind.Kind, strings.Join(kinds, " or "))
			}
			return
		}
	}
	var needed []*graph.Node
	for i, need := range s.Needs {
		if slices.ContainsFunc(s.Needs[:i], func(before *spec.Value) bool { return before.Text() == need.Text() }) {
			continue // named twice
		}
		if uses := b.uses(need.Text()); s.kind.Each && !slices.Contains(s.kind.Needs, uses) && uses != "" {
			b.Diags.Add(need.Pos, spec.MissingInput, "stage %q (%s) is done for each node of a stage that uses %s; %q uses %s",
				s.Name, s.kind.Kind, strings.Join(s.kind.Needs, " or "), need.Text(), uses)
			return
		}
		needed = append(needed, b.made[need.Text()]...)
	}
	s.CheckKeys(s.kind.Params(), b.Diags)
	common := b.doc.Root.Get(s.kind.Kind)
	s.values = spec.Overlay(common, s.Params, b.Diags)
	s.whole = s.values.Sound() && (common.Absent() || common.Kind == spec.Map)
	if !s.kind.Each {
		b.cells(s, needed, nil)
		return
	}
	for _, n := range needed {
		b.cells(s, []*graph.Node{n}, n.Axes)
	}
}

// uses is the kind of a stage by its name.
func (b *Builder) uses(stage string) string {
	for _, s := range b.doc.Stages {
		if s.Name == stage && s.Uses != nil {
			return s.Uses.Text()
		}
	}
	return ""
}

// hasKind tells whether a stage is there and of a known kind.
func (b *Builder) hasKind(stage string) bool {
	uses := b.uses(stage)
	return slices.ContainsFunc(b.kinds, func(k Kind) bool { return k.Kind == uses })
}

// cells makes a node for each combination of a stage's matrix, behind the matrix values of the node that it needs.
func (b *Builder) cells(s stageDecl, needed []*graph.Node, inherited []graph.Axis) {
	for _, axis := range s.Matrix.Axes {
		if slices.ContainsFunc(inherited, func(a graph.Axis) bool { return a.Name == axis.Name }) {
			b.Diags.Add(axis.Pos, spec.BadMatrix, "stage %q: the axis %q comes from the stage that it needs already", s.Name, axis.Name)
			return
		}
	}
	for _, points := range s.Matrix.Cells() {
		if b.Diags.Len() > maxMistakes {
			return
		}
		c := &Cell{stage: s, points: points, Axes: make([]graph.Axis, 0, len(inherited)+len(points)), Params: s.kind.Params(), Needs: needed}
		c.Axes = append(c.Axes, inherited...)
		for i, axis := range s.Matrix.Axes {
			c.Axes = append(c.Axes, graph.Axis{Name: axis.Name, Value: points[i].Text})
		}
		b.wire(c, s.values.With(s.Matrix.Axes, points))
	}
}

func (b *Builder) wire(c *Cell, values *spec.Value) {
	c.values = values
	known := map[string]bool{}
	for _, d := range b.Diags.All() {
		known[d.Pos.String()] = true // most often under the name of its section
	}
	s := c.stage
	given := s.whole && !s.Matrix.Bad // else what is missing was refused
	if !b.report(values, c.Params, func(d diag.Diagnostic) bool { return !known[d.Pos.String()] && (given || d.Code != spec.Missing) }) || !s.whole {
		return
	}
	n := &graph.Node{Name: graph.Name(s.Name, c.Axes), Stage: s.kind.Stage, Axes: c.Axes, CPUs: 1, Pos: s.Pos, Handling: s.Handling}
	outer := b.cell // maps of a data set may be those of another stage
	b.cell = c
	s.kind.Bind(b, c, n)
	b.cell = outer
	b.nodes = append(b.nodes, n)
	if b.fresh = append(b.fresh, n); len(b.fresh) == settledAtOnce {
		graph.Settle(b.fresh)
		b.fresh = nil
	}
	b.made[s.Name] = append(b.made[s.Name], n)
}

// Classes is the number of classes: Real and Synthetic.
const Classes = 2

// Loss is the terms of a loss by its name, each with the keys that it reads.
func (b *Builder) Loss(at diag.Pos, name string) []Term {
	if declared := b.losses.Get(name); declared != nil {
		terms := slices.Clone(*declared)
		for i, t := range terms {
			terms[i] = t.plain()
		}
		return terms
	}
	names := b.losses.Names()
	b.Diags.Add(at, spec.UnknownLoss, "there is no loss %q%s; there are: %s", name, spec.Suggest(name, names), strings.Join(names, ", "))
	return nil
}

// Upstream is the nodes of some kinds among the nodes and all that they need, in graph order, each once.
func Upstream(nodes []*graph.Node, kinds ...string) []*graph.Node {
	var out []*graph.Node
	seen := make(map[*graph.Node]bool, 2*len(nodes))
	var visit func(n *graph.Node)
	visit = func(n *graph.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, e := range n.Needs {
			visit(e.From)
		}
		if slices.Contains(kinds, n.Stage.Kind) {
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

// File looks for a file that a spec names, unless specs are looked at without files; what and mend go around its path.
func (b *Builder) File(at diag.Pos, path, what, mend string) {
	if !b.Files {
		return
	}
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		b.Diags.Add(at, spec.MissingFile, "%s: there is no file %s%s", what, path, mend)
	case err != nil: // it may be there
		b.Diags.Add(at, spec.MissingFile, "%s: %v", what, err)
	}
}

func (b *Builder) unused() {
	for _, d := range b.datasets {
		if !b.used[d.Name] && b.Diags.Len() == 0 { // other mistakes may keep a stage from using it
			b.Diags.Add(d.Pos, spec.UnusedDataset, "the data set %q is used by no stage", d.Name)
		}
	}
}
