package worker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/loader"
	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/saving"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

// trainer is one training under way.
type trainer struct {
	task  *task.Task
	job   train.Job
	how   train.How
	scope *torch.Scope

	net   *model.Model
	sgd   *model.SGD
	terms loss.Loss

	data, validation *loader.Loader

	order  *torch.Generator // of the images; its state as of the beginning of the epoch is what a checkpoint holds
	chance *torch.Generator // of dropout

	initial *trained.First // nil where all weights are random
	at      position
	history *saving.Table
	steps   *saving.Table
	keeper  *saving.Keeper
	clock   time.Time // up to when at.Seconds counts
}

// position is how far the training is, between two steps.
type position struct {
	Epoch, Step int // the epoch under way, from 0, and the steps done in all
	InEpoch     int // steps done in this epoch

	// Of this epoch so far: the sum of the steps' losses, and the images that were classified rightly.
	LossSum float64
	Right   int
	Seen    int
	Seconds float64 // that its steps and the validation took, in all attempts

	WeightSums []float64 `json:",omitempty"` // of the weights that vary, over the steps
}

func (tr *trainer) close() {
	tr.net.Close()
	tr.order.Close()
	tr.chance.Close()
	_ = tr.data.Set.Close()
	_ = tr.validation.Set.Close()
}

func (tr *trainer) run(ctx context.Context) error {
	tr.keeper = saving.New(tr.task, saving.Rule(tr.how.Checkpoint))
	if err := tr.restore(); err != nil {
		return err
	}
	tr.clock = time.Now()
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
	per := (tr.data.Len() + tr.job.Batch - 1) / tr.job.Batch
	if tr.job.Steps > 0 {
		return min(tr.job.Steps, per*tr.job.Epochs)
	}
	return per * tr.job.Epochs
}

