package loss

import "github.com/cyborg-run/cyborg-run/internal/torch"

// Entropy is -sum P ln P, where P is a map as a distribution (see mass): from 0, all in one cell, to ln hw. The entropy of a
// map of zeros is 0 but for some 1e-9 a cell.
//
//	maps [B,h,w] in unit range    result [B]
func Entropy(s *torch.Scope, maps torch.Tensor) torch.Tensor {
	p := mass(s, maps)
	return s.Neg(s.SumDim(s.Mul(p, s.Log(p)), plane, false))
}

// logEntropy is ln(E + 1) [B].
func logEntropy(s *torch.Scope, t Term, b Batch) torch.Tensor {
	return s.Log1p(Entropy(s, UnitRange(s, t.cam(s, b))))
}

// camEntropy is the mean entropy of the CAMs: FMMCE of the Notre Dame code.
func camEntropy(s *torch.Scope, t Term, b Batch) torch.Tensor {
	return mean(s, Entropy(s, UnitRange(s, t.cam(s, b))), t.counted(s, b, torch.Tensor{}))
}

// camLogEntropy is the mean of ln(E + 1) over the CAMs' entropies E: DROID of the Notre Dame code.
func camLogEntropy(s *torch.Scope, t Term, b Batch) torch.Tensor {
	return mean(s, logEntropy(s, t, b), t.counted(s, b, torch.Tensor{}))
}

// camEntropyMatch is the squared difference of the mean entropy of the CAMs and that of the human maps, over the images that
// have one: HBCAM of the Notre Dame code.
func camEntropyMatch(s *torch.Scope, t Term, b Batch) torch.Tensor {
	human := t.maps(b)
	cam, counted := UnitRange(s, t.cam(s, b)), t.counted(s, b, human.Has)
	target := Target(s, human.Values, cam.DType())
	return s.Square(s.Sub(mean(s, Entropy(s, cam), counted), mean(s, Entropy(s, target), counted)))
}

// energyVariance is the mean of (m - logsumexp(logits))^2, where m is the mean of -ln(E + 1) over the batch: the energy
// variance of NG-EBM in the Notre Dame code.
func energyVariance(s *torch.Scope, t Term, b Batch) torch.Tensor {
	counted := t.counted(s, b, torch.Tensor{})
	m := mean(s, s.Neg(logEntropy(s, t, b)), counted)
	return mean(s, s.Square(s.Sub(m, s.LogSumExp(b.Logits, []int{1}, false))), counted)
}
