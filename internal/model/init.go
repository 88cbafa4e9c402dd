package model

import (
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// Init draws the initial values that package nn names, in the order of the state dict. The draws are made in float32 on
// the CPU from gen, a CPU generator: one seed gives the same weights on every device and in every precision.
// A network in TorchScript keeps the values that its file has.
func (m *Model) Init(gen *torch.Generator) error {
	if m.script != nil {
		return nil
	}
	return torch.Do(func(s *torch.Scope) error {
		s.NoGrad(func() {
			for i, p := range m.params {
				if p.Kind == nn.Counter {
					m.counts[i] = 0
				} else {
					s.Copy_(m.tensors[i], draw(s, p, gen), false)
				}
			}
		})
		return nil
	})
}

func draw(s *torch.Scope, p nn.Param, gen *torch.Generator) torch.Tensor {
	t := s.Zeros(p.Shape, torch.Float32, torch.CPU)
	switch p.Init.Distribution {
	case nn.Normal:
		return s.Normal_(t, 0, p.Init.Scale, gen)
	case nn.Uniform:
		return s.Uniform_(t, -p.Init.Scale, p.Init.Scale, gen)
	default:
		return s.Fill_(t, p.Init.Scale)
	}
}
