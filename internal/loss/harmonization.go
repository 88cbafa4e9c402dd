package loss

import "github.com/cyborg-run/cyborg-run/internal/torch"

// levels is the largest number of levels of a pyramid.
const levels = 5

// binomial is the kernel of Burt and Adelson's pyramid, 1983, by the distance from its middle: 1 4 6 4 1.
var binomial = [...]float64{6, 4, 1}

// harmonization compares CAM and human map at several scales. After Fel et al., 2022 (arXiv:2211.04533), both are
// standardised (mean 0, deviation 1) and cut off below 0, each image by itself; then
//
//	mean over the levels of the pyramid of mean (Z_level - Z'_level)^2
//
// over the images that have a map. Ours are: CAMs in place of gradients at the pixels, the mean over levels, and the
// pyramid: up to 5 levels, each the one before blurred and halved, down to one cell. (The Notre Dame code has a port that
// standardises over the whole batch, does not halve, and multiplies with the cross-entropy.)
func harmonization(s *torch.Scope, t Term, b Batch) torch.Tensor {
	human := t.maps(b)
	cam := UnitRange(s, t.cam(s, b))
	x, y := standardCut(s, cam), standardCut(s, Target(s, human.Values, cam.DType()))
	var sum torch.Tensor
	count := 0
	for {
		sum = add(s, sum, s.MeanDim(s.Square(s.Sub(x, y)), plane, false))
		count++
		h, w := x.Shape()[1], x.Shape()[2]
		if count == levels || h == 1 && w == 1 {
			break
		}
		rows, columns := halving(s, h, x), s.T(halving(s, w, x))
		x, y = s.Matmul(s.Matmul(rows, x), columns), s.Matmul(s.Matmul(rows, y), columns)
	}
	return mean(s, s.DivScalar(sum, count), t.counted(s, b, human.Has))
}

// standardCut is maps [B,h,w] less their means, over their deviations, and 0 where that is below 0. A constant map becomes
// zeros and passes no gradient.
func standardCut(s *torch.Scope, maps torch.Tensor) torch.Tensor {
	z := centred(s, maps)
	variance := s.MeanDim(s.Square(z), plane, true)
	usable := s.GtScalar(variance, constantRange)
	deviation := s.Sqrt(s.Where(usable, variance, s.OnesLike(variance)))
	return s.Relu(s.Where(usable, s.Div(z, deviation), s.ZerosLike(z)))
}

// halving is the matrix [ceil(n/2),n] that blurs n cells with the binomial kernel and takes every second one. At the borders
// the kernel's weights within add up to 1.
func halving(s *torch.Scope, n int, like torch.Tensor) torch.Tensor {
	half := (n + 1) / 2
	cells := make([]float64, half*n)
	for i := range half {
		row, sum := cells[i*n:(i+1)*n], 0.0
		for j := max(0, 2*i-2); j <= min(n-1, 2*i+2); j++ {
			row[j] = binomial[max(j-2*i, 2*i-j)]
			sum += row[j]
		}
		for j := range row {
			row[j] /= sum
		}
	}
	return s.Upload(s.ToDType(torch.From(s, cells, half, n), like.DType()), like.Device())
}
