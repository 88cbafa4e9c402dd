package experiment

import (
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Model is the spec's model, with another architecture or initial weights where those are not empty.
func (b *Builder) Model(at diag.Pos, arch string) (Model, *nn.Network) {
	m := b.model
	place := diag.Pos{File: b.doc.Path}
	if v := b.doc.Root.Get("model").Get("arch"); v != nil {
		place = v.Pos
	}
	if arch != "" {
		m.Arch, place = Arch{Name: arch}, at
	}
	if b.doc.Root.Get("model").Absent() && arch == "" {
		b.Diags.Add(at, spec.Missing, "a spec that trains needs a model: model: {arch: resnet50}")
		return m, nil
	}
	network, ok := b.network(m.Arch)
	if !ok {
		if name := m.Arch.Name; name != "" { // an absent one was reported by Decode
			b.Diags.Add(place, spec.UnknownArch, "model.arch: there is no network %q%s; there are: %s",
				name, spec.Suggest(name, nn.Names()), strings.Join(nn.Names(), ", "))
		}
		return m, nil
	}
	m = b.as(m)
	if m.Side == 0 {
		m.Side = network.Input.Side
	}
	return m, network
}

// as is the model with what its network has in place of it. First weights of networks that no stage takes need not be there.
func (b *Builder) as(m Model) Model {
	m.ByArch = nil
	for _, v := range b.model.ByArch {
		if v.Name != m.Arch.Name {
			continue
		}
		if init := v.From.Get("init"); !init.Absent() {
			m.Init = v.Value.Init
			if !b.looked[v.Name] {
				b.looked[v.Name] = true
				b.InitialFile(init.Pos, m.Init)
			}
		}
		if v.Value.Side != 0 {
			m.Side = v.Value.Side
		}
		if v.Value.Dropout != nil {
			m.Dropout = v.Value.Dropout
		}
		if v.Value.BatchNorm != "" {
			m.BatchNorm = v.Value.BatchNorm
		}
	}
	return m
}

// shapes is what is known of a network of this program: to infer its shapes for each node of a matrix would take longer
// than all else.
type shapes struct {
	network *nn.Network
	grids   map[gridKey][2]int
}

type gridKey struct {
	side int
	tap  string
}

// Network is the network of a resolved model, shared by all nodes that ask for it: the side of its images is the model's, not
// that of its Input. ok is false where there is none of that name.
func (b *Builder) Network(m Model) (n *nn.Network, ok bool) { return b.network(m.Arch) }

// network builds the described network, those of this program once.
func (b *Builder) network(arch Arch) (*nn.Network, bool) {
	if arch.TorchScript != "" {
		return arch.network()
	}
	if known, ok := b.networks[arch.Name]; ok {
		return known.network, true
	}
	network, ok := arch.network()
	if ok {
		b.networks[arch.Name] = shapes{network, map[gridKey][2]int{}}
	}
	return network, ok
}

// grid is the height and width of a network's map at a tap.
func (b *Builder) grid(network *nn.Network, side int, tap string) (h, w int, err error) {
	known, key := b.networks[network.Name], gridKey{side, tap}
	if grid, ok := known.grids[key]; ok && known.network == network {
		return grid[0], grid[1], nil
	}
	if h, w, err = network.Grid(side, tap); err == nil && known.network == network {
		known.grids[key] = [2]int{h, w}
	}
	return h, w, err
}

// FilesOf are the files that a model's network comes from; none where specs are looked at without files.
func (b *Builder) FilesOf(m Model) []string {
	if m.Arch.TorchScript == "" || !b.Files {
		return nil
	}
	return []string{m.Arch.TorchScript}
}

// Size is what a network on images of side x side pixels asks of its data so that its CAMs at those taps can be compared
// with maps; without taps, at the pooled one, and for a network that makes no CAMs on one cell.
func (b *Builder) Size(network *nn.Network, side int, at diag.Pos, taps ...string) (Size, bool) {
	if len(taps) == 0 {
		if network.Script != nil && network.Script.Map == 0 {
			return Size{Side: side, H: 1, W: 1}, true
		}
		taps = []string{"pooled"}
	}
	var size Size
	for i, tap := range taps {
		h, w, err := b.grid(network, side, tap)
		if err != nil {
			b.Diags.Add(at, spec.OutOfRange, "%v", err)
			return Size{}, false
		}
		if here := (Size{Side: side, H: h, W: w}); i > 0 && here != size {
			b.Diags.Add(at, spec.OutOfRange, "the taps %s and %s of one loss have grids of %dx%d and %dx%d cells; take taps of one grid",
				taps[0], tap, size.H, size.W, h, w)
			return Size{}, false
		} else {
			size = here
		}
	}
	return size, true
}
