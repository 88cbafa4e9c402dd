package worker

import (
	"context"

	"github.com/cyborg-run/cyborg-run/internal/loader"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/stages/annotate"
)

// masks are the random masks of RISE (Petsiuk et al., BMVC 2018, arXiv:1806.07421, section 3.2): each is a grid of Cells x Cells
// whose cells are 1 with probability Keep and else 0, enlarged bilinearly by C = ceil(side/Cells) to (Cells+1) C pixels a side,
// of which side x side are cut out at random.
//
// Ours, where the paper leaves it open: C is rounded up, as in its authors' code, so that every cut fits; a mask is between the
// centres of its cells as PyTorch's interpolation has it (align_corners off); the shifts are of 0 to C-1 pixels.
type masks struct {
	side, cells, cell int
	grids             []float32 // [N,Cells,Cells]: all grids first, then all shifts, of one generator on the CPU
	shifts            []int64   // [N,2]: down and to the right
}

func newMasks(s *torch.Scope, r annotate.RISE, side int) masks {
	m := masks{side: side, cells: r.Cells, cell: (side + r.Cells - 1) / r.Cells}
	random := torch.NewGenerator(torch.CPU, r.Seed)
	defer random.Close()
	drawn := s.Rand([]int{r.Masks, r.Cells, r.Cells}, random, torch.Float32, torch.CPU)
	m.grids = torch.Slice[float32](s.ToDType(s.LtScalar(drawn, r.Keep), torch.Float32))
	m.shifts = torch.Slice[int64](s.Randint(0, m.cell, []int{r.Masks, 2}, random, torch.Int64, torch.CPU))
	return m
}

// some are the masks from..to-1, [to-from,1,side,side] in 0 to 1.
func (m masks) some(s *torch.Scope, from, to int, dtype torch.DType, on torch.Device) torch.Tensor {
	each := m.cells * m.cells
	grids := torch.From(s, m.grids[from*each:to*each], to-from, 1, m.cells, m.cells)
	large := (m.cells + 1) * m.cell
	enlarged := s.UpsampleBilinear2d(s.ToDType(s.Upload(grids, on), dtype), []int{large, large}, false)
	cuts := make([]torch.Tensor, to-from)
	for i := range cuts {
		down, right := int(m.shifts[2*(from+i)]), int(m.shifts[2*(from+i)+1])
		cuts[i] = s.Narrow(s.Narrow(s.Narrow(enlarged, 0, i, 1), 2, down, m.side), 3, right, m.side)
	}
	return s.Cat(cuts, 0)
}

// rise makes the wanted maps by random masks.
func (a *annotator) rise(ctx context.Context, outer *torch.Scope) error {
	if err := a.net.Fold(); err != nil {
		return err
	}
	return outer.Do(func(s *torch.Scope) error {
		m := newMasks(s, a.job.RISE, a.set.Side())
		todo := a.missing(m.side, m.side)
		n := a.job.RISE.Masks
		done, all := n*(len(a.wanted)-len(todo)), n*len(a.wanted)
		for _, place := range todo {
			importance, err := a.importance(ctx, s, m, place, func(more int) {
				done += more
				a.task.Progress(done, all, "masked images", nil)
			})
			if err != nil {
				return err
			}
			if err := a.gallery.keep(place, unitRange(importance), m.side, m.side); err != nil {
				return err
			}
		}
		return nil
	})
}

// importance is RISE's map of one image [side,side]: the mean score of the images that the masks leave, weighted by the masks
// (equation 6 of the paper):
//
//	map[y,x] = 1/(N Keep) sum over i of score(image * mask_i) mask_i[y,x]
//
// where score is the softmax probability of the class. Masks multiply what the network takes in, so that what is hidden has the
// mean colour of the network's training images, as in the paper's authors' code.
func (a *annotator) importance(ctx context.Context, s *torch.Scope, m masks, place int64, done func(masks int)) ([]float64, error) {
	sum, n := make([]float64, m.side*m.side), a.job.RISE.Masks
	for from := 0; from < n; from += a.job.Batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(from+a.job.Batch, n)
		if err := a.masked(s, m, place, from, to, sum); err != nil {
			return nil, err
		}
		done(to - from)
	}
	for i := range sum {
		sum[i] /= float64(n) * a.job.RISE.Keep
	}
	return sum, nil
}

// masked adds the masks from..to-1 to an image's map, each weighted by the score of what it leaves.
func (a *annotator) masked(outer *torch.Scope, m masks, place int64, from, to int, sum []float64) error {
	return outer.Do(func(s *torch.Scope) error {
		s.InferenceMode(func() {
			image := a.net.Normalise(s, a.images.Batch(s, loader.Range(int(place), int(place)+1)).Pixels)
			masks := m.some(s, from, to, a.net.DType(), a.net.Device())
			out := a.net.Forward(s, s.Mul(image, masks), model.Eval)
			score := s.Narrow(s.Softmax(out.Logits, 1, torch.DType(0)), 1, int(a.class(place)), 1)
			part := s.Matmul(s.Transpose(score, 0, 1), s.Flatten(masks, 1, 3))
			for i, v := range torch.Slice[float64](s.ToDType(part, torch.Float64)) {
				sum[i] += v
			}
		})
		return nil
	})
}
