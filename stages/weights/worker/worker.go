// Package worker does the stage weights.
package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/weights"
)

// Run reads the checkpoint into the network, and writes what it then holds.
func Run(_ context.Context, t *task.Task) error {
	var job weights.Job
	if err := t.Decode(&job); err != nil {
		return err
	}
	network, err := experiment.Network(job.Model)
	if err != nil {
		return err
	}
	file, err := checkpoint.Read(job.Path)
	if err != nil {
		return err
	}
	precision := torch.Float32
	if slices.ContainsFunc(file.Tensors, func(t checkpoint.Tensor) bool { return t.DType == checkpoint.Float64 }) {
		precision = torch.Float64
	}
	net, err := model.New(network, torch.CPU, precision, model.Options{})
	if err != nil {
		return err
	}
	defer net.Close()
	report, err := net.Load(file.Tensors, model.LoadOptions{Except: job.Except})
	if err == nil && len(report.Excepted) > 0 {
		err = fmt.Errorf("`except` leaves out %s, without which the network cannot be used: train it first, with model.init",
			strings.Join(report.Excepted, ", "))
	}
	if err != nil {
		return fmt.Errorf("read checkpoint %s: %w", job.Path, err)
	}
	state, err := net.State()
	if err != nil {
		return err
	}
	return checkpoint.Write(t.Out("final.pth"), &checkpoint.File{Tensors: state, Epoch: file.Epoch})
}
