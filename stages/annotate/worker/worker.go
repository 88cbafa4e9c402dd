// Package worker does the stage annotate.
package worker

import (
	"context"
	"fmt"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/loader"
	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/annotate"
)

// Run makes the maps of one data set by one network. Stopped in the middle, it keeps the maps that it made; the next attempt
// goes on behind them.
func Run(ctx context.Context, t *task.Task) error {
	var job annotate.Job
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
	labelled := !slices.ContainsFunc(set.Rows(), func(r pack.Row) bool { return r.Class == metrics.Unlabelled })
	switch {
	case set.Len() == 0:
		return fmt.Errorf("%s: the data set has no images", data.Node)
	case !labelled && job.Class == "true":
		return fmt.Errorf("%s: images without label have no true class: take class: predicted", data.Node)
	case !labelled && job.CorrectOnly:
		return fmt.Errorf("%s: whether the network is right on images without label is not known: take correct_only away", data.Node)
	}
	a := &annotator{task: t, job: job, set: set, gallery: gallery{task: t, flat: map[int64]bool{}}}
	err = torch.Do(func(s *torch.Scope) error {
		net, err := trained.ForTask(t, job.Trained)
		if err != nil {
			return err
		}
		defer net.Close()
		a.net = net
		if a.images, err = loader.New(s, net.Device(), set, nil); err != nil {
			return err
		}
		if err := a.predict(ctx, s); err != nil {
			return err
		}
		if job.Method == "rise" {
			return a.rise(ctx, s)
		}
		return a.cams(ctx, s)
	})
	if err != nil {
		return err
	}
	return a.conclude()
}

// annotator makes the maps of a data set.
type annotator struct {
	task   *task.Task
	job    annotate.Job
	set    *pack.Set
	net    *model.Model
	images *loader.Loader

	predicted []int64 // the class of each image
	wanted    []int64 // the places of those that are to have a map
	gallery   gallery
}

// predict finds the class of each image and chooses those that are to have a map.
func (a *annotator) predict(ctx context.Context, outer *torch.Scope) error {
	for from := 0; from < a.set.Len(); from += a.job.Batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := outer.Do(func(s *torch.Scope) error {
			s.InferenceMode(func() {
				b := a.images.Batch(s, loader.Range(from, min(from+a.job.Batch, a.set.Len())))
				out := a.net.Forward(s, a.net.Normalise(s, b.Pixels), model.Eval)
				a.predicted = append(a.predicted, torch.Slice[int64](s.Argmax(out.Logits, torch.Some(1), false))...)
			})
			return nil
		})
		if err != nil {
			return err
		}
	}
	for i, row := range a.set.Rows() {
		if !a.job.CorrectOnly || a.predicted[i] == int64(row.Class) {
			a.wanted = append(a.wanted, int64(i))
		}
	}
	return nil
}

// class is whose map an image gets.
func (a *annotator) class(place int64) int64 {
	if a.job.Class == "true" {
		return int64(a.set.Rows()[place].Class)
	}
	return a.predicted[place]
}

// missing are the places of those wanted maps that no attempt has made yet.
func (a *annotator) missing(width, height int) []int64 {
	return slices.DeleteFunc(slices.Clone(a.wanted), func(place int64) bool { return a.gallery.has(place, width, height) })
}
