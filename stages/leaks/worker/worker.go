// Package worker does nodes of kind pixels: it decodes every image of a data set and measures it.
package worker

import (
	"context"
	"errors"

	"github.com/cyborg-run/cyborg-run/internal/image"
	measure "github.com/cyborg-run/cyborg-run/internal/leaks"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/leaks"
)

// Run does the task. The same files give the same bytes, whatever the number of threads.
func Run(ctx context.Context, t *task.Task) error {
	return leaks.Run(ctx, t, func() func(string, leaks.Params) leaks.Row { return row })
}

func row(path string, p leaks.Params) leaks.Row {
	picture, err := image.Open(path, image.Limits{MaxPixels: p.MaxPixels})
	if err != nil {
		var e *image.Error
		if errors.As(err, &e) {
			err = e.Err // without the path, which the row has
		}
		return leaks.Row{Bad: err.Error()}
	}
	rgb := picture.RGB()
	pixels := measure.Look(rgb.Pix, picture.Grey().Pix, rgb.W, rgb.H)
	return leaks.Row{Pixels: &pixels}
}
