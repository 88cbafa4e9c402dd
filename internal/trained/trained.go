// Package trained opens networks that a training left.
package trained

import (
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Open makes the network of a resolved model with the weights of a checkpoint. precision is float32, float64 or
// bfloat16. The caller closes it.
func Open(path string, m experiment.Model, on torch.Device, precision string, channelsLast bool) (*model.Model, error) {
	dtype, err := torch.ParseDType(precision)
	if err != nil {
		return nil, err
	}
	network, err := experiment.Network(m)
	if err != nil {
		return nil, err
	}
	file, err := checkpoint.Read(path)
	if err != nil {
		return nil, err
	}
	net, err := model.New(network, on, dtype, model.Options{ChannelsLast: channelsLast})
	if err != nil {
		return nil, err
	}
	if _, err := net.Load(file.Tensors, model.LoadOptions{}); err != nil {
		net.Close()
		return nil, fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	return net, nil
}
