package model

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// Adam is the optimiser of Kingma and Ba, 2015 (arXiv:1412.6980, algorithm 1), as PyTorch's torch.optim.Adam computes it. In
// step t, from 1:
//
//	g = gradient + WeightDecay p;  m = Beta1 m + (1-Beta1) g;  v = Beta2 v + (1-Beta2) g^2
//	p = p - LR m/(1-Beta1^t) / (sqrt(v/(1-Beta2^t)) + Eps)
//
// The settings may be changed between steps. An Adam owns m and v and lives as long as its model.
type Adam struct {
	LR, Beta1, Beta2, Eps, WeightDecay float64

	params  []torch.Tensor
	names   []string
	moments [2][]torch.Tensor // m and v by parameter
	steps   int               // done
}

// NewAdam makes an optimiser of the model's trainable parameters, with the settings that PyTorch has by default.
func NewAdam(m *Model, lr float64) (*Adam, error) {
	o := &Adam{LR: lr, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, params: m.Parameters(), names: m.ParameterNames()}
	err := m.scope.Do(func(s *torch.Scope) error {
		for k := range o.moments {
			for _, p := range o.params {
				o.moments[k] = append(o.moments[k], m.scope.Move(s.ZerosLike(s.Detach(p))))
			}
		}
		return nil
	})
	return o, err
}

// Step differentiates a loss and moves the parameters that it depends on: one step of training.
func (o *Adam) Step(s *torch.Scope, loss torch.Tensor) {
	torch.ZeroGrads(o.params)
	s.Backward(loss)
	o.steps++
	var params, gradients, means, squares, steps []torch.Tensor
	for i, g := range s.Grads(o.params) {
		if g.Defined() {
			params, gradients = append(params, o.params[i]), append(gradients, g)
			means, squares = append(means, o.moments[0][i]), append(squares, o.moments[1][i])
		}
	}
	if len(params) == 0 {
		return
	}
	step := s.Full(nil, o.steps, torch.Float32, params[0].Device())
	for range params {
		steps = append(steps, step)
	}
	s.NoGrad(func() {
		s.FusedAdam_(params, gradients, means, squares, nil, steps, o.LR, o.Beta1, o.Beta2, o.WeightDecay, o.Eps)
	})
}

// The names of m and v in a checkpoint: these, a dot, and the name of the parameter.
var momentNames = [2]string{"optimizer.exp_avg", "optimizer.exp_avg_sq"}

// State is a copy of m and v, which a checkpoint keeps beside the weights.
func (o *Adam) State() ([]checkpoint.Tensor, error) {
	var state []checkpoint.Tensor
	err := torch.Do(func(s *torch.Scope) error {
		for k, moments := range o.moments {
			for i, t := range moments {
				state = append(state, save(momentNames[k]+"."+o.names[i], t))
			}
		}
		return nil
	})
	return state, err
}

// Restore takes m, v and the steps done from a checkpoint, and returns the tensors that are not the optimiser's.
func (o *Adam) Restore(tensors []checkpoint.Tensor, steps int) (others []checkpoint.Tensor, err error) {
	if steps < 0 || steps > math.MaxInt32 {
		return nil, fmt.Errorf("%d steps of Adam cannot be", steps)
	}
	given := map[string]checkpoint.Tensor{}
	for _, t := range tensors {
		if strings.HasPrefix(t.Name, "optimizer.") {
			given[t.Name] = t
		} else {
			others = append(others, t)
		}
	}
	for k, moments := range o.moments {
		for i, to := range moments {
			name := momentNames[k] + "." + o.names[i]
			from, ok := given[name]
			if !ok || !slices.Equal(from.Shape, to.Shape()) {
				return nil, fmt.Errorf("tensor %s: not in the file in the shape of its parameter", name)
			}
			if err := sound(from); err != nil {
				return nil, fmt.Errorf("tensor %s: %w", name, err)
			}
		}
	}
	o.steps = steps
	return others, torch.Do(func(s *torch.Scope) error {
		for k, moments := range o.moments {
			for i, to := range moments {
				s.Copy_(to, view(s, given[momentNames[k]+"."+o.names[i]]), false)
			}
		}
		return nil
	})
}
