package loss

import (
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

func cyborg(s *torch.Scope, t Term, b Batch) torch.Tensor {
	features, tapped := b.Features[t.Tap]
	maps, given := b.Maps[t.Map]
	if !tapped || !given {
		panic(fmt.Sprintf("loss: the term cyborg reads the tap %q and the map %q, which the batch lacks", t.Tap, t.Map))
	}
	class := b.Labels
	if t.Class != True {
		class = s.Argmax(b.Logits, torch.Some(1), false)
	}
	return CYBORG(s, features, b.Weight, class, maps)
}

// CYBORG is the mean squared difference of the class activation map and the human map, both in unit range, over the
// cells of the images that have a map (Boyd et al., WACV 2023, and the authors' code, CVRL/CYBORG, train_cam.py). It is
// zero where no image has one. The gradient goes into the features and into the weight.
//
//	features [B,C,h,w]    weight [K,C]    class [B], int64: whose CAM    human [B,h,w]
func CYBORG(s *torch.Scope, features, weight, class torch.Tensor, human Maps) torch.Tensor {
	cam := UnitRange(s, CAM(s, features, weight, class))
	target := Target(s, human.Values, cam.DType())
	difference := s.Sub(cam, target)
	return maskedMean(s, s.MeanDim(s.Square(difference), []int{1, 2}, false), human.Has)
}

// Target is human maps in unit range and in the given type. Bytes are scaled in float32, as a map read by torchvision is,
// whatever the network's type.
//
//	maps [B,h,w], uint8 or floating    result [B,h,w]
func Target(s *torch.Scope, maps torch.Tensor, dtype torch.DType) torch.Tensor {
	if maps.DType() == torch.Uint8 {
		maps = s.DivScalar(s.ToDType(maps, torch.Float32), 255)
	}
	return s.ToDType(UnitRange(s, maps), dtype)
}

// maskedMean is the mean of values [B] where has [B] holds, and zero where it holds nowhere.
func maskedMean(s *torch.Scope, values, has torch.Tensor) torch.Tensor {
	count := s.Clamp(s.Sum(s.ToDType(has, values.DType())), 1, nil)
	return s.Div(s.Sum(s.Where(has, values, s.ZerosLike(values))), count)
}
