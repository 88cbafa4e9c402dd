package model

import (
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// Fold rewrites the network for evaluation, once its weights are loaded: a convolution takes the batch norm that alone
// reads it into its weights, which is the same function (Jacob et al., 2017, arXiv:1712.05877, section 3.2), and with it the
// sum and the ReLU that follow. Results change by rounding alone. On a CPU whose libtorch has oneDNN a folded convolution is
// one operator that writes its result once, with weights laid out as that operator reads them.
//
// The outputs of the taps stay; those of other modules that went into a convolution are gone, and asking Forward for one
// panics, as does training. A network in TorchScript stays as it is. State and Head are what they were; what is loaded
// afterwards has no effect on what was folded.
func (m *Model) Fold(taps ...string) error {
	if m.script != nil || m.folded {
		return nil
	}
	_, kept := m.locate(taps)
	graph := *m.graph
	graph.Steps = slices.Clone(graph.Steps)
	shapes, err := graph.Shapes(nn.Shape{3, m.Network.Input.Side, m.Network.Input.Side})
	if err != nil {
		return err
	}
	err = m.scope.Do(func(s *torch.Scope) error {
		s.NoGrad(func() {
			for i := range graph.Steps {
				chain, f := foldable(&graph, i, kept)
				if f == nil {
					continue
				}
				m.fold(s, f, i, chain[0], shapes[graph.Steps[i].In[0]])
				in := f.inputs(&graph, i, chain)
				for _, gone := range append(chain, i) {
					graph.Steps[gone].Training, graph.Steps[gone].In = true, []nn.Value{nn.Image}
				}
				graph.Steps[chain[len(chain)-1]] = nn.Step{Operation: f, In: in}
			}
		})
		return nil
	})
	if err != nil {
		return err
	}
	m.graph, m.folded = &graph, true
	return nil
}

// folded is a convolution with what follows it. It has one input, and another where it adds one.
type folded struct {
	nn.Conv2d
	weight, bias torch.Tensor
	dtype        torch.DType // of both, of the inputs and of the result
	packed       bool        // the weight is in oneDNN's own order
	add, relu    bool
}

// foldable follows the values from convolution i on, as long as each has a single reader and nobody keeps it: to a batch
// norm, a sum, a ReLU. chain is their steps; none where no batch norm follows.
func foldable(g *nn.Graph, i int, kept []nn.Value) (chain []int, f *folded) {
	conv, ok := g.Steps[i].Operation.(nn.Conv2d)
	if !ok || g.Steps[i].Training {
		return nil, nil
	}
	next, ok := onlyReader(g, i, kept)
	if !ok {
		return nil, nil
	}
	if _, ok := g.Steps[next].Operation.(nn.BatchNorm2d); !ok {
		return nil, nil
	}
	chain, f = []int{next}, &folded{Conv2d: conv}
	for {
		if next, ok = onlyReader(g, next, kept); !ok {
			return chain, f
		}
		switch g.Steps[next].Operation.(type) {
		case nn.Add:
			if f.add || f.relu {
				return chain, f
			}
			f.add = true
		case nn.ReLU:
			if f.relu {
				return chain, f
			}
			f.relu = true
		default:
			return chain, f
		}
		chain = append(chain, next)
	}
}

// onlyReader is the one step of an evaluation that reads what step i computes.
func onlyReader(g *nn.Graph, i int, kept []nn.Value) (reader int, ok bool) {
	v := nn.Value(i + 1)
	if v == g.Features || v == g.Logits || slices.Contains(kept, v) {
		return 0, false
	}
	readers := 0
	for j, step := range g.Steps {
		if step.Training {
			continue
		}
		for _, in := range step.In {
			if in == v {
				reader = j
				readers++
			}
		}
	}
	return reader, readers == 1
}

// inputs are the convolution's own and, where it adds one, the other input of the sum.
func (f *folded) inputs(g *nn.Graph, i int, chain []int) []nn.Value {
	in := slices.Clone(g.Steps[i].In)
	if !f.add {
		return in
	}
	normed := nn.Value(chain[0] + 1)
	sum := g.Steps[chain[1]]
	for _, v := range sum.In {
		if v != normed {
			in = append(in, v)
		}
	}
	return in
}

// fold makes the weights of convolution i and batch norm j, in float64 before they are rounded:
//
//	scale = weight_j / sqrt(running_var + eps)    weight = weight_i scale    bias = (bias_i - running_mean) scale + bias_j
func (m *Model) fold(s *torch.Scope, f *folded, i, j int, in nn.Shape) {
	exact := func(t torch.Tensor) torch.Tensor { return s.ToDType(t, torch.Float64) }
	conv, norm := m.tensors[m.first[i]:], m.tensors[m.first[j]:]
	eps := m.graph.Steps[j].Operation.(nn.BatchNorm2d).Eps
	scale := s.Div(exact(norm[0]), s.Sqrt(s.AddScalar(exact(norm[3]), eps)))
	shift := s.Neg(exact(norm[2]))
	if f.Bias {
		shift = s.Add(exact(conv[1]), shift)
	}
	weight := s.Mul(exact(conv[0]), s.View(scale, []int{f.Out, 1, 1, 1}))
	bias := s.Add(s.Mul(shift, scale), exact(norm[1]))

	f.Bias, f.dtype = true, m.weights
	if m.autocast {
		f.dtype = torch.BFloat16
	}
	f.bias = m.scope.Move(s.ToDType(bias, f.dtype))
	f.weight = s.ToDType(weight, f.dtype)
	if m.device == torch.CPU && f.dtype != torch.Float64 {
		f.pack(s, in)
	}
	m.scope.Move(f.weight)
}

// pack orders the weight for oneDNN. A processor without bfloat16, or a libtorch without oneDNN, says so by an error, and
// then the convolution stays libtorch's own.
func (f *folded) pack(s *torch.Scope, in nn.Shape) {
	const batch = 16 // the order that is best for some images is best for more
	var packed torch.Tensor
	err := torch.Do(func(*torch.Scope) error {
		packed = s.OneDNNConvolutionWeight(f.weight, f.Padding[:], f.Stride[:], f.Dilation[:], f.Groups, append([]int{batch}, in...))
		return nil
	})
	if err == nil {
		f.weight, f.packed = packed, true
	}
}

// folded computes step i, a convolution with what follows it.
func (p *pass) folded(i int, f *folded) torch.Tensor {
	s, in := p.s, p.graph.Steps[i].In
	x, cast := f.cast(s, p.values[in[0]])
	if cast {
		defer s.Free(x)
	}
	if !f.add {
		return f.convolution(s, x)
	}
	other, own := f.cast(s, p.values[in[1]])
	if !own && !p.overwritable(in[1], i) {
		other = s.Clone(other, torch.MemoryFormat(0))
	}
	return f.convolutionOnto(s, x, other)
}

// overwritable says whether step i may write over value v: it is the last to read it, nobody keeps it, and no other value
// shares its memory.
func (p *pass) overwritable(v nn.Value, i int) bool {
	if v == nn.Image || p.last[v] > i || slices.Contains(p.kept, v) {
		return false
	}
	switch p.graph.Steps[v-1].Operation.(type) {
	case nn.Dropout, nn.StochasticDepth: // in evaluation their result is their input
		return false
	}
	return true
}

// cast is x in f's type; own says that it is a copy.
func (f *folded) cast(s *torch.Scope, x torch.Tensor) (y torch.Tensor, own bool) {
	if x.DType() == f.dtype {
		return x, false
	}
	return s.ToDType(x, f.dtype), true
}

func (f *folded) convolution(s *torch.Scope, x torch.Tensor) torch.Tensor {
	if f.packed {
		then := "none"
		if f.relu {
			then = "relu"
		}
		return s.OneDNNConvolution(x, f.weight, f.bias, f.Padding[:], f.Stride[:], f.Dilation[:], f.Groups, then)
	}
	y := s.Conv2d(x, f.weight, f.bias, f.Stride[:], f.Padding[:], f.Dilation[:], f.Groups)
	if f.relu {
		return s.Relu_(y)
	}
	return y
}

// convolutionOnto adds the convolution of x to sum, in place, before the ReLU.
func (f *folded) convolutionOnto(s *torch.Scope, x, sum torch.Tensor) torch.Tensor {
	if f.packed {
		then := "" // nothing
		if f.relu {
			then = "relu"
		}
		return s.OneDNNConvolutionAdd_(sum, x, f.weight, f.bias, f.Padding[:], f.Stride[:], f.Dilation[:], f.Groups, then)
	}
	y := s.Conv2d(x, f.weight, f.bias, f.Stride[:], f.Padding[:], f.Dilation[:], f.Groups)
	defer s.Free(y)
	sum = s.Add_(sum, y)
	if f.relu {
		return s.Relu_(sum)
	}
	return sum
}
