package worker

import (
	"context"
	"encoding/json"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/saving"
)

// place is the position as the keeper of checkpoints knows it.
func (p position) place() saving.Place { return saving.Place{Step: p.Step, Epoch: p.Epoch} }

// pause stands between two pieces of work: it saves where that is due or the training is to stop. order is the state of the
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

// save writes a checkpoint, but not over a good one where a weight is no number: the next step will stop the training.
func (tr *trainer) save(order []byte) error {
	tr.tick()
	if sound, err := tr.sound(); err != nil || !sound {
		return err
	}
	return tr.keeper.Save(tr.at.place(), func() (*checkpoint.File, error) {
		file, err := tr.file()
		if err != nil {
			return nil, err
		}
		at, err := json.Marshal(tr.at)
		if err != nil {
			return nil, err
		}
		file.Extra = map[string]any{"at": string(at), "order": saving.Blob(order), "chance": saving.Blob(tr.chance.State()),
			"history": saving.Blob(tr.history.Text), "steps": saving.Blob(tr.steps.Text)}
		return file, nil
	})
}
