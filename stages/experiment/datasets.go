package experiment

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/generate"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// Size is what a network asks of a data set: images of Side x Side pixels, maps of H x W cells.
type Size struct{ Side, H, W int }

type dataKey struct {
	name string
	size Size
}

// Data is the node that packs a data set at that size. at is where the spec names it. It is nil after a mistake.
func (b *Builder) Data(at diag.Pos, name string, size Size) *graph.Node {
	d := b.dataset(at, name)
	if d == nil {
		return nil
	}
	key := dataKey{name, size}
	if n, ok := b.data[key]; ok {
		return n
	}
	if !sound(d) {
		return nil // reported
	}
	b.chain = append(b.chain, dataSet+name)
	n := b.pack(d, size)
	b.chain = b.chain[:len(b.chain)-1]
	b.data[key] = n
	if n != nil {
		b.nodes = append(b.nodes, n)
	}
	return n
}

// With lists the data sets whose rows a data set is scored with, itself first.
func (b *Builder) With(at diag.Pos, name string) []string {
	names := []string{name}
	if d := b.dataset(at, name); d != nil {
		for _, other := range d.Value.With {
			if b.dataset(d.From.Get("with").Pos, other) != nil {
				names = append(names, other)
			}
		}
	}
	return names
}

// Saliency is the declaration of a data set's map of that name, or nil with a mistake reported at `at`.
func (b *Builder) Saliency(at diag.Pos, dataset, name string) *Saliency {
	d := b.dataset(at, dataset)
	if d == nil {
		return nil
	}
	if have := d.Value.Saliency.Get(name); have != nil {
		return have
	}
	names, have := d.Value.Saliency.Names(), "it has none"
	if len(names) > 0 {
		have = "there are: " + strings.Join(names, ", ")
	}
	b.Diags.Add(at, spec.UnknownDataset, "the data set %q has no saliency %q%s; %s", dataset, name, spec.Suggest(name, names), have)
	return nil
}

// SimulatedMaps names the maps of a data node that no person drew.
func SimulatedMaps(n *graph.Node) (names []string) {
	p, ok := n.Params.(prepare.Params)
	if !ok {
		return nil
	}
	simulated := map[string]bool{}
	for _, s := range p.Saliency {
		simulated[s.Name] = s.Simulated || simulated[s.From] || slices.ContainsFunc(p.Combined(s), func(of string) bool { return simulated[of] })
		if simulated[s.Name] {
			names = append(names, s.Name)
		}
	}
	return names
}

type datasetEntry = spec.Entry[Dataset]

func (b *Builder) dataset(at diag.Pos, name string) *datasetEntry {
	for i := range b.datasets {
		if b.datasets[i].Name == name {
			b.used[name] = true
			return &b.datasets[i]
		}
	}
	names, preset := b.datasets.Names(), ""
	if b.cell != nil {
		if path := spec.PresetBy(b.cell.Params, b.cell.values, name); path != "" {
			preset = fmt.Sprintf(", which is the default of %s.%s", b.cell.stage.kind.Kind, path)
		}
	}
	b.Diags.Add(at, spec.UnknownDataset, "there is no data set %q%s%s; there are: %s", name, preset, spec.Suggest(name, names), strings.Join(names, ", "))
	return nil
}

// pack makes the node that decodes and resizes a data set, and the one that generates it where nothing has.
func (b *Builder) pack(entry *datasetEntry, size Size) *graph.Node {
	d := &entry.Value
	p := prepare.Params{
		Where: d.Where, Labels: d.Labels, Side: size.Side, GridH: size.H, GridW: size.W,
		MaxPixels: d.MaxPixels, OnBadImage: d.OnBadImage,
	}
	n := &graph.Node{Name: b.dataName(entry.Name, size), Stage: prepare.Stage, CPUs: b.Cores, Pos: entry.Pos,
		Title: "dataset " + entry.Name, Section: "datasets." + entry.Name}
	if !b.list(entry, n, &p) {
		return nil
	}
	for _, named := range d.Saliency {
		source := d.source(named)
		if named.Value.Stage != "" {
			source.Size = "any" // the stage knows its images
			simulated, ok := b.madeMaps(n, named)
			if !ok {
				return nil
			}
			source.Simulated = source.Simulated || simulated
		}
		p.Saliency = append(p.Saliency, source)
	}
	if err := p.Validate(); err != nil {
		b.Diags.Add(entry.Pos, spec.NotAllowed, "the data set %q: %v", entry.Name, err)
		return nil
	}
	if d.Generate == nil && !b.external(entry, p, n) {
		return nil
	}
	n.Params = p
	return n
}

