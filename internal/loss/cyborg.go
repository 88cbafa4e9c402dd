package loss

import (
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// cyborg is the mean distance of CAM and human map over the images that have one (Boyd et al., WACV 2023, and the authors'
// code, CVRL/CYBORG, train_cam.py, where the distance is MSE). It is zero where no image counts.
func cyborg(s *torch.Scope, t Term, b Batch) torch.Tensor {
	cam := UnitRange(s, t.cam(s, b))
	human := t.maps(b)
	values := t.Distance.Between(s, cam, Target(s, human.Values, cam.DType()))
	return mean(s, values, t.counted(s, b, human.Has))
}

// maps is the maps that the term names.
func (t Term) maps(b Batch) Maps {
	maps, given := b.Maps[t.Map]
	if !given {
		panic(fmt.Sprintf("loss: the term %s reads the map %q, which the batch lacks", t.Name, t.Map))
	}
	return maps
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
