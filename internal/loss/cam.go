package loss

import (
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// constantRange is the range up to which a map counts as constant.
const constantRange = 1e-12

// Method is how CAMs are made of features.
type Method string

// The methods. On the tensor that a linear head reads after its mean over the cells, all three give the same map but for a
// factor, and so the same in unit range.
const (
	PlainCAM Method = "cam"      // see CAM
	GradCAM  Method = "grad_cam" // see GradientCAM
	HiResCAM Method = "hirescam" // see HighResolutionCAM
)

// Methods are all of them.
func Methods() []Method { return []Method{PlainCAM, GradCAM, HiResCAM} }

// cam is the maps [B,h,w] that the term reads, as they come, in the type of the head.
func (t Term) cam(s *torch.Scope, b Batch) torch.Tensor {
	features, tapped := b.Features[t.Tap]
	if !tapped {
		panic(fmt.Sprintf("loss: the term %s reads the tap %q, which the batch lacks", t.Name, t.Tap))
	}
	switch t.Method {
	case GradCAM:
		return GradientCAM(s, features, t.score(s, b), b.Weight.DType())
	case HiResCAM:
		return HighResolutionCAM(s, features, t.score(s, b), b.Weight.DType())
	}
	cam := CAM(s, features, b.Weight, t.class(s, b))
	if t.Class == TrueMinusFalse {
		cam = s.Sub(cam, CAM(s, features, b.Weight, other(s, b)))
	}
	return cam
}

// score is the sum of the logits whose maps are taken, a scalar.
func (t Term) score(s *torch.Scope, b Batch) torch.Tensor {
	of := func(class torch.Tensor) torch.Tensor { return s.Sum(s.Gather(b.Logits, 1, s.Unsqueeze(class, 1))) }
	if t.Class == TrueMinusFalse {
		return s.Sub(of(b.Labels), of(other(s, b)))
	}
	return of(t.class(s, b))
}

// class is the class of each image [B] whose CAM is taken.
func (t Term) class(s *torch.Scope, b Batch) torch.Tensor {
	if t.Class == True || t.Class == TrueMinusFalse {
		return b.Labels
	}
	return s.Argmax(b.Logits, torch.Some(1), false)
}

// other is the class [B] that each image is not of, of two.
func other(s *torch.Scope, b Batch) torch.Tensor {
	if k := b.Weight.Shape()[0]; k != 2 {
		panic(fmt.Sprintf("loss: %s is for two classes, and there are %d", TrueMinusFalse, k))
	}
	return s.AddScalar(s.Neg(b.Labels), 1)
}

// CAM is the class activation map of one class per image, as it comes: the head's bias left out, no ReLU, not scaled
// (Zhou et al., 2016, arXiv:1512.04150; the authors' code, CVRL/CYBORG, train_cam.py).
//
//	CAM[b,y,x] = sum over c of weight[class[b],c] features[b,c,y,x]
//
//	features [B,C,h,w], any floating type    weight [K,C]    class [B], int64    result [B,h,w] in the weight's type
func CAM(s *torch.Scope, features, weight, class torch.Tensor) torch.Tensor {
	return channelSum(s, s.ToDType(features, weight.DType()), s.IndexSelect(weight, 0, class))
}

// GradientCAM is Grad-CAM (Selvaraju et al., 2017, arXiv:1610.02391) without its ReLU, which would take from the network
// all that it could learn from cells below zero. The gradient is recorded, so that the map is differentiated in full.
//
//	map[b,y,x] = sum over c of (mean over y,x of d score / d features[b,c,y,x]) features[b,c,y,x]
//
//	features [B,C,h,w], any floating type    score: a scalar that depends on them    result [B,h,w] in dtype
func GradientCAM(s *torch.Scope, features, score torch.Tensor, dtype torch.DType) torch.Tensor {
	slope := s.ToDType(s.RecordedGradients([]torch.Tensor{score}, []torch.Tensor{features})[0], dtype)
	return channelSum(s, s.ToDType(features, dtype), s.MeanDim(slope, []int{2, 3}, false))
}

// HighResolutionCAM is HiResCAM (Draelos and Carin, 2020, arXiv:2011.08891), with the gradient recorded as in GradientCAM.
//
//	map[b,y,x] = sum over c of d score / d features[b,c,y,x] features[b,c,y,x]
//
//	features [B,C,h,w], any floating type    score: a scalar that depends on them    result [B,h,w] in dtype
func HighResolutionCAM(s *torch.Scope, features, score torch.Tensor, dtype torch.DType) torch.Tensor {
	slope := s.ToDType(s.RecordedGradients([]torch.Tensor{score}, []torch.Tensor{features})[0], dtype)
	return s.SumDim(s.Mul(slope, s.ToDType(features, dtype)), []int{1}, false)
}

// channelSum weighs channels: features [B,C,h,w], weight [B,C], result [B,h,w].
func channelSum(s *torch.Scope, features, weight torch.Tensor) torch.Tensor {
	shape := features.Shape()
	cells := s.Flatten(features, 2, 3) // [B,C,hw]
	// The product in this order is the one that einsum takes in PyTorch, so that sums round as they do there.
	return s.View(s.Bmm(s.Transpose(cells, 1, 2), s.Unsqueeze(weight, 2)), []int{shape[0], shape[2], shape[3]})
}

// UnitRange scales each map to the range 0 to 1: (m - min m) / (max m - min m). Minimum and maximum are differentiated,
// and cells that share one share its gradient evenly. A constant map becomes zeros and passes no gradient; the authors'
// code divides by zero there.
//
//	maps [B,h,w], floating    result [B,h,w]
func UnitRange(s *torch.Scope, maps torch.Tensor) torch.Tensor {
	low := s.Amin(maps, plane, true)
	span := s.Sub(s.Amax(maps, plane, true), low)
	usable := s.GtScalar(span, constantRange)
	scaled := s.Div(s.Sub(maps, low), s.Where(usable, span, s.OnesLike(span)))
	return s.Where(usable, scaled, s.ZerosLike(scaled))
}
