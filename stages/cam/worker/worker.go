// Package worker does the stage cam.
package worker

import (
	"context"
	"fmt"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/loader"
	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/npy"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/cam"
)

// Run makes the CAMs of one data set by one network.
func Run(ctx context.Context, t *task.Task) error {
	var job cam.Job
	if err := t.Decode(&job); err != nil {
		return err
	}
	data, err := t.One("data")
	if err != nil {
		return err
	}
	set, err := pack.Open(data.Path)
	if err != nil {
		return err
	}
	defer set.Close()
	if job.Class == "true" && slices.ContainsFunc(set.Rows(), func(r pack.Row) bool { return r.Class == metrics.Unlabelled }) {
		return fmt.Errorf("%s: images without label have no true class: take class: predicted, real or synthetic", data.Node)
	}
	a := &atlas{task: t, job: job, set: set, shown: choose(set.Rows(), job.Images)}
	err = torch.Do(func(s *torch.Scope) error {
		net, err := trained.ForTask(t, job.Trained)
		if err != nil {
			return err
		}
		defer net.Close()
		return a.all(ctx, s, net)
	})
	if err != nil {
		return err
	}
	return a.write()
}

// atlas gathers the CAMs of a data set.
type atlas struct {
	task  *task.Task
	job   cam.Job
	set   *pack.Set
	shown map[int]bool // the images that get pictures

	h, w   int
	sum    []float64 // of all CAMs in unit range
	plates []plate   // of the shown images, in the order of the set

	human []byte // maps of all images [N,gridH,gridW]; nil where the set has none of that name
	has   []bool

	measures []measures  // of all images
	grids    *npy.Writer // of all images; nil where they are not kept
}

// plate is the CAM of one image.
type plate struct {
	row   int
	score float64   // softmax probability of Synthetic
	grid  []float32 // the CAM as computed
	unit  []float64 // in unit range
}

// all goes through the set batch by batch.
func (a *atlas) all(ctx context.Context, outer *torch.Scope, net *model.Model) error {
	for _, m := range a.set.Maps() {
		if m.Name == a.job.Map {
			var err error
			if a.human, a.has, err = a.set.Map(m.Name); err != nil {
				return err
			}
		}
	}
	return outer.Do(func(data *torch.Scope) error {
		images, err := loader.New(data, net.Device(), a.set, nil)
		if err != nil {
			return err
		}
		for from := 0; from < images.Len(); from += a.job.Batch {
			if err := ctx.Err(); err != nil {
				return err
			}
			to := min(from+a.job.Batch, images.Len())
			if err := a.batch(data, net, images, from, to); err != nil {
				return err
			}
			a.task.Progress(to, images.Len(), "images", nil)
		}
		return nil
	})
}

func (a *atlas) batch(outer *torch.Scope, net *model.Model, images *loader.Loader, from, to int) error {
	return outer.Do(func(s *torch.Scope) error {
		var raw []float32
		s.InferenceMode(func() {
			b := images.Batch(s, loader.Range(from, to))
			out := net.Forward(s, net.Normalise(s, b.Pixels), model.Eval, a.job.Tap)
			maps := loss.CAM(s, out.Features[a.job.Tap], net.Head(), a.class(s, out.Logits, b.Labels))
			scores := torch.Slice[float64](s.ToDType(s.Select(s.Softmax(out.Logits, 1, torch.DType(0)), 1, metrics.Synthetic), torch.Float64))
			raw = torch.Slice[float32](s.ToDType(maps, torch.Float32))
			unit := torch.Slice[float64](s.ToDType(loss.UnitRange(s, maps), torch.Float64))
			a.h, a.w = maps.Dim(1), maps.Dim(2)
			a.take(from, to, scores, raw, unit)
		})
		return a.keep(raw)
	})
}

// class says whose CAM is made of each image.
func (a *atlas) class(s *torch.Scope, logits, labels torch.Tensor) torch.Tensor {
	switch a.job.Class {
	case "true":
		return labels
	case "real":
		return s.Full(labels.Shape(), metrics.Real, torch.Int64, labels.Device())
	case "synthetic":
		return s.Full(labels.Shape(), metrics.Synthetic, torch.Int64, labels.Device())
	}
	return s.Argmax(logits, torch.Some(1), false)
}

func (a *atlas) take(from, to int, scores []float64, raw []float32, unit []float64) {
	cells := a.h * a.w
	if a.sum == nil {
		a.sum = make([]float64, cells)
	}
	for row := from; row < to; row++ {
		at := (row - from) * cells
		one := unit[at : at+cells]
		for i, v := range one {
			a.sum[i] += v
		}
		a.measures = append(a.measures, a.measure(row, scores[row-from], one))
		if a.shown[row] {
			a.plates = append(a.plates, plate{row: row, score: scores[row-from], grid: raw[at : at+cells : at+cells], unit: one})
		}
	}
}

// humanAt is an image's human map on the CAM's grid.
func (a *atlas) humanAt(row int) []float64 {
	gh, gw := a.set.Grid()
	out := make([]float64, a.h*a.w)
	if gh != a.h || gw != a.w {
		panic(fmt.Sprintf("CAM of %dx%d cells, maps of %dx%d", a.h, a.w, gh, gw))
	}
	for i, v := range a.human[row*gh*gw : (row+1)*gh*gw] {
		out[i] = float64(v) / 255
	}
	return out
}

// choose spreads n images evenly over the set, half of each class as far as there are.
func choose(rows []pack.Row, n int) map[int]bool {
	byClass := [2][]int{}
	for i, row := range rows {
		class := row.Class
		if class == metrics.Unlabelled {
			class = i % 2
		}
		byClass[class] = append(byClass[class], i)
	}
	shown := map[int]bool{}
	for class, places := range byClass {
		want := min((n+1-class)/2, len(places))
		for k := range want {
			shown[places[k*len(places)/want]] = true
		}
	}
	return shown
}
