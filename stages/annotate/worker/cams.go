package worker

import (
	"context"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// cams makes the wanted maps by the network's own features.
func (a *annotator) cams(ctx context.Context, outer *torch.Scope) error {
	h, w := a.set.Grid()
	todo := a.missing(w, h)
	before := len(a.wanted) - len(todo)
	for from := 0; from < len(todo); from += a.job.Batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		places := todo[from:min(from+a.job.Batch, len(todo))]
		err := outer.Do(func(s *torch.Scope) error {
			unit := torch.Slice[float64](s.ToDType(s.Detach(loss.UnitRange(s, a.cam(s, places))), torch.Float64))
			for i, place := range places {
				if err := a.gallery.keep(place, unit[i*h*w:(i+1)*h*w], w, h); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		a.task.Progress(before+from+len(places), len(a.wanted), "images", nil)
	}
	return nil
}

// cam is the maps of some images [B,h,w] as they come.
func (a *annotator) cam(s *torch.Scope, places []int64) (maps torch.Tensor) {
	classes := make([]int64, len(places))
	for i, place := range places {
		classes[i] = a.class(place)
	}
	class := s.Upload(torch.From(s, classes, len(classes)), a.net.Device())
	pixels := a.net.Normalise(s, a.images.Batch(s, places).Pixels)
	forward := func() model.Output { return a.net.Forward(s, pixels, model.Eval, a.job.Tap) }
	if a.job.Method == "cam" {
		s.NoGrad(func() { maps = loss.CAM(s, forward().Features[a.job.Tap], a.net.Head(), class) })
		return maps
	}
	out := forward()
	features := out.Features[a.job.Tap]
	score := s.Sum(s.Gather(out.Logits, 1, s.Unsqueeze(class, 1)))
	if a.job.Method == "grad_cam" {
		return s.Relu(loss.GradientCAM(s, features, score, a.net.DType())) // with the ReLU of its paper: this map is looked at
	}
	return loss.HighResolutionCAM(s, features, score, a.net.DType())
}
