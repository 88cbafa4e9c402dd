package worker

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// read is the grey map in one file, or the union of masks in several: 255 where any of them has a wanted part.
func read(m prepare.Map, files []string, photo *image.Image, l image.Limits) (*image.Grey, error) {
	var union *image.Grey
	for _, file := range files {
		source, err := image.Open(file, l)
		if err != nil {
			return nil, err
		}
		if m.Size == "exact" && (source.W != photo.W || source.H != photo.H) {
			return nil, fmt.Errorf("%s has %d x %d pixels, its image %d x %d; scale it, or allow other sizes by size: any",
				file, source.W, source.H, photo.W, photo.H)
		}
		if m.Masks == "" {
			return readMap(m, file, source)
		}
		mask, err := readMask(m, file, source)
		if err != nil {
			return nil, err
		}
		if union == nil {
			union = mask
			continue
		}
		if mask.W != union.W || mask.H != union.H {
			return nil, fmt.Errorf("%s has %d x %d pixels, the mask %s of another part %d x %d; they must have the same size",
				file, mask.W, mask.H, files[0], union.W, union.H)
		}
		for i, v := range mask.Pix {
			union.Pix[i] |= v
		}
	}
	return union, nil
}

// scaled is a map at both of its sizes.
type scaled struct {
	grid []byte // [GridH, GridW]
	full []byte // [Side, Side]
}

// scale brings the maps of one image to their sizes, and combines them there.
func (p *packer) scale(maps []*image.Grey) []scaled {
	params := p.plan.Params
	out := make([]scaled, len(maps))
	for k, m := range maps {
		if m != nil {
			filter := image.Filter(p.plan.Maps[k].Filter)
			out[k] = scaled{m.Resize(params.GridW, params.GridH, filter).Pix, m.Resize(params.Side, params.Side, filter).Pix}
		}
	}
	for k, m := range p.plan.Maps {
		if m.Program == nil || slices.ContainsFunc(m.Of, func(of int) bool { return maps[of] == nil }) {
			continue
		}
		var grids, fulls [][]byte
		for _, of := range m.Of {
			grids, fulls = append(grids, out[of].grid), append(fulls, out[of].full)
		}
		out[k] = scaled{m.Program.Bytes(grids), m.Program.Bytes(fulls)}
	}
	return out
}

func readMap(m prepare.Map, file string, source *image.Image) (*image.Grey, error) {
	if m.Mode == "grey" && !source.Single() {
		return nil, modeError(file, source, "grey of at most 8 bits")
	}
	return source.Grey(), nil
}

func readMask(m prepare.Map, file string, source *image.Image) (*image.Grey, error) {
	values, single := source.Values()
	wanted := values
	switch {
	case !single && m.Mode == "grey":
		return nil, modeError(file, source, "one channel")
	case !single:
		wanted = make([]uint16, source.W*source.H)
		for i, rgb := 0, source.RGB().Pix; i < len(wanted); i++ {
			wanted[i] = uint16(rgb[3*i] | rgb[3*i+1] | rgb[3*i+2])
		}
	}
	keep := func(v uint16) bool { return v != 0 }
	if parts := labelValues(m); len(parts) > 0 {
		if !single {
			return nil, fmt.Errorf("%s: its pixels are colours (mode %s); parts chosen by value need a mask of one channel", file, source.Mode)
		}
		keep = func(v uint16) bool { return slices.Contains(parts, v) }
	}
	mask := &image.Grey{W: source.W, H: source.H, Pix: make([]byte, source.W*source.H)}
	for i, v := range wanted {
		if keep(v) {
			mask.Pix[i] = 255
		}
	}
	return mask, nil
}

// labelValues are the parts that are values of the mask; none where each part has its file.
func labelValues(m prepare.Map) (values []uint16) {
	if m.ByFile() {
		return nil
	}
	for _, part := range m.Parts {
		v, _ := strconv.ParseUint(part, 10, 16) // Params.Validate has seen to it
		values = append(values, uint16(v))
	}
	return values
}

func modeError(file string, source *image.Image, wanted string) error {
	return fmt.Errorf("%s holds %s (mode %s), %s is needed; save it so, or allow Pillow's conversion by mode: convert",
		file, source.Mode.Words(), source.Mode, wanted)
}
