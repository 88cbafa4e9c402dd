package model_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// initialised is a network whose weights are drawn from a seed.
func initialised(t testing.TB, name string, precision torch.DType, seed uint64) *model.Model {
	t.Helper()
	m := build(t, name, precision, model.Options{})
	gen := torch.NewGenerator(torch.CPU, seed)
	defer gen.Close()
	if err := m.Init(gen); err != nil {
		t.Fatal(err)
	}
	return m
}

func state(t testing.TB, m *model.Model) []checkpoint.Tensor {
	t.Helper()
	tensors, err := m.State()
	if err != nil {
		t.Fatal(err)
	}
	return tensors
}

func do(t testing.TB, f func(s *torch.Scope)) {
	t.Helper()
	if err := torch.Do(func(s *torch.Scope) error { f(s); return nil }); err != nil {
		t.Fatal(err)
	}
}

// ramp is the simplest batch of images: every value another.
func ramp(s *torch.Scope, m *model.Model, batch, side int) torch.Tensor {
	pixels := make([]byte, batch*side*side*3)
	for i := range pixels {
		pixels[i] = byte(i*i*31 + i/7)
	}
	return m.Normalise(s, torch.From(s, pixels, batch, side, side, 3))
}

// A tap hands out what its module made, whatever is written in place around it.
func TestTapsAreNotOverwritten(t *testing.T) {
	m := initialised(t, "resnet_small", torch.Float64, 1)
	modules := m.Network.Graph().Modules()
	do(t, func(s *torch.Scope) {
		x := ramp(s, m, 2, 96)
		all := m.Forward(s, x, model.Eval, modules...)
		plain := m.Forward(s, x, model.Eval)
		if !bytes.Equal(all.Logits.Bytes(), plain.Logits.Bytes()) {
			t.Error("taps change the logits")
		}
		for _, module := range modules {
			one := m.Forward(s, x, model.Eval, module).Features[module]
			if !bytes.Equal(one.Bytes(), all.Features[module].Bytes()) {
				t.Errorf("%s is not the same alone and with all others", module)
			}
			negative := s.Float(s.Min(one)) < 0
			if rectified := strings.HasPrefix(module, "layer") && strings.Count(module, ".") <= 1; rectified == negative {
				t.Errorf("%s: negative values: %v", module, negative)
			}
		}
		shared := m.Forward(s, x, model.Eval, "pooled", "layer3")
		if !bytes.Equal(shared.Features["pooled"].Bytes(), shared.Features["layer3"].Bytes()) {
			t.Error("pooled is not layer3")
		}
	})
}

