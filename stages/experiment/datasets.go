package experiment

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
func (b *Builder) Data(at *spec.Value, name string, size Size) *graph.Node {
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
func (b *Builder) With(at *spec.Value, name string) []string {
	names := []string{name}
	if d := b.dataset(at, name); d != nil {
		for _, other := range d.With {
			if b.dataset(d.at.Get("with"), other) != nil {
				names = append(names, other)
			}
		}
	}
	return names
}

// Saliency is the declaration of a data set's map of that name, or nil with a mistake reported at `at`.
func (b *Builder) Saliency(at *spec.Value, dataset, name string) *Saliency {
	d := b.dataset(at, dataset)
	if d == nil {
		return nil
	}
	var names []string
	for i := range d.Saliency {
		if d.Saliency[i].name == name {
			return &d.Saliency[i]
		}
		names = append(names, d.Saliency[i].name)
	}
	have := "it has none"
	if len(names) > 0 {
		have = "there are: " + strings.Join(names, ", ")
	}
	b.Diags.Add(at.Pos, spec.UnknownDataset, "the data set %q has no saliency %q%s; %s", dataset, name, spec.Suggest(name, names), have)
	return nil
}

// Simulated tells whether maps of that name, or those that they come from, were drawn by no person.
func (b *Builder) Simulated(dataset, name string) bool {
	for _, d := range b.datasets {
		if d.name != dataset {
			continue
		}
		for _, s := range d.Saliency {
			if s.name == name {
				return s.Simulated || d.Generate != nil || (s.From != "" && b.Simulated(dataset, s.From))
			}
		}
	}
	return false
}

// Generated tells whether the images of a data set are simulated.
func (b *Builder) Generated(name string) bool {
	for _, d := range b.datasets {
		if d.name == name {
			return d.Generate != nil
		}
	}
	return false
}

func (b *Builder) dataset(at *spec.Value, name string) *Dataset {
	var names []string
	for _, d := range b.datasets {
		if d.name == name {
			b.used[name] = true
			return d
		}
		names = append(names, d.name)
	}
	b.Diags.Add(at.Pos, spec.UnknownDataset, "there is no data set %q%s; there are: %s", name, spec.Suggest(name, names), strings.Join(names, ", "))
	return nil
}

// pack makes the node that decodes and resizes a data set, and the one that generates it where nothing has.
func (b *Builder) pack(d *Dataset, size Size) *graph.Node {
	p := prepare.Params{
		Where: d.Where, Labels: d.Labels, Side: size.Side, GridH: size.H, GridW: size.W,
		MaxPixels: d.MaxPixels, OnBadImage: "fail",
	}
	n := &graph.Node{Name: b.dataName(d.name, size), Stage: prepare.Stage, CPUs: b.Cores, Pos: d.at.Pos}
	for _, s := range d.Saliency {
		p.Saliency = append(p.Saliency, prepare.Saliency{Name: s.name, Maps: s.Maps, Masks: s.Masks, Parts: s.Parts,
			Simulated: s.Simulated || d.Generate != nil, Required: s.Required, Size: s.Size, Mode: s.Mode, Filter: s.Filter,
			From: s.From, Shuffle: s.Shuffle, ShuffleSeed: s.Seed})
	}
	switch {
	case d.Generate != nil && d.CSV != "":
		b.Diags.Add(d.at.Get("csv").Pos, spec.NotAllowed, "%s is generated: it has a CSV of its own; take csv away", d)
		return nil
	case d.Generate != nil:
		p.CSV, p.Header = "data.csv", "yes"
		n.Needs = []graph.Edge{{Port: "source", From: b.generated(d), Output: "data"}}
	case d.CSV == "":
		b.Diags.Add(d.at.Pos, spec.Missing, "%s needs csv: FILE, the list of its images, or generate", d)
		return nil
	default:
		p.CSV, p.Header = d.at.Get("csv").Resolve(), d.Header
		p.Root = filepath.Dir(p.CSV)
		if root := d.at.Get("root"); !root.Absent() {
			p.Root = root.Resolve()
		}
		if !b.external(d, &p, n) {
			return nil
		}
	}
	n.Params = p
	return n
}

// external checks and lists the files of a data set that is not generated.
func (b *Builder) external(d *Dataset, p *prepare.Params, n *graph.Node) bool {
	if !b.Files {
		return true
	}
	if !b.File(d.at.Get("csv"), p.CSV, d.String(), "") {
		return false
	}
	files, err := prepare.Files(*p)
	if err != nil {
		b.problems = append(b.problems, err)
		return false
	}
	n.Files = files
	return true
}

func (b *Builder) generated(d *Dataset) *graph.Node {
	key := dataKey{name: d.name}
	if n, ok := b.data[key]; ok {
		return n
	}
	n := &graph.Node{Name: "generate." + d.name, Stage: generate.Stage, Params: d.Generate, CPUs: 1, Pos: d.at.Pos}
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
func (b *Builder) Edge(n *graph.Node, port string, at *spec.Value, name string, size Size) {
	if from := b.Data(at, name, size); from != nil {
		n.Needs = append(n.Needs, graph.Edge{Port: port, From: from, Output: "data.pack"})
	}
}

// DataSize is the size at which a trained node's data were packed.
func (b *Builder) DataSize(fit *graph.Node) (Size, bool) {
	for _, e := range fit.Needs {
		if p, ok := e.From.Params.(prepare.Params); ok {
			return Size{p.Side, p.GridH, p.GridW}, true
		}
	}
	return Size{}, false
}
