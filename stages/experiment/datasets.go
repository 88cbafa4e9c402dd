package experiment

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/table"
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
	n := b.pack(d, size)
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
		simulated[s.Name] = s.Simulated || simulated[s.From]
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
	names := b.datasets.Names()
	b.Diags.Add(at, spec.UnknownDataset, "there is no data set %q%s; there are: %s", name, spec.Suggest(name, names), strings.Join(names, ", "))
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
	for _, named := range d.Saliency {
		s := named.Value
		p.Saliency = append(p.Saliency, prepare.Saliency{Name: named.Name, Maps: s.Maps, Masks: s.Masks, Parts: s.Parts,
			Simulated: s.Simulated || d.Generate != nil, Required: s.Required, Size: s.Size, Mode: s.Mode, Filter: s.Filter,
			From: s.From, Shuffle: s.Shuffle, ShuffleSeed: s.Seed})
	}
	switch {
	case d.Generate != nil && d.CSV != "":
		b.Diags.Add(entry.From.Get("csv").Pos, spec.NotAllowed, "the data set %q is generated and has a list of its own: take csv away", entry.Name)
		return nil
	case d.Generate != nil:
		p.CSV, p.Header = "data.csv", "yes"
		n.Needs = []graph.Edge{{Port: prepare.Source, From: b.generated(entry), Output: "data"}}
	case d.CSV == "":
		b.Diags.Add(entry.Pos, spec.Missing, "the data set %q needs csv: FILE, the list of its images, or generate", entry.Name)
		return nil
	default:
		p.CSV, p.Header = entry.From.Get("csv").Resolve(), d.Header
		if root := entry.From.Get("root"); !root.Absent() {
			p.Root = root.Resolve()
		}
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

// external checks and lists the files of a data set that is not generated.
func (b *Builder) external(entry *datasetEntry, p prepare.Params, n *graph.Node) bool {
	if !b.Files {
		return true
	}
	if !exists(p.CSV) {
		return false // reported
	}
	files, err := prepare.Files(p)
	var where *table.WhereError
	if errors.As(err, &where) {
		b.Diags.Add(entry.From.Get("where").Pos, spec.BadExpression, "the data set %q: %v", entry.Name, err)
		return false
	}
	if err != nil {
		b.problems = append(b.problems, fmt.Errorf("the data set %q: %w", entry.Name, err))
		return false
	}
	n.Files = files
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
	network, err := Network(trained.Network().Model)
	if err != nil {
		return Size{}, false
	}
	return b.Size(network, network.Input.Side, fit.Pos)
}
