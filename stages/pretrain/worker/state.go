package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/saving"
	"github.com/cyborg-run/cyborg-run/internal/trained"
)

// pause stands between two pieces of work: it saves where that is due or the pretraining is to stop. order is the state of the
// generator before this epoch's order was drawn.
func (tr *trainer) pause(ctx context.Context, order []byte) error {
	stop := ctx.Err()
	if stop != nil && !tr.keeper.Saved(tr.at.place()) || stop == nil && tr.keeper.Due(tr.at.place(), false) {
		if err := tr.save(order); err != nil {
			return err
		}
	}
	return stop
}

// save writes a checkpoint of here.
func (tr *trainer) save(order []byte) error {
	return tr.keeper.Save(tr.at.place(), func() (*checkpoint.File, error) {
		weights, err := tr.net.State()
		if err != nil {
			return nil, err
		}
		moments, err := tr.adam.State()
		if err != nil {
			return nil, err
		}
		at, err := json.Marshal(tr.at)
		if err != nil {
			return nil, err
		}
		return &checkpoint.File{Tensors: append(weights, moments...), Epoch: tr.at.Epoch, Extra: map[string]any{
			"at": string(at), "order": saving.Blob(order), "chance": saving.Blob(tr.chance.State()),
			"history": saving.Blob(tr.history.Text), "steps": saving.Blob(tr.steps.Text)}}, nil
	})
}

// restore goes back to where an attempt that was cut off last saved, or starts at the beginning.
func (tr *trainer) restore() error {
	tr.begin()
	resumed, touched, err := tr.keeper.Resume(tr.load)
	if err != nil || resumed || !touched {
		return err
	}
	tr.begin()
	tr.order.Seed(tr.job.Seed)
	tr.chance.Seed(tr.job.Seed)
	if err := tr.initialise(); err != nil {
		return err
	}
	tr.adam, err = model.NewAdam(tr.net, tr.job.LR)
	return err
}

// begin is the place before the first step.
func (tr *trainer) begin() {
	tr.at = position{}
	tr.history = saving.NewTable("epoch", "train_loss", "validation_loss")
	tr.steps = saving.NewTable("step", "loss")
}

// load goes to where a checkpoint was made. An error may leave a part of it done.
func (tr *trainer) load(file *checkpoint.File) error {
	text, _ := file.Extra["at"].(string)
	var at position
	if err := json.Unmarshal([]byte(text), &at); err != nil {
		return fmt.Errorf("the place in the epoch: %w", err)
	}
	if err := tr.order.SetState(saving.Held(file, "order")); err != nil {
		return err
	}
	if err := tr.chance.SetState(saving.Held(file, "chance")); err != nil {
		return err
	}
	weights, err := tr.adam.Restore(file.Tensors, at.Step)
	if err != nil {
		return err
	}
	if _, err := tr.net.Load(weights, model.LoadOptions{}); err != nil {
		return err
	}
	tr.at = at
	tr.history.Text, tr.steps.Text = saving.Held(file, "history"), saving.Held(file, "steps")
	return nil
}

// encoder is a copy of the encoder's weights, under the names of the classifier.
func (tr *trainer) encoder() (*checkpoint.File, error) {
	state, err := tr.net.State()
	if err != nil {
		return nil, err
	}
	state = slices.DeleteFunc(state, func(t checkpoint.Tensor) bool { return nn.OfDecoder(t.Name) })
	return &checkpoint.File{Tensors: state, Epoch: tr.at.Epoch}, nil
}

// summary is run.json.
type summary struct {
	Arch     string  `json:"arch"`
	Epochs   int     `json:"epochs"`
	Steps    int     `json:"steps"`
	Selected int     `json:"selected_epoch"`
	Figure   float64 `json:"selected_figure"`

	Images     int `json:"images"`     // with a map
	Validation int `json:"validation"` // the same

	Initial *trained.First `json:"init,omitempty"`
}

// conclude writes the outputs. The state stays as it is until they are committed: a kill up to there goes on from it.
func (tr *trainer) conclude() error {
	if err := tr.keeper.Final(tr.task.Out("final.pth")); err != nil {
		return err
	}
	for name, t := range map[string]*saving.Table{"history.csv": tr.history, "steps.csv": tr.steps} {
		if err := os.WriteFile(tr.task.Out(name), t.Text, 0o644); err != nil {
			return err
		}
	}
	best := tr.keeper.Best
	raw, err := json.MarshalIndent(summary{Arch: tr.job.Model.Arch.String(), Epochs: tr.at.Epoch, Steps: tr.at.Step, Selected: best.Epoch,
		Figure: best.Figure, Images: len(tr.data.rows), Validation: len(tr.validation.rows), Initial: tr.first}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(tr.task.Out("run.json"), append(raw, '\n'), 0o644)
}
