package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/saving"
)

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
	return tr.initialise()
}

// begin is the place before the first step.
func (tr *trainer) begin() {
	tr.at = position{}
	tr.history = saving.NewTable(append([]string{"epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "lr"}, tr.terms.WeightColumns()...)...)
	tr.steps = saving.NewTable(slices.Concat([]string{"step"}, tr.terms.Columns(), []string{"total"}, tr.terms.WeightColumns())...)
}

// load goes to where a checkpoint was made. An error may leave a part of it done.
func (tr *trainer) load(file *checkpoint.File) error {
	var at position
	text, _ := file.Extra["at"].(string)
	if err := json.Unmarshal([]byte(text), &at); err != nil {
		return fmt.Errorf("where it is: %w", err)
	}
	if file.Optimizer == nil {
		return errors.New("it holds no optimizer")
	}
	if err := tr.order.SetState(saving.Held(file, "order")); err != nil {
		return err
	}
	if err := tr.chance.SetState(saving.Held(file, "chance")); err != nil {
		return err
	}
	if _, err := tr.net.Load(file.Tensors, model.LoadOptions{}); err != nil {
		return err
	}
	if err := tr.sgd.SetBuffers(file.Optimizer.Buffers); err != nil {
		return err
	}
	tr.sgd.LR = file.Optimizer.LR // of last.pth, should no step be left
	tr.at = at
	tr.history.Text, tr.steps.Text = saving.Held(file, "history"), saving.Held(file, "steps")
	return nil
}
