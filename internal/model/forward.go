package model

import (
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// Mode is how batch norms and dropout behave.
type Mode int

// The modes.
const (
	Eval  Mode = iota // running statistics; no dropout
	Train             // the batch's statistics, which also move the running ones; dropout
)

// Output is what one forward pass leaves.
type Output struct {
	Logits   torch.Tensor            // [B, classes], in the weights' type
	Features map[string]torch.Tensor // by tap as asked for: the module's output, bfloat16 where the layers ran so
}

// Forward passes images [B,3,H,W] of the weights' type through the network. Taps are "pooled", "authors" or full names
// of modules; their outputs come without a copy, with their gradients connected, as they were when their module was
// done. Evaluation belongs in s.NoGrad, which lets a layer's memory go as soon as it was read. An unknown tap is a
// mistake of the caller (see nn.Network.Tap) and panics.
func (m *Model) Forward(s *torch.Scope, images torch.Tensor, mode Mode, taps ...string) Output {
	tapped, kept := m.locate(taps)
	p := pass{Model: m, s: s, mode: mode, values: make([]torch.Tensor, len(m.graph.Steps)+1)}
	p.values[nn.Image] = images
	inPlace, last := m.graph.InPlace(kept...), m.graph.LastUse()
	run := func(from, to int) {
		for i := from; i < to; i++ {
			p.values[i+1] = p.step(i, inPlace[i])
			p.forget(i, last, kept)
		}
	}

	layers := int(m.graph.Features)
	if m.autocast {
		s.Autocast(torch.BFloat16, func() { run(0, layers) })
	} else {
		run(0, layers)
	}
	run(layers, len(m.graph.Steps))

	out := Output{Logits: p.values[m.graph.Logits], Features: map[string]torch.Tensor{}}
	for tap, value := range tapped {
		out.Features[tap] = p.values[value]
	}
	return out
}

// locate finds the values of taps.
func (m *Model) locate(taps []string) (tapped map[string]nn.Value, kept []nn.Value) {
	tapped = map[string]nn.Value{}
	for _, tap := range taps {
		name, err := m.Network.Tap(tap)
		if err != nil {
			panic("model: " + err.Error())
		}
		tapped[tap], _ = m.graph.Value(name)
		kept = append(kept, tapped[tap])
	}
	return tapped, kept
}

// pass is one forward pass on its way.
type pass struct {
	*Model
	s      *torch.Scope
	mode   Mode
	values []torch.Tensor
}

// step computes step i.
func (p *pass) step(i int, inPlace bool) torch.Tensor {
	s, step := p.s, p.graph.Steps[i]
	x := p.values[step.In[0]]
	w := p.tensors[p.first[i]:]
	switch op := step.Operation.(type) {
	case nn.Conv2d:
		return s.Conv2d(x, w[0], bias(op, w), op.Stride[:], op.Padding[:], op.Dilation[:], op.Groups)
	case nn.BatchNorm2d:
		if p.mode == Train {
			p.counts[p.first[i]+4]++
		}
		return s.BatchNorm(x, w[0], w[1], w[2], w[3], p.mode == Train, op.Momentum, op.Eps)
	case nn.ReLU:
		if inPlace {
			return s.Relu_(x)
		}
		return s.Relu(x)
	case nn.Add:
		if inPlace {
			return s.Add_(x, p.values[step.In[1]])
		}
		return s.Add(x, p.values[step.In[1]])
	case nn.MaxPool2d:
		return s.MaxPool2d(x, op.Kernel[:], op.Stride[:], op.Padding[:], op.Dilation[:], false)
	case nn.Mean:
		return s.MeanDim(s.ToDType(x, p.weights), []int{2, 3}, false)
	case nn.Dropout:
		if p.mode == Eval || op.P == 0 {
			return s.ViewAs(x, x) // the same memory under a handle of its own, so that forget may free either
		}
		return p.dropout(x, op.P)
	case nn.Linear:
		return s.Linear(x, w[0], w[1])
	default:
		panic("model: no way to compute " + step.Name)
	}
}

func bias(op nn.Conv2d, w []torch.Tensor) torch.Tensor {
	if op.Bias {
		return w[1]
	}
	return torch.Tensor{}
}

// dropout draws its mask from the model's generator (Options.Random), so that a resumed training draws the same.
func (p *pass) dropout(x torch.Tensor, rate float64) torch.Tensor {
	mask := p.s.Bernoulli_(p.s.EmptyLike(x, 0), 1-rate, p.options.Random)
	return p.s.Mul(x, p.s.DivScalar(mask, 1-rate))
}

// forget frees what step i was the last to read; what the gradient needs lives on in its record.
func (p *pass) forget(i int, last []int, kept []nn.Value) {
	for _, v := range p.graph.Steps[i].In {
		inPlace := p.values[v] == p.values[i+1]
		if v != nn.Image && last[v] == i && !inPlace && !slices.Contains(kept, v) {
			p.s.Free(p.values[v])
			p.values[v] = torch.Tensor{}
		}
	}
}
