package worker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/saving"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/pretrain"
)

// trainer is one pretraining under way.
type trainer struct {
	task  *task.Task
	job   pretrain.Job
	scope *torch.Scope

	net   *model.Model
	adam  *model.Adam
	aside []string // tensors that are not the encoder's, in files of first weights or in the autoencoder

	data, validation *examples

	order  *torch.Generator // of the images; its state as of the beginning of the epoch is what a checkpoint holds
	chance *torch.Generator // of dropout

	first          *trained.First // nil where all weights are random
	at             position
	history, steps *saving.Table
	keeper         *saving.Keeper
}

// position is how far the pretraining is, between two steps.
type position struct {
	Epoch, Step int     // the epoch under way, from 0, and the steps done in all
	InEpoch     int     // steps done in this epoch
	LossSum     float64 // of this epoch's steps so far
}

func (p position) place() saving.Place { return saving.Place{Step: p.Step, Epoch: p.Epoch} }

func (tr *trainer) run(ctx context.Context) error {
	if err := tr.restore(); err != nil {
		return err
	}
	for tr.at.Epoch < tr.job.Epochs && (tr.at.InEpoch > 0 || !tr.enough()) {
		if err := tr.epoch(ctx); err != nil {
			return err
		}
	}
	return tr.conclude()
}

// enough tells whether the spec's limit of steps is reached.
func (tr *trainer) enough() bool { return tr.job.Steps > 0 && tr.at.Step >= tr.job.Steps }

func (tr *trainer) stepsInAll() int {
	all := (len(tr.data.rows) + tr.job.Batch - 1) / tr.job.Batch * tr.job.Epochs
	if tr.job.Steps > 0 {
		return min(tr.job.Steps, all)
	}
	return all
}

// epoch does what is left of the epoch under way.
func (tr *trainer) epoch(ctx context.Context) error {
	state := tr.order.State() // before this epoch's order is drawn
	order, err := tr.permutation()
	if err != nil {
		return err
	}
	for from := tr.at.InEpoch * tr.job.Batch; from < len(order) && !tr.enough(); from += tr.job.Batch {
		if err := tr.pause(ctx, state); err != nil {
			return err
		}
		if err := tr.step(order[from:min(from+tr.job.Batch, len(order))]); err != nil {
			return err
		}
	}
	if err := tr.pause(ctx, state); err != nil { // before the validation, which may be long
		return err
	}
	if err := tr.finishEpoch(ctx); err != nil {
		if stop := ctx.Err(); stop != nil && errors.Is(err, stop) {
			return tr.pause(ctx, state)
		}
		return err
	}
	return nil
}

// permutation is the order of the images in this epoch: PyTorch's randperm, so that its users can repeat it.
func (tr *trainer) permutation() ([]int64, error) {
	order := make([]int64, len(tr.data.rows))
	if tr.job.Order == "file" {
		copy(order, tr.data.rows)
		return order, nil
	}
	err := tr.scope.Do(func(s *torch.Scope) error {
		torch.Into(s.Randperm(len(order), tr.order, torch.Int64, torch.CPU), order)
		return nil
	})
	for i, k := range order {
		order[i] = tr.data.rows[k]
	}
	return order, err
}

// drawn is the loss of each image of a batch [B]: the mean squared difference, over its pixels, of what the autoencoder draws and
// the human map in unit range.
func (tr *trainer) drawn(s *torch.Scope, of *examples, places []int64, mode model.Mode) torch.Tensor {
	pixels, maps := of.batch(s, places, tr.net.DType())
	logits := tr.net.Forward(s, tr.net.Normalise(s, pixels), mode).Logits
	drawn := s.Squeeze(s.Sigmoid(s.ToDType(logits, tr.net.DType())), 1)
	return s.MeanDim(s.Square(s.Sub(drawn, maps)), []int{1, 2}, false)
}

// step trains on one batch and writes its row of steps.csv.
func (tr *trainer) step(places []int64) error {
	return tr.scope.Do(func(s *torch.Scope) error {
		loss := s.Mean(tr.drawn(s, tr.data, places, model.Train))
		figure := s.Float(s.Detach(loss))
		if !isFinite(figure) {
			return tr.ended("step %d (epoch %d): the loss is %v; images of the step: %s", tr.at.Step, tr.at.Epoch+1, figure, tr.paths(places))
		}
		tr.adam.Step(s, loss)
		tr.steps.Row(tr.at.Step, figure)
		tr.at.Step++
		tr.at.InEpoch++
		tr.at.LossSum += figure
		tr.task.Progress(tr.at.Step, tr.stepsInAll(), "steps", map[string]float64{"epoch": float64(tr.at.Epoch + 1), "loss": figure})
		return nil
	})
}

func (tr *trainer) paths(places []int64) string {
	const few = 5
	var names []string
	for _, i := range places[:min(len(places), few)] {
		names = append(names, tr.data.set.Rows()[i].Path)
	}
	if more := len(places) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// validate is the mean loss of the validation set's images. It changes nothing, so that it can be begun anew.
func (tr *trainer) validate(ctx context.Context) (float64, error) {
	rows, sum := tr.validation.rows, 0.0
	for from := 0; from < len(rows); from += tr.job.Batch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		err := tr.scope.Do(func(s *torch.Scope) error {
			s.InferenceMode(func() {
				sum += s.Float(s.Sum(tr.drawn(s, tr.validation, rows[from:min(from+tr.job.Batch, len(rows))], model.Eval)))
			})
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return sum / float64(len(rows)), nil
}

// finishEpoch validates, chooses, writes the epoch's row, and saves where that is due.
func (tr *trainer) finishEpoch(ctx context.Context) error {
	figure, err := tr.validate(ctx)
	if err != nil {
		return fmt.Errorf("validate after epoch %d: %w", tr.at.Epoch+1, err)
	}
	if !isFinite(figure) {
		return tr.ended("validate after epoch %d: the loss is %v: step %d spoilt the weights", tr.at.Epoch+1, figure, tr.at.Step-1)
	}
	a := &tr.at
	tr.history.Row(a.Epoch+1, a.LossSum/float64(max(1, a.InEpoch)), figure)
	*a = position{Epoch: a.Epoch + 1, Step: a.Step}
	if best := tr.keeper.Best; best == saving.Nothing || figure < best.Figure {
		weights, err := tr.encoder()
		if err != nil {
			return err
		}
		tr.keeper.Select(a.Epoch, figure, weights)
	}
	if !tr.keeper.Due(a.place(), true) {
		return nil
	}
	return tr.save(tr.order.State())
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