// source is a declared map as it is prepared.
func (d *Dataset) source(named spec.Entry[Saliency]) prepare.Saliency {
	s := named.Value
	source := prepare.Saliency{Name: named.Name, Maps: s.Maps, Masks: s.Masks, Parts: s.Parts, Made: s.Stage != "", Combine: s.Combine,
		Simulated: s.Simulated || d.Generate != nil, Required: s.Required, Size: s.Size, Mode: s.Mode, Filter: s.Filter,
		From: s.From, Shuffle: s.Shuffle, ShuffleSeed: s.Seed}
	if s.Layout != "" {
		source.Layout, source.Size, source.Mode = s.Layout, "any", "convert"
	}
	return source
}

// list says where a data set's images are, and adds the node that generates them to the needs of n.
func (b *Builder) list(entry *datasetEntry, n *graph.Node, p *prepare.Params) bool {
	d := &entry.Value
	switch {
	case d.Generate != nil && d.CSV != "":
		b.Diags.Add(entry.From.Get("csv").Pos, spec.NotAllowed, "the data set %q is generated and has a list of its own: take csv away", entry.Name)
		return false
	case d.Generate != nil:
		p.CSV, p.Header = "data.csv", "yes"
		n.Needs = append(n.Needs, graph.Edge{Port: prepare.Source, From: b.generated(entry), Output: "data"})
	case d.CSV == "":
		b.Diags.Add(entry.Pos, spec.Missing, "the data set %q needs csv: FILE, the list of its images, or generate", entry.Name)
		return false
	default:
		p.CSV, p.Header = entry.From.Get("csv").Resolve(), d.Header
		if root := entry.From.Get("root"); !root.Absent() {
			p.Root = root.Resolve()
		}
	}
	return true
}

// Images makes the images of a data set an input of a node, as they are and without maps: its list and files, or what
// generates them. The parameters are those of a plan (prepare.NewPlan) that only looks for images.
func (b *Builder) Images(n *graph.Node, at diag.Pos, name string) (p prepare.Params, ok bool) {
	entry := b.dataset(at, name)
	if entry == nil || !sound(entry) {
		return p, false
	}
	d := &entry.Value
	p = prepare.Params{Where: d.Where, Labels: d.Labels, Side: 1, GridH: 1, GridW: 1, MaxPixels: d.MaxPixels, OnBadImage: d.OnBadImage}
	if !b.list(entry, n, &p) {
		return p, false
	}
	if err := p.Validate(); err != nil {
		b.Diags.Add(entry.Pos, spec.NotAllowed, "the data set %q: %v", entry.Name, err)
		return p, false
	}
	files := n.Files
	ok = d.Generate != nil || b.external(entry, p, n)
	n.Files = append(files, n.Files...)
	return p, ok
}

// mapKinds are the kinds of stage that make maps, with whether no person made them.
var mapKinds = map[string]bool{"saliency": false, "annotate": true}

// MapsFolder is the output of the stages that make maps: a folder with one 8-bit grey PNG for each image that has one, called
// as prepare.MadeFile says.
const MapsFolder = "maps"

// MakesMaps is the parameters of a node that makes maps, where they can be simulated.
type MakesMaps interface{ SimulatedMaps() bool }