// epoch does what is left of the epoch under way.
func (tr *trainer) epoch(ctx context.Context) error {
	state := tr.order.State() // before this epoch's order is drawn
	order, err := tr.permutation()
	if err != nil {
		return err
	}
	rate := model.StepLR{Every: tr.job.Schedule.Step.Every, Gamma: tr.job.Schedule.Step.Gamma}
	tr.sgd.LR = rate.Rate(tr.job.Optimizer.SGD.LR, tr.at.Epoch)
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

// tick counts the seconds up to now.
func (tr *trainer) tick() {
	now := time.Now()
	tr.at.Seconds += now.Sub(tr.clock).Seconds()
	tr.clock = now
}

// permutation is the order of the images in this epoch: PyTorch's randperm, so that its users can repeat it.
func (tr *trainer) permutation() ([]int64, error) {
	n := tr.data.Len()
	if tr.job.Order == "file" {
		return loader.Range(0, n), nil
	}
	order := make([]int64, n)
	err := tr.scope.Do(func(s *torch.Scope) error {
		torch.Into(s.Randperm(n, tr.order, torch.Int64, torch.CPU), order)
		return nil
	})
	return order, err
}

// step trains on one batch and writes its row of steps.csv.
func (tr *trainer) step(index []int64) error {
	return tr.scope.Do(func(s *torch.Scope) error {
		b := tr.data.Batch(s, index)
		out := tr.net.Forward(s, tr.net.Normalise(s, b.Pixels), model.Train, tr.terms.Taps()...)
		value := tr.terms.Evaluate(s, loss.Batch{Logits: out.Logits, Labels: b.Labels, Weight: tr.net.Head(),
			Auxiliary: out.Auxiliary, Features: out.Features, Maps: b.Maps,
			Moment: loss.Moment{Seed: tr.job.Seed, Epoch: tr.at.Epoch, Step: tr.at.Step}})
		right := s.Sum(s.Eq(s.Argmax(out.Logits, torch.Some(1), false), b.Labels))
		figures := tr.read(s, slices.Concat([]torch.Tensor{value.Total, right}, value.Terms, value.Weights))
		if err := tr.finite(figures, index); err != nil {
			return err
		}
		tr.sgd.Step(s, value.Total)

		terms, weights := figures[2:2+len(tr.terms)], figures[2+len(tr.terms):]
		tr.steps.Row(tr.at.Step, slices.Concat(terms, figures[:1], weights)...)
		tr.at.Step++
		tr.at.InEpoch++
		tr.at.LossSum += figures[0]
		tr.at.Right += int(figures[1])
		tr.at.Seen += len(index)
		tr.at.WeightSums = sum(tr.at.WeightSums, weights)
		tr.task.Progress(tr.at.Step, tr.stepsInAll(), "steps", map[string]float64{"epoch": float64(tr.at.Epoch + 1), "loss": figures[0]})
		return nil
	})
}

// read brings some scalars to the CPU in one transfer.
func (tr *trainer) read(s *torch.Scope, scalars []torch.Tensor) []float64 {
	wide := make([]torch.Tensor, len(scalars))
	for i, x := range scalars {
		wide[i] = s.ToDType(s.Detach(x), torch.Float64)
	}
	return torch.Slice[float64](s.Stack(wide, 0))
}

// validate is the cross-entropy, as the mean of the batches' means, and the accuracy on the validation set in its order. It
// changes nothing, so that it can be begun anew.
func (tr *trainer) validate(ctx context.Context) (entropy, accuracy float64, err error) {
	count, batches, right := tr.validation.Len(), 0, 0.0
	for from := 0; from < count; from += tr.job.Batch {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		err = tr.scope.Do(func(s *torch.Scope) error {
			s.InferenceMode(func() {
				b := tr.validation.Batch(s, loader.Range(from, min(from+tr.job.Batch, count)))
				out := tr.net.Forward(s, tr.net.Normalise(s, b.Pixels), model.Eval)
				hits := s.Sum(s.Eq(s.Argmax(out.Logits, torch.Some(1), false), b.Labels))
				figures := tr.read(s, []torch.Tensor{loss.CrossEntropy(s, out.Logits, b.Labels), hits})
				entropy += figures[0]
				right += figures[1]
				batches++
			})
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
	}
	return entropy / float64(batches), right / float64(count), nil
}

// finishEpoch validates, chooses, writes the epoch's row, and saves where that is due.
func (tr *trainer) finishEpoch(ctx context.Context) error {
	entropy, accuracy, err := tr.validate(ctx)
	if err != nil {
		return fmt.Errorf("validate after epoch %d: %w", tr.at.Epoch+1, err)
	}
	if !isFinite(entropy) {
		return fmt.Errorf("validate after epoch %d: the cross-entropy is %v: step %d spoilt the weights. %s", tr.at.Epoch+1, entropy, tr.at.Step-1, tr.cure())
	}
	tr.tick()
	a := &tr.at
	loss := a.LossSum / float64(max(1, a.InEpoch))
	row := []float64{loss, float64(a.Right) / float64(max(1, a.Seen)), entropy, accuracy, tr.sgd.LR}
	for _, weights := range a.WeightSums {
		row = append(row, weights/float64(max(1, a.InEpoch)))
	}
	tr.history.Row(a.Epoch+1, row...)
	tr.task.Emit(task.Event{Type: task.Progress, Done: a.Step, Of: tr.stepsInAll(), Unit: "steps",
		Facts: map[string]float64{"epoch": float64(a.Epoch + 1), "loss": loss, "seconds": round(a.Seconds)}})
	figure := accuracy
	if tr.job.Select.Best == "loss" {
		figure = -entropy
	}
	*a = position{Epoch: a.Epoch + 1, Step: a.Step}
	if tr.better(figure) {
		weights, err := tr.file()
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

// better is the rule of selection. Ties go to the latest epoch where the spec does not say otherwise.
func (tr *trainer) better(figure float64) bool {
	switch best := tr.keeper.Best; {
	case best == saving.Nothing || tr.job.Select.Best == "last":
		return true
	case tr.job.Select.Ties == "earliest":
		return figure > best.Figure
	}
	return figure >= tr.keeper.Best.Figure
}

// sum adds b to a; where a is none, it is b.
func sum(a, b []float64) []float64 {
	out := slices.Clone(b)
	for i, v := range a {
		out[i] += v
	}
	return out
}

func round(seconds float64) float64 { return math.Round(seconds*1000) / 1000 }
