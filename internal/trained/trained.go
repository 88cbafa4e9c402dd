// Package trained opens networks that a training left.
package trained

import (
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/device"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// ForTask opens the network that a task's node needs, on the task's device, which it readies. The caller closes it.
func ForTask(t *task.Task, job experiment.Trained) (*model.Model, error) {
	on, err := device.Open(t)
	if err != nil {
		return nil, err
	}
	weights, err := t.One(experiment.ModelPort)
	if err != nil {
		return nil, err
	}
	return Open(weights.Path, job, on)
}

// Open makes a network with the weights of a checkpoint. The caller closes it.
func Open(path string, t experiment.Trained, on torch.Device) (*model.Model, error) {
	dtype, err := torch.ParseDType(t.Precision)
	if err != nil {
		return nil, err
	}
	network, err := experiment.Network(t.Model)
	if err != nil {
		return nil, err
	}
	file, err := checkpoint.Read(path)
	if err != nil {
		return nil, err
	}
	net, err := model.New(network, on, dtype, model.Options{ChannelsLast: t.ChannelsLast})
	if err != nil {
		return nil, err
	}
	if _, err := net.Load(file.Tensors, model.LoadOptions{}); err != nil {
		net.Close()
		return nil, fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	return net, nil
}