// madeMaps makes the maps of a stage an input of the node that packs a data set.
func (b *Builder) madeMaps(n *graph.Node, named spec.Entry[Saliency]) (simulated, ok bool) {
	name, at := named.Value.Stage, named.From.Get("stage").Pos
	uses := b.uses(name)
	simulated, makes := mapKinds[uses]
	switch {
	case !slices.ContainsFunc(b.doc.Stages, func(s spec.Stage) bool { return s.Name == name }):
		var names []string
		for _, s := range b.doc.Stages {
			names = append(names, s.Name)
		}
		b.Diags.Add(at, spec.UnknownStage, "saliency.%s: %q is not a stage%s; there are: %s", named.Name, name, spec.Suggest(name, names), strings.Join(names, ", "))
		return false, false
	case !b.hasKind(name): // reported
		return false, false
	case !makes:
		b.Diags.Add(at, spec.NotAllowed, "saliency.%s: the stage %q uses %s, which makes no maps; saliency and annotate do", named.Name, name, uses)
		return false, false
	case !b.build(name):
		b.circle(at, name)
		return false, false
	}
	switch made := b.made[name]; len(made) {
	case 0: // its own mistakes were reported
		return false, false
	case 1:
		n.Needs = append(n.Needs, graph.Edge{Port: prepare.MadePort(named.Name), From: made[0], Output: MapsFolder})
		if maps, ok := made[0].Params.(MakesMaps); ok {
			simulated = simulated || maps.SimulatedMaps()
		}
		return simulated, true
	default:
		b.Diags.Add(at, spec.BadMatrix, "saliency.%s: the stage %q has %d nodes, and maps come from one; take its matrix away", named.Name, name, len(made))
		return false, false
	}
}

// external checks and lists the files of a data set that is not generated.
func (b *Builder) external(entry *datasetEntry, p prepare.Params, n *graph.Node) bool {
	if !exists(p.CSV) && b.Files {
		return false // reported
	}
	if !b.listed(entry) {
		return false
	}
	if !b.Files {
		return true
	}
	b.read[entry.Name] = true
	plan, err := prepare.NewPlan(p)
	if !b.readable(entry, err) {
		return false
	}
	n.Files = plan.Files()
	b.coverage[n] = coverageOf(plan)
	return true
}

func (b *Builder) generated(entry *datasetEntry) *graph.Node {
	key := dataKey{name: entry.Name}
	if n, ok := b.data[key]; ok {
		return n
	}
	if _, err := entry.Value.Generate.Set(); err != nil {
		b.Diags.Add(entry.From.Get("generate").Pos, spec.OutOfRange, "the data set %q: %v", entry.Name, err)
	}
	n := &graph.Node{Name: "generate." + entry.Name, Stage: generate.Stage, Params: *entry.Value.Generate, CPUs: 1, Pos: entry.Pos,
		Section: "datasets." + entry.Name + ".generate"}
	b.data[key] = n
	b.nodes = append(b.nodes, n)
	return n
}

// dataName is data.train, with the size behind it for a second size of the same data set.
func (b *Builder) dataName(name string, size Size) string {
	for key := range b.data {
		if key.name == name && key.size != (Size{}) {
			return graph.Name("data."+name, []graph.Axis{{Name: "size", Value: fmt.Sprintf("%dto%dx%d", size.Side, size.H, size.W)}})
		}
	}
	return "data." + name
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Edge adds a data set as an input of a node.
func (b *Builder) Edge(n *graph.Node, port string, at diag.Pos, name string, size Size) {
	if from := b.Data(at, name, size); from != nil {
		n.Needs = append(n.Needs, graph.Edge{Port: port, From: from, Output: "data.pack"})
	}
}

// DataSize is the size at which a trained node's data were packed; of weights from elsewhere, that of their network.
func (b *Builder) DataSize(fit *graph.Node) (Size, bool) {
	for _, e := range fit.Needs {
		if p, ok := e.From.Params.(prepare.Params); ok {
			return Size{p.Side, p.GridH, p.GridW}, true
		}
	}
	trained, ok := fit.Params.(WithNetwork)
	if !ok || len(fit.Needs) > 0 {
		return Size{}, false
	}
	model := trained.Network().Model
	network, ok := b.Network(model)
	if !ok {
		return Size{}, false
	}
	return b.Size(network, model.Side, fit.Pos)
}
