package loss

import (
	"math"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// Ramp is a weight that goes from one value to another over the first Epochs or, where these are 0, the first Steps of a
// training, and stays there. Over epochs it is the same in all steps of an epoch.
type Ramp struct {
	From, To      float64
	Epochs, Steps int
	Shape         Shape // the default is LinearRamp
}

// Shape is how a Ramp goes.
type Shape string

// The shapes, for progress p from 0 to 1.
const (
	LinearRamp Shape = "linear" // from + (to - from) p
	CosineRamp Shape = "cosine" // from + (to - from) (1 - cos(pi p)) / 2
	StepRamp   Shape = "step"   // from until p is 1, then to
)

// At is the weight at a moment. Without a length it is To.
func (r Ramp) At(m Moment) float64 {
	done, of := m.Epoch, r.Epochs
	if of == 0 {
		done, of = m.Step, r.Steps
	}
	if done >= of {
		return r.To
	}
	p := float64(done) / float64(of)
	switch r.Shape {
	case StepRamp:
		p = 0
	case CosineRamp:
		p = (1 - math.Cos(math.Pi*p)) / 2
	}
	return r.From + (r.To-r.From)*p
}

// weigh multiplies the terms' values with their weights, and puts those that vary into v.Weights.
func (l Loss) weigh(s *torch.Scope, v *Value, m Moment) []torch.Tensor {
	classification, saliency := l.shares(s, v.Terms)
	weighted := make([]torch.Tensor, len(l))
	for i, term := range l {
		value := v.Terms[i]
		switch {
		case term.Adaptive:
			share := saliency
			if term.Name == crossEntropyName {
				share = classification
			}
			weighted[i] = s.Mul(value, share)
			v.Weights = append(v.Weights, share)
		case term.Ramp != nil:
			weight := term.Ramp.At(m)
			weighted[i] = s.MulScalar(value, weight)
			v.Weights = append(v.Weights, s.Full(nil, weight, torch.Float64, value.Device()))
		default:
			weighted[i] = s.MulScalar(value, term.Weight)
		}
	}
	return weighted
}

// shareEps keeps the adaptive weight defined where all terms are zero.
const shareEps = 1e-8

// shares is the adaptive weight of the cross-entropy and that of the saliency terms, which add up to 1; none where no term
// is adaptive (VISER's code, CVRL/VISER, which has one saliency term; with several, their sum counts):
//
//	alpha = Lce / (Lce + Lsaliency + 1e-8),    1 - alpha
//
// Both are differentiated with the terms.
func (l Loss) shares(s *torch.Scope, values []torch.Tensor) (classification, saliency torch.Tensor) {
	var entropy, rest torch.Tensor
	for i, term := range l {
		switch {
		case !term.Adaptive:
		case term.Name == crossEntropyName:
			entropy = values[i]
		default:
			rest = add(s, rest, values[i])
		}
	}
	if !entropy.Defined() {
		return torch.Tensor{}, torch.Tensor{}
	}
	classification = s.Div(entropy, s.AddScalar(s.Add(entropy, rest), shareEps))
	return classification, s.AddScalar(s.Neg(classification), 1)
}
