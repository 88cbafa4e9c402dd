// Package loader brings the rows of a packed data set to a device, batch by batch.
//
// On the CPU a batch is gathered straight from the mapped file. On a CUDA device a set that fits lives there whole, as
// bytes, and a batch is gathered there; a larger one is sent batch by batch through pinned memory. Normalisation is the
// model's. A Loader belongs to the goroutine of the scope that it was made in and ends with that scope, before its pack.
package loader

import (
	"fmt"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// resident is the most bytes of images that are kept on a CUDA device: the paper's 20,000 validation images at 224
// pixels are 3.0 GB.
const resident = 4 << 30

// Loader serves one packed data set.
type Loader struct {
	Set *pack.Set

	device torch.Device
	pixels torch.Tensor // [N,side,side,3] uint8, on the device where resident, else on the CPU
	labels torch.Tensor // [N] int64, on the device
	maps   map[string]loss.Maps
	count  int
}

// New prepares a set for a device, with the named maps, each of which at least one image must have. What it makes belongs
// to s.
func New(s *torch.Scope, device torch.Device, set *pack.Set, maps []string) (*Loader, error) {
	l := &Loader{Set: set, device: device, maps: map[string]loss.Maps{}, count: set.Len()}
	side := set.Side()
	l.pixels = s.FromBytes(set.Pixels(), torch.Uint8, set.Len(), side, side, 3)
	if device.IsCUDA() && len(set.Pixels()) <= resident {
		l.pixels = s.Upload(l.pixels, device)
	}
	classes := make([]int64, set.Len())
	for i, row := range set.Rows() {
		classes[i] = int64(row.Class)
	}
	l.labels = s.Upload(torch.From(s, classes, len(classes)), device)
	h, w := set.Grid()
	for _, name := range maps {
		cells, has, err := set.Map(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(has, true) {
			return nil, fmt.Errorf("no image has the map %q, which the loss reads", name)
		}
		l.maps[name] = loss.Maps{
			Values: s.Upload(s.FromBytes(cells, torch.Uint8, set.Len(), h, w), device),
			Has:    s.Upload(torch.From(s, has, len(has)), device),
		}
	}
	return l, nil
}

// Len is the number of images.
func (l *Loader) Len() int { return l.count }

// Batch is some rows of the set on the device.
type Batch struct {
	Pixels torch.Tensor         // [B,side,side,3] uint8
	Labels torch.Tensor         // [B] int64
	Maps   map[string]loss.Maps // by name
}

// Batch gathers rows; index holds their places in the set and must stay as it is until s closes.
func (l *Loader) Batch(s *torch.Scope, index []int64) Batch {
	places := torch.From(s, index, len(index))
	there := places
	if l.device.IsCUDA() {
		there = s.Upload(places, l.device)
	}
	b := Batch{Labels: s.IndexSelect(l.labels, 0, there), Maps: make(map[string]loss.Maps, len(l.maps))}
	if l.pixels.Device() == l.device {
		b.Pixels = s.IndexSelect(l.pixels, 0, there)
	} else {
		b.Pixels = s.Upload(s.IndexSelect(l.pixels, 0, places), l.device)
	}
	for name, m := range l.maps {
		b.Maps[name] = loss.Maps{Values: s.IndexSelect(m.Values, 0, there), Has: s.IndexSelect(m.Has, 0, there)}
	}
	return b
}

// Range is the places from..to-1.
func Range(from, to int) []int64 {
	places := make([]int64, to-from)
	for i := range places {
		places[i] = int64(from + i)
	}
	return places
}
