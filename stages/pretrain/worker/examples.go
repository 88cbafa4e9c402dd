package worker

import (
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/loader"
	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// examples are the images of a packed data set that have the map.
type examples struct {
	set    *pack.Set
	images *loader.Loader
	rows   []int64 // their places in the set
	name   string  // of the map
	on     torch.Device
}

// open opens a packed data set; the loader belongs to s, the set to the caller.
func open(s *torch.Scope, t *task.Task, port, name string, on torch.Device) (*examples, error) {
	in, err := t.One(port)
	if err != nil {
		return nil, err
	}
	set, err := pack.Open(in.Path)
	if err != nil {
		return nil, err
	}
	e := &examples{set: set, name: name, on: on}
	_, has, err := set.Map(name)
	for i, yes := range has {
		if yes {
			e.rows = append(e.rows, int64(i))
		}
	}
	if err == nil && len(e.rows) == 0 {
		err = fmt.Errorf("no image has the map %q", name)
	}
	if err == nil {
		e.images, err = loader.New(s, on, set, nil)
	}
	if err != nil {
		_ = set.Close()
		return nil, fmt.Errorf("%s: %w", in.Node, err)
	}
	return e, nil
}

// batch is the images at some places [B,side,side,3] and their maps [B,side,side] in unit range and in the given type.
func (e *examples) batch(s *torch.Scope, places []int64, dtype torch.DType) (pixels, maps torch.Tensor) {
	side := e.set.Side()
	all := make([]byte, 0, len(places)*side*side)
	for _, place := range places {
		one, _ := e.set.MapFull(e.name, int(place))
		all = append(all, one...)
	}
	maps = s.Upload(s.FromBytes(all, torch.Uint8, len(places), side, side), e.on)
	return e.images.Batch(s, places).Pixels, loss.Target(s, maps, dtype)
}
