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
	Logits   torch.Tensor            // [B, classes] in the weights' type; of an autoencoder [B,1,Side,Side], bfloat16 where the layers ran so
	Features map[string]torch.Tensor // by tap as asked for: the module's output, bfloat16 where the layers ran so
	// Auxiliary are the logits [B, classes] of the network's auxiliary classifier; none in evaluation, and where there is none.
	Auxiliary torch.Tensor
}

// Forward passes images [B,3,H,W] of the weights' type through the network. Taps are "pooled", "authors" or full names
// of modules; their outputs come without a copy, with their gradients connected, as they were when their module was
// done. Evaluation belongs in s.NoGrad, which lets a layer's memory go as soon as it was read. An unknown tap is a
// mistake of the caller (see nn.Network.Tap) and panics.
func (m *Model) Forward(s *torch.Scope, images torch.Tensor, mode Mode, taps ...string) Output {
	if m.script != nil {
		return m.run(s, images, mode, taps)
	}
	if m.folded && mode == Train {
		panic("model: a folded network is for evaluation; make another to train")
	}
	tapped, kept := m.locate(taps)
	p := pass{Model: m, s: s, mode: mode, values: make([]torch.Tensor, len(m.graph.Steps)+1), kept: kept, last: m.graph.LastUse()}
	p.values[nn.Image] = images
	inPlace := m.graph.InPlace(kept...)
	run := func(from, to int) {
		for i := from; i < to; i++ {
			if mode == Train || !m.graph.Steps[i].Training {
				p.values[i+1] = p.step(i, inPlace[i])
			}
			p.forget(i)
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
	if mode == Train && m.graph.Auxiliary != nn.Image {
		out.Auxiliary = p.values[m.graph.Auxiliary]
	}
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
		v, _ := m.graph.Value(name)
		if m.folded && v != nn.Image && m.graph.Steps[v-1].Training {
			panic("model: " + name + " went into a convolution; name it to Fold")
		}
		tapped[tap] = v
		kept = append(kept, v)
	}
	return tapped, kept
}

// pass is one forward pass on its way.
type pass struct {
	*Model
	s      *torch.Scope
	mode   Mode
	values []torch.Tensor
	kept   []nn.Value // for their taps
	last   []int      // by value: the step that reads it last
}

// step computes step i.
func (p *pass) step(i int, inPlace bool) torch.Tensor {
	s, step := p.s, p.graph.Steps[i]
	x := p.values[step.In[0]]
	w := p.tensors[p.first[i]:]
	switch op := step.Operation.(type) {
	case nn.Conv2d:
		return s.Conv2d(x, w[0], bias(op, w), op.Stride[:], op.Padding[:], op.Dilation[:], op.Groups)
	case *folded:
		return p.folded(i, op)
	case nn.Linear:
		return s.Linear(x, w[0], w[1])
	case nn.PointwiseLinear:
		return channelsFirst(s, s.Linear(channelsInside(s, x), w[0], w[1]))
	case nn.BatchNorm2d:
		return p.batchNorm(i, op, x, w)
	case nn.LayerNorm:
		if x.Dims() == 2 {
			return s.LayerNorm(x, []int{op.Channels}, w[0], w[1], op.Eps)
		}
		return channelsFirst(s, s.LayerNorm(channelsInside(s, x), []int{op.Channels}, w[0], w[1], op.Eps))
	case nn.ReLU:
		if inPlace {
			return s.Relu_(x)
		}
		return s.Relu(x)
	case nn.SiLU:
		return s.Silu(x)
	case nn.GELU:
		return s.Gelu(x, "none")
	case nn.Sigmoid:
		return s.Sigmoid(x)
	case nn.MaxPool2d:
		return s.MaxPool2d(x, op.Kernel[:], op.Stride[:], op.Padding[:], op.Dilation[:], false)
	case nn.AvgPool2d:
		return s.AvgPool2d(x, op.Kernel[:], op.Stride[:], op.Padding[:], false, true, torch.Option[int]{})
	case nn.Mean:
		if op.KeepPlane {
			return s.MeanDim(x, []int{2, 3}, true)
		}
		return s.MeanDim(s.ToDType(x, p.weights), []int{2, 3}, false)
	case nn.Add:
		if inPlace {
			return s.Add_(x, p.values[step.In[1]])
		}
		return s.Add(x, p.values[step.In[1]])
	case nn.Join:
		var parts []torch.Tensor
		for _, v := range step.In {
			parts = append(parts, p.values[v])
		}
		return s.Cat(parts, 1)
	case nn.Enlarge:
		return s.UpsampleNearest2d(x, []int{op.Height, op.Width})
	case nn.Multiply:
		return s.Mul(x, p.values[step.In[1]])
	case nn.ChannelScale:
		return s.Add(s.Mul(x, p.channels(op.Scale)), p.channels(op.Shift))
	case nn.LayerScale:
		return s.Mul(x, w[0])
	case nn.Dropout:
		return p.drop(x, op.P, x.Shape())
	case nn.StochasticDepth:
		return p.drop(x, op.P, []int{x.Dim(0), 1, 1, 1})
	default:
		panic("model: no way to compute " + step.Name)
	}
}

// batchNorm moves the running statistics in training. With Options.BatchNormTwice they move as if the same batch passed a
// second time: m towards it, then m of what is left, 1 - (1-m)^2.
func (p *pass) batchNorm(i int, op nn.BatchNorm2d, x torch.Tensor, w []torch.Tensor) torch.Tensor {
	momentum := op.Momentum
	if p.mode == Train {
		p.counts[p.first[i]+4]++
		if p.options.BatchNormTwice {
			p.counts[p.first[i]+4]++
			momentum = 1 - (1-momentum)*(1-momentum)
		}
	}
	return p.s.BatchNorm(x, w[0], w[1], w[2], w[3], p.mode == Train, momentum, op.Eps)
}

// channelsInside is [B,H,W,C] of [B,C,H,W], channelsFirst the other way; neither copies.
func channelsInside(s *torch.Scope, x torch.Tensor) torch.Tensor {
	return s.Permute(x, []int{0, 2, 3, 1})
}
func channelsFirst(s *torch.Scope, x torch.Tensor) torch.Tensor {
	return s.Permute(x, []int{0, 3, 1, 2})
}

// channels is one number a channel, [3,1,1], in the type of the weights.
func (p *pass) channels(v [3]float64) torch.Tensor {
	s := p.s
	return s.View(s.ToDevice(s.ToDType(torch.From(s, v[:], 3), p.weights), p.device, false), []int{3, 1, 1})
}

func bias(op nn.Conv2d, w []torch.Tensor) torch.Tensor {
	if op.Bias {
		return w[1]
	}
	return torch.Tensor{}
}

// drop multiplies with a mask of the given shape, 1/(1-rate) or 0, drawn from the model's generator (Options.Random), so
// that a resumed training draws the same.
func (p *pass) drop(x torch.Tensor, rate float64, shape []int) torch.Tensor {
	s := p.s
	if p.options.Dropout != nil {
		rate = *p.options.Dropout
	}
	if p.mode == Eval || rate == 0 {
		return s.ViewAs(x, x) // the same memory under a handle of its own, so that forget may free either
	}
	mask := s.Bernoulli_(s.Empty(shape, x.DType(), p.device), 1-rate, p.options.Random)
	return s.Mul(x, s.DivScalar(mask, 1-rate))
}

// forget frees what step i was the last to read; what the gradient needs lives on in its record.
func (p *pass) forget(i int) {
	for _, v := range p.graph.Steps[i].In {
		inPlace := p.values[v] == p.values[i+1]
		if v != nn.Image && p.last[v] == i && !inPlace && !slices.Contains(p.kept, v) {
			p.s.Free(p.values[v])
			p.values[v] = torch.Tensor{}
		}
	}
}
