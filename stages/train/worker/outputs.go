package worker

import (
	"encoding/json"
	"os"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/saving"
	"github.com/cyborg-run/cyborg-run/internal/trained"
)

// file is the network and its optimiser as a checkpoint, in the form of the authors' files. It holds copies: further
// steps do not change it.
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

// summary is run.json.
type summary struct {
	Arch     string  `json:"arch"`
	Epochs   int     `json:"epochs"`
	Steps    int     `json:"steps"`
	Selected int     `json:"selected_epoch"`
	Figure   float64 `json:"selected_figure"`
	Images   int     `json:"images"`

	Initial *trained.First `json:"init,omitempty"`
}

// conclude writes the outputs. The state stays as it is until they are committed: a kill up to there goes on from it.
func (tr *trainer) conclude() error {
	last, err := tr.file()
	if err != nil {
		return err
	}
	if err := checkpoint.Write(tr.task.Out("last.pth"), last); err != nil {
		return err
	}
	if err := tr.keeper.Final(tr.task.Out("final.pth")); err != nil {
		return err
	}
	for name, t := range map[string]*saving.Table{"history.csv": tr.history, "steps.csv": tr.steps} {
		if err := os.WriteFile(tr.task.Out(name), t.Text, 0o644); err != nil {
			return err
		}
	}
	return writeJSON(tr.task.Out("run.json"), summary{Arch: tr.job.Model.Arch.String(), Epochs: tr.at.Epoch, Steps: tr.at.Step,
		Selected: tr.keeper.Best.Epoch, Figure: tr.keeper.Best.Figure, Images: tr.data.Len(), Initial: tr.initial})
}

func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}
