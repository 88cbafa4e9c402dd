package agreement

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"sort"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/npy"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
)

// repeats are the runs of one setting on one set.
type repeats struct {
	setting, set string
	runs         []run
}

func group(setting string, sets []string, runs []run) (groups []repeats) {
	for _, set := range sets {
		g := repeats{setting: setting, set: set}
		for _, r := range runs {
			if r.Setting == setting && r.Set == set {
				g.runs = append(g.runs, r)
			}
		}
		if len(g.runs) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// together says why CAMs of the same images cannot be looked at together; empty where they can.
func (g repeats) together() string {
	first := g.runs[0]
	for _, r := range g.runs {
		switch {
		case !r.grids:
			return fmt.Sprintf("the CAMs of all images were not kept, as the set is larger than grids of the stage cam says (%d images)", r.Images)
		case r.data != first.data:
			return "its runs saw different data, so that their CAMs are not of the same images"
		case r.h != first.h || r.w != first.w:
			return "its CAMs have different grids"
		case r.Images != first.Images:
			return "its runs have different numbers of images"
		}
	}
	return ""
}

// candidate is an image that may stand on a sheet.
type candidate struct {
	data, set, path, label string
	row                    int
	value                  float64   // the measure, its mean over the runs
	cam                    []float64 // the mean over the runs, each in unit range; nil until it is looked at
	h, w                   int
	mapName                string
}

// rank takes the measure of every image over the runs, as far as it is defined.
func (g repeats) rank(metric string) ([]candidate, error) {
	k := slices.Index(measureNames(), metric)
	var all []candidate
	var counts []int
	for i, r := range g.runs {
		row := 0
		err := r.eachImage(func(m imageRow) {
			if i == 0 {
				all = append(all, candidate{data: r.data, set: g.set, path: m.path, label: m.label, row: row, h: r.h, w: r.w, mapName: r.mapName})
				counts = append(counts, 0)
			}
			if v := m.values[k]; !math.IsNaN(v) {
				all[row].value += v
				counts[row]++
			}
			row++
		})
		if err != nil {
			return nil, err
		}
	}
	var measured []candidate
	for i, c := range all {
		if counts[i] > 0 {
			c.value /= float64(counts[i])
			measured = append(measured, c)
		}
	}
	return measured, nil
}

// ends are the n best and the n worst images, the best first and the worst last; of fewer than 2n, half each.
func ends(all []candidate, n int, lowerIsBetter bool) (best, worst []*candidate) {
	sort.SliceStable(all, func(i, j int) bool {
		if lowerIsBetter {
			return all[i].value < all[j].value
		}
		return all[i].value > all[j].value
	})
	high, low := min(n, (len(all)+1)/2), min(n, len(all)/2)
	for i := range high {
		best = append(best, &all[i])
	}
	for i := len(all) - low; i < len(all); i++ {
		worst = append(worst, &all[i])
	}
	return best, worst
}

// look goes through the CAMs of all runs image by image: it takes the similarity of every pair of runs, and the mean CAM of
// the images that stand on a sheet. With one run there is no stability.
func (g repeats) look(ctx context.Context, shown ...[]*candidate) (*results.Stability, error) {
	readers := make([]*npy.Reader, len(g.runs))
	first := g.runs[0]
	for i, r := range g.runs {
		in, err := npy.Open(filepath.Join(r.folder, "grids.npy"))
		if err != nil {
			return nil, err
		}
		defer in.Close()
		if !slices.Equal(in.Shape, []int{r.Images, r.h, r.w}) {
			return nil, fmt.Errorf("%s: grids.npy has the shape %v, %d images of %dx%d expected", r.Node, in.Shape, r.Images, r.h, r.w)
		}
		readers[i] = in
	}
	wanted := map[int]*candidate{}
	for _, c := range slices.Concat(shown...) {
		if c.set == g.set {
			wanted[c.row] = c
		}
	}
	pairs := make([]moments, len(g.runs)*(len(g.runs)-1)/2)
	raw, grid := make([]float32, first.h*first.w), make([]float64, first.h*first.w)
	known := make([]bool, len(g.runs))
	structures := make([]metrics.Structure, len(g.runs))
	for row := range first.Images {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var sum []float64
		for i, in := range readers {
			if err := in.Read(raw); err != nil {
				return nil, err
			}
			for k, v := range raw {
				grid[k] = float64(v)
			}
			unit := metrics.UnitRange(grid)
			if known[i] = unit != nil; !known[i] {
				continue
			}
			if len(pairs) > 0 {
				structures[i] = metrics.NewStructure(unit, first.h, first.w)
			}
			if wanted[row] != nil {
				sum = add(sum, unit)
			}
		}
		if c := wanted[row]; c != nil {
			c.cam = scaled(sum, 1/float64(len(g.runs)))
		}
		compare(pairs, structures, known)
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	s := &results.Stability{Setting: g.setting, Set: g.set, Images: first.Images, Pairs: len(pairs)}
	for _, p := range pairs {
		s.Undefined += p.undefined
		if p.n > 0 {
			s.Values = append(s.Values, p.mean)
		}
	}
	if len(s.Values) == 0 {
		return nil, nil // all CAMs are constant
	}
	s.Mean = stats.Mean(s.Values)
	if len(s.Values) > 1 {
		s.SD = stats.SD(s.Values)
	}
	return s, nil
}

// compare adds one image's similarity of each pair of runs.
func compare(pairs []moments, structures []metrics.Structure, known []bool) {
	p := 0
	for i := range structures {
		for k := range i {
			similarity := undefined
			if known[i] && known[k] {
				similarity = structures[i].SSIM(structures[k])
			}
			pairs[p].add(similarity)
			p++
		}
	}
}

func add(sum, values []float64) []float64 {
	if sum == nil {
		return slices.Clone(values)
	}
	for i, v := range values {
		sum[i] += v
	}
	return sum
}

func scaled(values []float64, by float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = v * by
	}
	return out
}
