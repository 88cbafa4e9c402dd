package model

import (
	"fmt"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// SGD is stochastic gradient descent with momentum, as PyTorch's torch.optim.SGD computes it:
//
//	g = gradient + WeightDecay p;  v = Momentum v + g (v = g at first);  p = p - LR v
//
// The settings may be changed between steps. An SGD owns its momentum buffers and lives as long as its model.
type SGD struct {
	LR, Momentum, WeightDecay float64

	params  []torch.Tensor
	names   []string
	buffers []torch.Tensor // v by parameter; zeros before the first step, which comes to the same
	exact   bool           // see move
}

// NewSGD makes an optimiser of the model's trainable parameters.
func NewSGD(m *Model, lr, momentum, weightDecay float64) (*SGD, error) {
	o := &SGD{LR: lr, Momentum: momentum, WeightDecay: weightDecay, params: m.Parameters(), names: m.ParameterNames(),
		exact: m.weights == torch.Float64}
	err := m.scope.Do(func(s *torch.Scope) error {
		for _, p := range o.params {
			o.buffers = append(o.buffers, m.scope.Move(s.ZerosLike(s.Detach(p))))
		}
		return nil
	})
	return o, err
}

// Step differentiates a loss and moves the parameters: one step of training.
func (o *SGD) Step(s *torch.Scope, loss torch.Tensor) {
	o.ZeroGrad()
	s.Backward(loss)
	o.Update(s)
}

// ZeroGrad drops the gradients.
func (o *SGD) ZeroGrad() {
	torch.ZeroGrads(o.params)
}

// Update moves the parameters that have a gradient.
func (o *SGD) Update(s *torch.Scope) {
	var params, gradients, buffers []torch.Tensor
	for i, g := range s.Grads(o.params) {
		if g.Defined() {
			params, gradients, buffers = append(params, o.params[i]), append(gradients, g), append(buffers, o.buffers[i])
		}
	}
	s.NoGrad(func() {
		if o.exact {
			o.move(s, params, gradients, buffers)
		} else {
			s.FusedSGD_(params, gradients, buffers, o.WeightDecay, o.Momentum, o.LR, 0, false, false)
		}
	})
}

// move is the update by the operators of PyTorch's own torch.optim.SGD, one rounding each, where the fused operator takes
// one pass over memory and rounds the last elements of some tensors otherwise. Two programs that train in float64 to be
// compared agree to the last bit then.
func (o *SGD) move(s *torch.Scope, params, gradients, buffers []torch.Tensor) {
	gradients = s.ForeachAdd(gradients, params, o.WeightDecay)
	s.ForeachMul_(buffers, o.Momentum)
	s.ForeachAdd_(buffers, gradients, 1)
	s.ForeachAdd_(params, buffers, -o.LR)
}

// Buffers are copies of the momentum buffers, in the order of the parameters, without names, as checkpoints hold them.
func (o *SGD) Buffers() ([]checkpoint.Tensor, error) {
	var buffers []checkpoint.Tensor
	err := torch.Do(func(s *torch.Scope) error {
		for _, b := range o.buffers {
			buffers = append(buffers, save("", b))
		}
		return nil
	})
	return buffers, err
}

// SetBuffers copies momentum buffers in; the zero Tensor stands for a parameter that has none yet.
func (o *SGD) SetBuffers(buffers []checkpoint.Tensor) error {
	if len(buffers) != len(o.buffers) {
		return fmt.Errorf("%d momentum buffers in the file, %d parameters in the network", len(buffers), len(o.buffers))
	}
	for i, b := range buffers {
		if b.Data != nil && !slices.Equal(b.Shape, o.buffers[i].Shape()) {
			return fmt.Errorf("momentum buffer of %s", Mismatch{o.names[i], b.Shape, o.buffers[i].Shape()})
		}
		if err := sound(b); b.Data != nil && err != nil {
			return fmt.Errorf("momentum buffer of tensor %s: %w", o.names[i], err)
		}
	}
	return torch.Do(func(s *torch.Scope) error {
		for i, b := range buffers {
			if b.Data == nil {
				s.Zero_(o.buffers[i])
			} else {
				s.Copy_(o.buffers[i], view(s, b), false)
			}
		}
		return nil
	})
}
