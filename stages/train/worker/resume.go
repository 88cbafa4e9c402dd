package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// The files of a training's state. The checkpoint is the one that decides: the tables are cut back to what it says, and
// final.pth is of the epoch that it names.
const (
	stateFile   = "checkpoint.pth"
	historyFile = "history.csv"
	stepsFile   = "steps.csv"
	finalFile   = "final.pth"
)

// where is what a checkpoint holds beside weights and optimiser.
type where struct {
	At             position
	Best           chosen
	History, Steps int64 // sizes of the tables in bytes
}

// save writes a checkpoint, but not over a good one where a weight is no number: the next step will stop the training.
// order is the state of the generator before this epoch's order was drawn.
func (tr *trainer) save(order []byte) error {
	if sound, err := tr.sound(); err != nil || !sound {
		return err
	}
	history, err := tr.history.flush()
	if err != nil {
		return fmt.Errorf("write %s: %w", historyFile, err)
	}
	steps, err := tr.steps.flush()
	if err != nil {
		return fmt.Errorf("write %s: %w", stepsFile, err)
	}
	raw, err := json.Marshal(where{At: tr.at, Best: tr.best, History: history, Steps: steps})
	if err != nil {
		return err
	}
	file, err := tr.file()
	if err != nil {
		return err
	}
	file.Extra = map[string]any{"where": string(raw), "order": blob(order), "chance": blob(tr.chance.State())}
	return checkpoint.Write(tr.task.State(stateFile), file)
}

func blob(raw []byte) checkpoint.Tensor {
	return checkpoint.Tensor{DType: checkpoint.Uint8, Shape: []int{len(raw)}, Data: raw}
}

// restore goes back to where an attempt that was cut off last saved, or starts at the beginning.
func (tr *trainer) restore() error {
	var w where
	file, err := checkpoint.Read(tr.task.State(stateFile))
	if err == nil {
		w, err = tr.takeUp(file)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tr.task.Warn(fmt.Sprintf("starts again from the beginning, because its last checkpoint is of no use: %v", err))
		if err := tr.startOver(); err != nil {
			return err
		}
		w = where{}
	}
	tr.history, err = openTable(tr.task.State(historyFile),
		[]string{"epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "lr", "seconds"}, w.History)
	if err != nil {
		return err
	}
	tr.steps, err = openTable(tr.task.State(stepsFile), append(append([]string{"step"}, tr.terms.Columns()...), "total"), w.Steps)
	if err != nil {
		return err
	}
	if w.At.Step > 0 {
		tr.task.Emit(task.Event{Type: task.Log, Message: fmt.Sprintf("goes on from step %d, in epoch %d", w.At.Step, w.At.Epoch+1)})
	}
	return nil
}

// startOver undoes what a checkpoint that could not be taken up may have changed.
func (tr *trainer) startOver() error {
	tr.order.Seed(tr.job.Seed)
	tr.chance.Seed(tr.job.Seed)
	tr.at, tr.best = position{}, nothing
	return tr.initialise()
}

func (tr *trainer) takeUp(file *checkpoint.File) (where, error) {
	var w where
	text, _ := file.Extra["where"].(string)
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return w, err
	}
	if err := tr.complete(w); err != nil {
		return w, err
	}
	order, _ := file.Extra["order"].(checkpoint.Tensor)
	chance, _ := file.Extra["chance"].(checkpoint.Tensor)
	if err := tr.order.SetState(order.Data); err != nil {
		return w, err
	}
	if err := tr.chance.SetState(chance.Data); err != nil {
		return w, err
	}
	if _, err := tr.net.Load(file.Tensors, model.LoadOptions{}); err != nil {
		return w, err
	}
	if file.Optimizer == nil {
		return w, errors.New("it holds no optimizer")
	}
	if err := tr.sgd.SetBuffers(file.Optimizer.Buffers); err != nil {
		return w, err
	}
	tr.sgd.LR = file.Optimizer.LR // of last.pth, should no step be left
	tr.at, tr.best = w.At, w.Best
	return w, nil
}

// complete sees that the files which belong to a checkpoint are there.
func (tr *trainer) complete(w where) error {
	for name, size := range map[string]int64{historyFile: w.History, stepsFile: w.Steps} {
		if info, err := os.Stat(tr.task.State(name)); err != nil || info.Size() < size {
			return fmt.Errorf("%s beside it has less than %d bytes", name, size)
		}
	}
	if w.Best != nothing && !exists(tr.task.State(finalFile)) {
		return fmt.Errorf("%s beside it is gone", finalFile)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// file is the network and its optimiser as a checkpoint, in the form of the authors' files.
func (tr *trainer) file() (*checkpoint.File, error) {
	tensors, err := tr.net.State()
	if err != nil {
		return nil, err
	}
	buffers, err := tr.sgd.Buffers()
	if err != nil {
		return nil, err
	}
	sgd := tr.job.Optimizer.SGD
	return &checkpoint.File{Tensors: tensors, Epoch: tr.at.Epoch, Optimizer: &checkpoint.Optimizer{
		LR: tr.sgd.LR, InitialLR: sgd.LR, Momentum: sgd.Momentum, WeightDecay: sgd.WeightDecay, Buffers: buffers}}, nil
}

func (tr *trainer) write(path string) error {
	file, err := tr.file()
	if err != nil {
		return err
	}
	return checkpoint.Write(path, file)
}

// summary is run.json.
type summary struct {
	Arch     string  `json:"arch"`
	Epochs   int     `json:"epochs"`
	Steps    int     `json:"steps"`
	Selected int     `json:"selected_epoch"`
	Figure   float64 `json:"selected_figure"`
	Images   int     `json:"images"`

	Initial *initial `json:"init,omitempty"`
}

// conclude writes the outputs. The state stays as it is until they are committed: a kill up to there goes on from it.
func (tr *trainer) conclude() error {
	if err := tr.write(tr.task.Out("last.pth")); err != nil {
		return err
	}
	for _, t := range []*table{tr.history, tr.steps} {
		if _, err := t.flush(); err != nil {
			return err
		}
	}
	for _, name := range []string{finalFile, historyFile, stepsFile} {
		if err := copyFile(tr.task.State(name), tr.task.Out(name)); err != nil {
			return err
		}
	}
	return writeJSON(tr.task.Out("run.json"), summary{Arch: tr.job.Model.Arch.String(), Epochs: tr.at.Epoch, Steps: tr.at.Step,
		Selected: tr.best.Epoch, Figure: tr.best.Figure, Images: tr.data.Len(), Initial: tr.initial})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if closing := out.Close(); err == nil {
		err = closing
	}
	return err
}
