package loss

import "github.com/cyborg-run/cyborg-run/internal/torch"

// constantRange is the range up to which a map counts as constant.
const constantRange = 1e-12

// CAM is the class activation map of one class per image, as it comes: the head's bias left out, no ReLU, not scaled
// (Zhou et al., 2016, arXiv:1512.04150; the authors' code, CVRL/CYBORG, train_cam.py).
//
//	CAM[b,y,x] = sum over c of weight[class[b],c] features[b,c,y,x]
//
//	features [B,C,h,w], any floating type    weight [K,C]    class [B], int64    result [B,h,w] in the weight's type
func CAM(s *torch.Scope, features, weight, class torch.Tensor) torch.Tensor {
	shape := features.Shape()
	cells := s.Flatten(s.ToDType(features, weight.DType()), 2, 3) // [B,C,hw]
	row := s.Unsqueeze(s.IndexSelect(weight, 0, class), 2)        // [B,C,1]
	// The product in this order is the one that einsum takes in PyTorch, so that sums round as they do there.
	return s.View(s.Bmm(s.Transpose(cells, 1, 2), row), []int{shape[0], shape[2], shape[3]})
}

// UnitRange scales each map to the range 0 to 1: (m - min m) / (max m - min m). Minimum and maximum are differentiated,
// and cells that share one share its gradient evenly. A constant map becomes zeros and passes no gradient; the authors'
// code divides by zero there.
//
//	maps [B,h,w], floating    result [B,h,w]
func UnitRange(s *torch.Scope, maps torch.Tensor) torch.Tensor {
	plane := []int{1, 2}
	low := s.Amin(maps, plane, true)
	span := s.Sub(s.Amax(maps, plane, true), low)
	usable := s.GtScalar(span, constantRange)
	scaled := s.Div(s.Sub(maps, low), s.Where(usable, span, s.OnesLike(span)))
	return s.Where(usable, scaled, s.ZerosLike(scaled))
}
