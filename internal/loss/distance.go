package loss

import "github.com/cyborg-run/cyborg-run/internal/torch"

// Distance compares the CAM S and the human map H of an image, both in unit range.
type Distance string

// The distances. None is below zero but for rounding, and all are zero where S = H, but for BCE and constant maps, which
// are like no map to Cosine and Pearson.
const (
	MSE     Distance = "mse"     // mean (S-H)^2 over the cells: the authors' code
	L1      Distance = "l1"      // mean |S-H|; slope 0 at 0
	KL      Distance = "kl"      // sum Q ln(Q/P), where P is S as a distribution and Q is H as one: see mass
	Cosine  Distance = "cosine"  // 1 - <S,H> / (|S||H|); 1 where a norm is 0
	Pearson Distance = "pearson" // 1 - the correlation of S and H; 1 where one of them is constant
	SSIM    Distance = "ssim"    // 1 - the mean structural similarity: see ssim
	BCE     Distance = "bce"     // mean -(H ln S + (1-H) ln(1-S)): see binaryCrossEntropy
)

// Distances are all of them.
func Distances() []Distance { return []Distance{MSE, L1, KL, Cosine, Pearson, SSIM, BCE} }

var plane = []int{1, 2}

// Between is the distances of two maps of each image.
//
//	cam, human [B,h,w] in unit range, of one floating type    result [B]
func (d Distance) Between(s *torch.Scope, cam, human torch.Tensor) torch.Tensor {
	switch d {
	case L1:
		return s.MeanDim(s.Abs(s.Sub(cam, human)), plane, false)
	case KL:
		return divergence(s, cam, human)
	case Cosine:
		return complement(s, similarity(s, cam, human))
	case Pearson:
		return complement(s, similarity(s, centred(s, cam), centred(s, human)))
	case SSIM:
		return complement(s, ssim(s, cam, human))
	case BCE:
		return binaryCrossEntropy(s, cam, human)
	}
	return s.MeanDim(s.Square(s.Sub(cam, human)), plane, false)
}

// complement is 1 - x.
func complement(s *torch.Scope, x torch.Tensor) torch.Tensor { return s.AddScalar(s.Neg(x), 1) }

// massEps is what keeps distributions off zero.
const massEps = 1e-10

// mass makes distributions of maps in unit range: m / (sum m + 1e-10) + 1e-10, after the Notre Dame code.
//
//	maps and result [B,h,w]
func mass(s *torch.Scope, maps torch.Tensor) torch.Tensor {
	return s.AddScalar(s.Div(maps, s.AddScalar(s.SumDim(maps, plane, true), massEps)), massEps)
}

// divergence is the Kullback-Leibler divergence sum Q ln(Q/P) of the CAM's distribution P from the human map's, Q. (The code
// of Notre Dame that offers one feeds PyTorch's kl_div with maps where logarithms belong.)
//
// The slope at a cell of P = 1e-10 is -1e10 Q. The lowest cell of a CAM is one, but since it is zero in unit range whatever
// the network does, its slope counts for nothing; left in, its rounding error would be larger than all others. Where several
// cells are the lowest, they share their slopes, which is as steep as it sounds.
func divergence(s *torch.Scope, cam, human torch.Tensor) torch.Tensor {
	lowest := s.EqScalar(cam, 0)
	alone := s.LogicalAnd(lowest, s.EqScalar(s.SumDim(s.ToDType(lowest, cam.DType()), plane, true), 1))
	p, q := mass(s, s.Where(alone, s.Detach(cam), cam)), mass(s, human)
	return s.SumDim(s.Mul(q, s.Log(s.Div(q, p))), plane, false)
}

// similarity is the cosine [B] between maps [B,h,w]; 0, without gradient, where a map is zero.
func similarity(s *torch.Scope, a, b torch.Tensor) torch.Tensor {
	power := s.Mul(s.SumDim(s.Square(a), plane, false), s.SumDim(s.Square(b), plane, false))
	usable := s.GtScalar(power, constantRange*constantRange)
	norm := s.Sqrt(s.Where(usable, power, s.OnesLike(power)))
	return s.Where(usable, s.Div(s.SumDim(s.Mul(a, b), plane, false), norm), s.ZerosLike(norm))
}

// centred is maps less their means.
func centred(s *torch.Scope, maps torch.Tensor) torch.Tensor {
	return s.Sub(maps, s.MeanDim(maps, plane, true))
}

// The structural similarity's window in cells, and the constants of Wang et al. for values from 0 to 1: 0.01^2 and 0.03^2.
const (
	window      = 3
	luminance   = 0.01 * 0.01
	contrastEps = 0.03 * 0.03
)

// ssim is the mean structural similarity [B] (Wang et al., 2004, IEEE Transactions on Image Processing 13) of maps [B,h,w]:
//
//	(2 m n + 0.01^2) (2 cov + 0.03^2) / ((m^2 + n^2 + 0.01^2) (var + var' + 0.03^2))
//
// over all windows that lie within the map. That the windows are uniform and of 3 x 3 cells (fewer where the map has fewer)
// is ours: theirs, of 11 x 11, are larger than a CAM. With these it is scikit-image's structural_similarity.
func ssim(s *torch.Scope, cam, human torch.Tensor) torch.Tensor {
	shape := cam.Shape()
	size := []int{min(window, shape[1]), min(window, shape[2])}
	pool := func(x torch.Tensor) torch.Tensor {
		return s.AvgPool2d(s.Unsqueeze(x, 1), size, []int{1, 1}, []int{0, 0}, false, true, torch.Option[int]{})
	}
	m, n := pool(cam), pool(human)
	mn, mm, nn := s.Mul(m, n), s.Square(m), s.Square(n)
	covariance := s.Sub(pool(s.Mul(cam, human)), mn)
	variances := s.Sub(s.Add(pool(s.Square(cam)), pool(s.Square(human))), s.Add(mm, nn))
	above := s.Mul(s.AddScalar(s.MulScalar(mn, 2), luminance), s.AddScalar(s.MulScalar(covariance, 2), contrastEps))
	below := s.Mul(s.AddScalar(s.Add(mm, nn), luminance), s.AddScalar(variances, contrastEps))
	return s.MeanDim(s.Div(above, below), []int{1, 2, 3}, false)
}

// clip is how near to 0 and 1 the cells of a CAM count in a binary cross-entropy.
const clip = 1e-3

// binaryCrossEntropy is mean -(H ln S + (1-H) ln(1-S)) [B] of maps [B,h,w], S clipped to 0.001 to 0.999 so that no slope is
// above 1000. The term is named in a script of CVRL/MENTOR without its formula; this one is ours.
func binaryCrossEntropy(s *torch.Scope, cam, human torch.Tensor) torch.Tensor {
	p := s.Clamp(cam, clip, 1-clip)
	agreed := s.Add(s.Mul(human, s.Log(p)), s.Mul(complement(s, human), s.Log(complement(s, p))))
	return s.Neg(s.MeanDim(agreed, plane, false))
}
