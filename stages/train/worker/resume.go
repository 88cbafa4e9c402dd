package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// A training's state is its last two checkpoints, by the steps done, and the weights of the epochs that were the selected
// ones then. A checkpoint holds all else that decides what comes: weights, momentum, random states, place, tables.
func checkpointName(step int) string { return fmt.Sprintf("checkpoint-%09d.pth", step) }
func selectedName(epoch int) string  { return fmt.Sprintf("selected-%06d.pth", epoch) }

// where is what a checkpoint holds as JSON.
type where struct {
	At   position
	Best chosen
}

func blob(raw []byte) checkpoint.Tensor {
	return checkpoint.Tensor{DType: checkpoint.Uint8, Shape: []int{len(raw)}, Data: raw}
}

// restore goes back to where an attempt that was cut off last saved, or starts at the beginning.
func (tr *trainer) restore() error {
	tr.begin()
	names, err := filepath.Glob(filepath.Join(tr.task.State(""), "checkpoint-*.pth"))
	if err != nil {
		return err
	}
	slices.Sort(names)
	slices.Reverse(names)
	for i, path := range names {
		err := tr.takeUp(path)
		if err == nil {
			tr.saving.kept = []kept{{filepath.Base(path), tr.best.Epoch}}
			tr.saving.at, tr.saving.ok = tr.at, true
			tr.task.Emit(task.Event{Type: task.Log, Message: fmt.Sprintf("goes on from step %d, in epoch %d", tr.at.Step, tr.at.Epoch+1)})
			return nil
		}
		then := "tries the one before"
		if i == len(names)-1 {
			then = "starts again from the beginning"
		}
		tr.task.Warn(fmt.Sprintf("%s, because its last checkpoint is of no use: %v", then, err))
	}
	if len(names) == 0 {
		return nil
	}
	tr.begin()
	tr.order.Seed(tr.job.Seed)
	tr.chance.Seed(tr.job.Seed)
	return tr.initialise()
}

// begin is the place before the first step.
func (tr *trainer) begin() {
	tr.at, tr.best = position{}, nothing
	tr.history = newTable("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "lr")
	tr.steps = newTable(append(append([]string{"step"}, tr.terms.Columns()...), "total")...)
}

// takeUp goes to where a checkpoint was made. An error may leave a part of it done.
func (tr *trainer) takeUp(path string) error {
	file, err := checkpoint.Read(path)
	if err != nil {
		return err
	}
	var w where
	text, _ := file.Extra["where"].(string)
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return fmt.Errorf("read checkpoint %s: where it is: %w", path, err)
	}
	if file.Optimizer == nil {
		return fmt.Errorf("read checkpoint %s: it holds no optimizer", path)
	}
	if err := tr.complete(w.Best); err != nil {
		return err
	}
	held := func(name string) []byte {
		t, _ := file.Extra[name].(checkpoint.Tensor)
		return t.Data
	}
	if err := tr.order.SetState(held("order")); err != nil {
		return err
	}
	if err := tr.chance.SetState(held("chance")); err != nil {
		return err
	}
	if _, err := tr.net.Load(file.Tensors, model.LoadOptions{}); err != nil {
		return err
	}
	if err := tr.sgd.SetBuffers(file.Optimizer.Buffers); err != nil {
		return err
	}
	tr.sgd.LR = file.Optimizer.LR // of last.pth, should no step be left
	tr.history, tr.steps = &table{held("history")}, &table{held("steps")}
	tr.at, tr.best = w.At, w.Best
	return nil
}

// complete sees that the weights which belong to a checkpoint are there and whole.
func (tr *trainer) complete(best chosen) error {
	if best == nothing {
		return nil
	}
	path := tr.task.State(selectedName(best.Epoch))
	sum, err := sumOf(path)
	if err != nil {
		return fmt.Errorf("the selected weights that go with it: %w", err)
	}
	if sum != best.Sum {
		return errors.New("the selected weights that go with it are damaged: " + path)
	}
	return nil
}

// sumOf is a file's checksum: CRC-32, as in the checkpoints themselves. It guards against damage, not against intent.
func sumOf(path string) (uint32, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	sum := crc32.NewIEEE()
	_, err = io.Copy(sum, file)
	return sum.Sum32(), err
}
