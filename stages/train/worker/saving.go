package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
)

// saving is when a training saved last, and what it left.
type saving struct {
	at   position      // where the training was ...
	when time.Time     // ... and when, or where and when it began or failed to save
	took time.Duration // what it cost
	ok   bool          // whether it succeeded

	kept   []kept          // the last two checkpoints that are known to be good, the older one first
	failed map[string]bool // kinds of failure that were told
}

// kept is a checkpoint, and the epoch whose weights it goes with.
type kept struct {
	name  string
	epoch int
}

// seldom is how many times longer than the last saving the work between two must be: saving takes at most 2 % of the time.
const seldom = 50

// due tells whether it is time to save.
func (tr *trainer) due(epochEnds bool) bool {
	c, last := tr.how.Checkpoint, &tr.saving
	if c.Steps > 0 && tr.at.Step-last.at.Step >= c.Steps {
		return true
	}
	since := time.Since(last.when)
	return since >= seldom*last.took && (epochEnds || c.Every > 0 && since >= c.Every)
}

// pause stands between two pieces of work: it saves where that is due or the training is to stop. order is the state of the
// generator before this epoch's order was drawn.
func (tr *trainer) pause(ctx context.Context, order []byte) error {
	stop := ctx.Err()
	if stop != nil && !tr.saved() || stop == nil && tr.due(false) {
		if err := tr.save(order); err != nil {
			return err
		}
	}
	return stop
}

// saved tells whether the newest checkpoint is of here.
func (tr *trainer) saved() bool {
	last := &tr.saving
	return last.ok && last.at.Step == tr.at.Step && last.at.Epoch == tr.at.Epoch
}

// save writes a checkpoint, but not over a good one where a weight is no number: the next step will stop the training. A
// checkpoint that cannot be written is a warning, once for each kind of failure, and the training goes on without.
func (tr *trainer) save(order []byte) error {
	tr.tick()
	began := time.Now()
	if sound, err := tr.sound(); err != nil || !sound {
		return err
	}
	file, err := tr.file()
	if err != nil {
		return err
	}
	last := &tr.saving
	if err := tr.keep(file, order); err != nil {
		last.ok = false
		tr.warnUnsaved(err)
	} else {
		last.ok = true
	}
	last.at, last.when, last.took = tr.at, time.Now(), time.Since(began)
	return nil
}

// keep writes the selected weights, where no file holds them yet, then the checkpoint that goes with them, and removes
// what is no longer needed. A kill at any moment of it leaves the checkpoints from before, whole.
func (tr *trainer) keep(file *checkpoint.File, order []byte) error {
	if tr.selected != nil {
		path := tr.task.State(selectedName(tr.best.Epoch))
		if err := checkpoint.Write(path, tr.selected); err != nil {
			return err
		}
		sum, err := sumOf(path)
		if err != nil {
			return err
		}
		tr.selected, tr.best.Sum = nil, sum
	}
	raw, err := json.Marshal(where{At: tr.at, Best: tr.best})
	if err != nil {
		return err
	}
	file.Extra = map[string]any{"where": string(raw), "order": blob(order), "chance": blob(tr.chance.State()),
		"history": blob(tr.history.text), "steps": blob(tr.steps.text)}
	name := checkpointName(tr.at.Step)
	if err := checkpoint.Write(tr.task.State(name), file); err != nil {
		return err
	}
	all := tr.saving.kept
	if n := len(all); n > 0 && all[n-1].name == name {
		all = all[:n-1]
	}
	all = append(all, kept{name, tr.best.Epoch})
	tr.saving.kept = all[max(0, len(all)-2):]
	tr.tidy()
	return nil
}

// warnUnsaved tells a failure to save once for each cause.
func (tr *trainer) warnUnsaved(err error) {
	cause := err
	for next := errors.Unwrap(cause); next != nil; next = errors.Unwrap(cause) {
		cause = next
	}
	if tr.saving.failed == nil {
		tr.saving.failed = map[string]bool{}
	}
	if tr.saving.failed[cause.Error()] {
		return
	}
	tr.saving.failed[cause.Error()] = true
	from := "the beginning"
	if n := len(tr.saving.kept); n > 0 {
		from = tr.saving.kept[n-1].name
	}
	tr.task.Warn(fmt.Sprintf("the training goes on, but was not saved: %v; cut off now, it would go on from %s", err, from))
}

// tidy removes what the kept checkpoints do not need, and what killed attempts left half written. What cannot be removed
// does no harm.
func (tr *trainer) tidy() {
	needed := map[string]bool{}
	for _, k := range tr.saving.kept {
		needed[k.name], needed[selectedName(k.epoch)] = true, true
	}
	folder := tr.task.State("")
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		if !needed[e.Name()] {
			_ = os.Remove(tr.task.State(e.Name()))
		}
	}
}
