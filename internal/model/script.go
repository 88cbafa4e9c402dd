package model

import (
	"fmt"
	"math"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// openScript loads the network of a file. Its tensors are those that the script computes with, so that optimiser and
// checkpoints work on them as on any others.
func (m *Model) openScript() error {
	fail := func(err error) error {
		m.Close()
		return fmt.Errorf("network %s: %w", m.Network.Script.Path, err)
	}
	m.scope = torch.NewScope()
	var err error
	if m.script, err = torch.LoadScript(m.Network.Script.Path, m.device, m.weights); err != nil {
		m.script = nil
		return fail(err)
	}
	err = m.scope.Do(func(s *torch.Scope) error {
		for _, t := range m.script.State(m.scope) {
			kind := nn.Buffer
			if t.Learned {
				kind = nn.Weight
			}
			m.params = append(m.params, nn.Param{Name: t.Name, Shape: t.Tensor.Shape(), Kind: kind})
			m.tensors = append(m.tensors, t.Tensor)
		}
		m.counts = make([]int64, len(m.params))
		m.mean, m.std = m.perChannel(s, m.Network.Input.Mean), m.perChannel(s, m.Network.Input.Std)
		return m.checkHead()
	})
	if err != nil {
		return fail(err)
	}
	return nil
}

// checkHead says whether the weight that CAMs read is there and fits.
func (m *Model) checkHead() error {
	if m.Network.Head.Name == "" {
		return nil
	}
	name := m.Network.Head.Name + ".weight"
	for _, p := range m.params {
		if p.Name != name {
			continue
		}
		if len(p.Shape) != 2 || p.Shape[0] != m.Network.Classes {
			return fmt.Errorf("the head's weight %s is %s; %dxCHANNELS is needed", name, p.Shape, m.Network.Classes)
		}
		return nil
	}
	return fmt.Errorf("it has no tensor %s, which `head` names", name)
}

// run is Forward of a network in TorchScript.
func (m *Model) run(s *torch.Scope, images torch.Tensor, mode Mode, taps []string) Output {
	if mode == Train && m.options.Random != nil {
		// Its dropout draws from the device's own generator: a seed for each step, so that a resumed training draws the same.
		seed := s.Int(s.Randint(0, math.MaxInt32, []int{1}, m.options.Random, torch.Int64, m.device))
		torch.DefaultGenerator(m.device).Seed(uint64(seed))
	}
	var found []torch.Tensor
	forward := func() { found = m.script.Forward(s, mode == Train, images) }
	if m.autocast {
		s.Autocast(torch.BFloat16, forward)
	} else {
		forward()
	}
	out := Output{Logits: s.ToDType(found[0], m.weights), Features: map[string]torch.Tensor{}}
	if shape := out.Logits.Shape(); len(shape) != 2 || shape[1] != m.Network.Classes {
		panic(&torch.Error{Op: "forward", Text: fmt.Sprintf("the network returns logits of shape %v; [images, %d] is needed", shape, m.Network.Classes)})
	}
	for _, tap := range taps {
		if len(found) < 2 {
			panic(&torch.Error{Op: "forward", Text: "the network returns logits alone; CAMs need the feature map beside them"})
		}
		if shape, cells := found[1].Shape(), m.Network.Script.Map; len(shape) != 4 || shape[2] != cells || shape[3] != cells {
			panic(&torch.Error{Op: "forward", Text: fmt.Sprintf("the feature map that the network returns is of shape %v; [images, channels, %d, %d] is needed, as `map` says",
				shape, cells, cells)})
		}
		out.Features[tap] = found[1]
	}
	return out
}
