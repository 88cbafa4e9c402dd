// Package model is a network with its weights on a device: package nn says what is computed, this package computes it.
//
// Terms: the weights' type is float32 or float64; the precision bfloat16 keeps float32 weights and runs the layers in
// bfloat16 (autocast), while the average, the head and all losses stay in float32. Channels last is the memory order
// NHWC, which is faster on most devices; shapes stay [B,C,H,W]. A tap is the named module whose output a caller asks for.
//
// A Model owns its weights until Close and serves one goroutine at a time. What Forward returns belongs to the caller's
// scope. A step of training reads:
//
//	err := torch.Do(func(s *torch.Scope) error {
//		out := m.Forward(s, m.Normalise(s, pixels), model.Train, "authors")
//		v := terms.Evaluate(s, loss.Batch{Logits: out.Logits, Features: out.Features, Weight: m.Head(), ...})
//		sgd.Step(s, v.Total)
//		return nil
//	})
package model

import (
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// Options of a model; the zero value works.
type Options struct {
	ChannelsLast bool             // the memory order of weights and layers; it changes results by rounding alone
	Random       *torch.Generator // draws the dropout masks, on the model's device; nil for libtorch's own
	// Dropout is the probability of every dropout and stochastic depth instead of the network's own; nil leaves those.
	Dropout *float64
	// BatchNormTwice moves running statistics as if each batch passed twice, as in the authors' training of DenseNet.
	BatchNormTwice bool
}

// Model is a network with its weights.
type Model struct {
	Network *nn.Network

	graph    *nn.Graph     // nil where there is a script
	script   *torch.Script // nil where there is a graph
	device   torch.Device
	weights  torch.DType // of parameters and buffers
	autocast bool        // layers in bfloat16
	options  Options
	scope    *torch.Scope // of the weights

	params  []nn.Param     // in the order of the state dict
	tensors []torch.Tensor // by parameter; none for counters
	counts  []int64        // by parameter; the counters
	mean    torch.Tensor   // [3], of the images
	std     torch.Tensor   // the same
	first   []int          // by step: the index of its first parameter
	folded  bool           // see Fold
}

// New makes the network on a device in the precision float32, float64 or bfloat16. Its weights are zeros until Init or
// Load. The caller closes it.
func New(net *nn.Network, device torch.Device, precision torch.DType, options Options) (*Model, error) {
	m := &Model{Network: net, device: device, weights: precision, options: options}
	switch precision {
	case torch.Float32, torch.Float64:
	case torch.BFloat16:
		m.weights, m.autocast = torch.Float32, true
	default:
		return nil, fmt.Errorf("network %s: precision %v is none of float32, float64, bfloat16", net.Name, precision)
	}
	if net.Script != nil {
		return m, m.openScript()
	}
	m.graph = net.Graph()
	if _, err := m.graph.Shapes(nn.Shape{3, net.Input.Side, net.Input.Side}); err != nil {
		return nil, fmt.Errorf("network %s: %w", net.Name, err)
	}
	m.params, m.first = m.graph.Layout()
	m.counts = make([]int64, len(m.params))
	m.scope = torch.NewScope()
	err := m.scope.Do(func(s *torch.Scope) error {
		for _, p := range m.params {
			m.tensors = append(m.tensors, m.scope.Move(m.zeros(s, p)))
		}
		m.mean, m.std = m.perChannel(s, net.Input.Mean), m.perChannel(s, net.Input.Std)
		return nil
	})
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("network %s: %w", net.Name, err)
	}
	return m, nil
}

// zeros makes a parameter's tensor; none for a counter.
func (m *Model) zeros(s *torch.Scope, p nn.Param) torch.Tensor {
	if p.Kind == nn.Counter {
		return torch.Tensor{}
	}
	t := s.Zeros(p.Shape, m.weights, m.device)
	if m.options.ChannelsLast && len(p.Shape) == 4 {
		t = s.Contiguous(t, torch.ChannelsLast)
	}
	t.SetRequiresGrad(p.Trainable())
	return t
}

// Close frees the weights.
func (m *Model) Close() {
	m.scope.Close()
	if m.script != nil {
		m.script.Close()
	}
}

// Device is where the weights lie.
func (m *Model) Device() torch.Device { return m.device }

// DType is the type of the weights, and of logits, CAMs and losses: float32 or float64.
func (m *Model) DType() torch.DType { return m.weights }

// Head is the weight of the linear head [classes, channels]: the live parameter, so that a CAM's gradient reaches it;
// none of a network in TorchScript whose head was not named.
func (m *Model) Head() torch.Tensor {
	if m.Network.Head.Name == "" {
		return torch.Tensor{}
	}
	return m.tensor(m.Network.Head.Name + ".weight")
}

// Parameters are the trainable tensors in the order of the state dict; ParameterNames names them.
func (m *Model) Parameters() []torch.Tensor {
	var learned []torch.Tensor
	for i, p := range m.params {
		if p.Trainable() {
			learned = append(learned, m.tensors[i])
		}
	}
	return learned
}

// ParameterNames are the full names of the trainable tensors, in order.
func (m *Model) ParameterNames() []string {
	var names []string
	for _, p := range m.params {
		if p.Trainable() {
			names = append(names, p.Name)
		}
	}
	return names
}

func (m *Model) tensor(name string) torch.Tensor {
	for i, p := range m.params {
		if p.Name == name {
			return m.tensors[i]
		}
	}
	panic("model: network " + m.Network.Name + " has no tensor " + name)
}