func TestDropout(t *testing.T) {
	net := network(t, "resnet_small", 2)
	net.Neck = nn.Dropout{P: 0.5}
	gen := torch.NewGenerator(torch.CPU, 3)
	defer gen.Close()
	m, err := model.New(net, torch.CPU, torch.Float64, model.Options{Random: gen})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Init(gen); err != nil {
		t.Fatal(err)
	}
	logits := func(mode model.Mode) (b []byte) {
		do(t, func(s *torch.Scope) { b = m.Forward(s, ramp(s, m, 2, 96), mode).Logits.Bytes() })
		return b
	}
	before := gen.State()
	first, second := logits(model.Train), logits(model.Train)
	if bytes.Equal(first, second) {
		t.Error("two masks are the same")
	}
	if err := gen.SetState(before); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, logits(model.Train)) {
		t.Error("the generator's state does not bring the mask back")
	}
	if !bytes.Equal(logits(model.Eval), logits(model.Eval)) {
		t.Error("dropout in evaluation")
	}
	// The mean over many masks is the value without dropout.
	do(t, func(s *torch.Scope) {
		s.NoGrad(func() {
			x := ramp(s, m, 2, 96)
			sum := s.ZerosLike(m.Forward(s, x, model.Train).Logits)
			const n = 400
			var squares float64
			for range n {
				err := s.Do(func(inner *torch.Scope) error {
					l := m.Forward(inner, x, model.Train).Logits
					inner.Add_(sum, l)
					squares += inner.Float(inner.Sum(inner.Square(l)))
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			mean := s.DivScalar(sum, n)
			net.Neck = nil
			bare, err := model.New(net, torch.CPU, torch.Float64, model.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer bare.Close()
			if _, err := bare.Load(state(t, m), model.LoadOptions{}); err != nil {
				t.Fatal(err)
			}
			want := bare.Forward(s, x, model.Train).Logits
			room := 5 * math.Sqrt(squares/n/n)
			if off := s.Float(s.Max(s.Abs(s.Sub(mean, want)))); off > room {
				t.Errorf("the mean over masks is %v off, more than chance (%v)", off, room)
			}
		})
	})
}

func TestBFloat16IsClose(t *testing.T) {
	exact, half := initialised(t, "resnet18", torch.Float32, 1), initialised(t, "resnet18", torch.BFloat16, 1)
	do(t, func(s *torch.Scope) {
		labels := torch.From(s, []int64{0, 1, 1, 0}, 4)
		run := func(m *model.Model) (model.Output, torch.Tensor) {
			out := m.Forward(s, ramp(s, m, 4, 64), model.Train, "pooled")
			s.Backward(s.CrossEntropyLoss(out.Logits, labels, torch.Tensor{}, torch.ReduceMean, -100, 0))
			return out, s.Grad(m.Head())
		}
		want, wantGradient := run(exact)
		got, gotGradient := run(half)
		if d := got.Features["pooled"].DType(); d != torch.BFloat16 {
			t.Errorf("the layers ran in %v", d)
		}
		if d := got.Logits.DType(); d != torch.Float32 {
			t.Errorf("the logits are %v", d)
		}
		close := func(what string, got, want torch.Tensor) {
			off := s.Float(s.Norm(s.Sub(got, want), 2, nil, false)) / s.Float(s.Norm(want, 2, nil, false))
			if !(off < 0.1) || off == 0 { // bfloat16 has 8 bits; 18 layers of them
				t.Errorf("%s: %v of its norm apart from float32", what, off)
			}
		}
		close("logits", got.Logits, want.Logits)
		close("gradient", gotGradient, wantGradient)
	})
}

func TestNewRefusesOtherPrecisions(t *testing.T) {
	_, err := model.New(network(t, "resnet18", 2), torch.CPU, torch.Int64, model.Options{})
	if err == nil || err.Error() != "network resnet18: precision int64 is none of float32, float64, bfloat16" {
		t.Error(err)
	}
}

// Normalise gives the bits that torchvision's ToTensor and Normalize give.
func TestNormaliseEqualsTorchvision(t *testing.T) {
	const script = `
import sys, torch
from torchvision.transforms import v2
x = (torch.arange(2 * 8 * 8 * 3) * 37 % 256).to(torch.uint8).view(2, 8, 8, 3).permute(0, 3, 1, 2)
x = v2.functional.normalize(x.float().div(255), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
sys.stdout.buffer.write(x.contiguous().numpy().tobytes())`
	want := testenv.RunPython(t, script)
	for _, channelsLast := range []bool{false, true} {
		m := build(t, "resnet18", torch.Float32, model.Options{ChannelsLast: channelsLast})
		do(t, func(s *torch.Scope) {
			pixels := make([]byte, 2*8*8*3)
			for i := range pixels {
				pixels[i] = byte(i * 37 % 256)
			}
			x := m.Normalise(s, torch.From(s, pixels, 2, 8, 8, 3))
			if !bytes.Equal(x.Bytes(), want) {
				t.Errorf("channels last %v: other bits than torchvision", channelsLast)
			}
			if got := x.Strides()[1] == 1; got != channelsLast {
				t.Errorf("channels last %v: strides %v", channelsLast, x.Strides())
			}
		})
	}
}

// 200 steps of training leave no more tensors or memory behind than 20.
func TestMemoryIsFlat(t *testing.T) {
	m := initialised(t, "resnet_small", torch.Float32, 1)
	sgd, err := model.NewSGD(m, 0.02, 0.9, 0)
	if err != nil {
		t.Fatal(err)
	}
	var live, allocated int
	for step := range 200 {
		do(t, func(s *torch.Scope) {
			out := m.Forward(s, ramp(s, m, 4, 48), model.Train, "authors")
			labels := torch.From(s, []int64{0, 1, 0, 1}, 4)
			sgd.Step(s, s.CrossEntropyLoss(out.Logits, labels, torch.Tensor{}, torch.ReduceMean, -100, 0))
		})
		switch step {
		case 19:
			live, allocated = torch.Live(), torch.Allocated()
		case 199:
			if got := torch.Live(); got != live {
				t.Errorf("%d tensors after 20 steps, %d after 200", live, got)
			}
			if got := torch.Allocated(); got > allocated+1<<20 {
				t.Errorf("%d bytes after 20 steps, %d after 200", allocated, got)
			}
		}
	}
}
