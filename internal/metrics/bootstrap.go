package metrics

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Replicates are what bootstrap replicates came to.
type Replicates struct {
	AUC []float64   // [replicates]
	TPR [][]float64 // [replicates][len(grid)], the ROC at each false positive rate of the grid
}

// Bootstrap measures the ROC on replicates of the images: within each class, as many images are drawn with replacement as
// there are (Efron and Tibshirani, 1993, stratified). Replicate k is drawn from the seed and k alone, by the images' places in
// the list: the same whatever the number of cores, and the same draw of images for all networks scored on one list. A
// replicate takes O(n). grid is ascending, in [0,1]. No replicates where a class has fewer than two images: a single one is drawn
// every time, as if there were no other.
func (r *Ranking) Bootstrap(ctx context.Context, replicates int, seed uint64, grid []float64) (Replicates, error) {
	if r.Real < 2 || r.Synthetic < 2 {
		return Replicates{}, nil
	}
	out := Replicates{AUC: make([]float64, replicates), TPR: make([][]float64, replicates)}
	group, ctx := errgroup.WithContext(ctx)
	cores := max(1, min(runtime.GOMAXPROCS(0), replicates))
	for core := range cores {
		group.Go(func() error {
			counts := make([]uint8, len(r.places))
			for k := core; k < replicates; k += cores {
				if err := ctx.Err(); err != nil {
					return err
				}
				draw(rand.NewPCG(seed, uint64(k)), counts, r.Real)
				out.TPR[k] = make([]float64, len(grid))
				out.AUC[k] = r.resampled(counts, grid, out.TPR[k])
			}
			return nil
		})
	}
	return out, group.Wait()
}

// draw counts how often each image is drawn: those before real among themselves, the others likewise. That one image is drawn
// more than 255 times has no chance worth the name.
func draw(source *rand.PCG, counts []uint8, real int) {
	clear(counts)
	for _, class := range [][]uint8{counts[:real], counts[real:]} {
		n := uint64(len(class))
		reject := (1 << 32) % n
		for left := len(class); left > 0; { // Lemire, "Fast random integer generation in an interval", 2019
			word := source.Uint64()
			if v := (word & math.MaxUint32) * n; v&math.MaxUint32 >= reject {
				class[v>>32]++
				left--
			}
			if v := (word >> 32) * n; left > 0 && v&math.MaxUint32 >= reject {
				class[v>>32]++
				left--
			}
		}
	}
}

// resampled walks down the scores once: the AUC of the images, each counted so often, and the ROC at the grid.
func (r *Ranking) resampled(counts []uint8, grid, tpr []float64) (auc float64) {
	firstSynthetic := uint32(r.Real)
	var twice, sums, before uint64 // sums: hits in the upper half, alarms in the lower one; before: those above this score
	next := 0
	for _, place := range r.places {
		i := place &^ last
		half := (firstSynthetic - 1 - i) >> 31 << 5 // 32 for a synthetic image
		sums += uint64(counts[i]) << half
		if place&last == 0 {
			continue
		}
		alarms, above := sums&math.MaxUint32, before&math.MaxUint32
		if alarms == above { // no real image: the ROC goes straight up
			before = sums
			continue
		}
		twice += (alarms - above) * (sums>>32 + before>>32)
		for next < len(grid) && grid[next]*float64(r.Real) < float64(alarms) {
			along := (grid[next]*float64(r.Real) - float64(above)) / float64(alarms-above)
			tpr[next] = (float64(before>>32) + along*float64(sums>>32-before>>32)) / float64(r.Synthetic)
			next++
		}
		before = sums
	}
	for ; next < len(grid); next++ {
		tpr[next] = 1
	}
	return float64(twice) / (2 * float64(r.Real) * float64(r.Synthetic))
}
