package model_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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

func TestInitIsRepeatable(t *testing.T) {
	one, same, other := initialised(t, "resnet_small", torch.Float32, 1), initialised(t, "resnet_small", torch.Float32, 1), initialised(t, "resnet_small", torch.Float32, 2)
	if diff := cmp.Diff(state(t, one), state(t, same)); diff != "" {
		t.Errorf("one seed, two initialisations: %s", diff)
	}
	if bytes.Equal(state(t, one)[0].Data, state(t, other)[0].Data) {
		t.Error("two seeds, one initialisation")
	}
	wide := initialised(t, "resnet_small", torch.Float64, 1)
	for i, want := range state(t, wide) {
		if got := state(t, one)[i]; want.DType == checkpoint.Float64 {
			do(t, func(s *torch.Scope) {
				narrow := s.FromBytes(got.Data, torch.Float32, got.Shape...)
				if !bytes.Equal(s.ToDType(narrow, torch.Float64).Bytes(), want.Data) {
					t.Errorf("%s differs between float32 and float64", got.Name)
				}
			})
		}
	}
}

// Every tensor has the mean, deviation and bounds of torchvision's initialisation, within what its size allows.
func TestInitHasTorchvisionsMoments(t *testing.T) {
	const script = `
import json, torch, torchvision
torch.manual_seed(5)
net = torchvision.models.resnet18(num_classes=2)
print(json.dumps({k: [v.mean().item(), v.std(correction=0).item() if v.numel() > 1 else 0, v.abs().max().item(), v.numel()]
                  for k, v in net.state_dict().items() if v.is_floating_point()}))`
	var want map[string][4]float64
	if err := json.Unmarshal(testenv.RunPython(t, script), &want); err != nil {
		t.Fatal(err)
	}
	m := initialised(t, "resnet18", torch.Float32, 5)
	compared := 0
	for _, tensor := range state(t, m) {
		if tensor.DType != checkpoint.Float32 {
			continue
		}
		compared++
		do(t, func(s *torch.Scope) {
			x := s.ToDType(s.FromBytes(tensor.Data, torch.Float32, tensor.Shape...), torch.Float64)
			mean := s.Float(s.Mean(x))
			std := math.Sqrt(s.Float(s.Mean(s.Square(s.SubScalar(x, mean)))))
			most := s.Float(s.Max(s.Abs(x)))
			w := want[tensor.Name]
			if w[1] == 0 {
				if mean != w[0] || std != 0 {
					t.Errorf("%s: mean %v, deviation %v; torchvision's is constant %v", tensor.Name, mean, std, w[0])
				}
				return
			}
			if tensor.Name == "fc.bias" { // two numbers: only their bound says something
				if most > 1/math.Sqrt(512) {
					t.Errorf("fc.bias: %v, beyond 1/sqrt(512)", most)
				}
				return
			}
			// The error of a mean is std/sqrt(n), that of a deviation less than std/sqrt(n); five of both draws.
			room := 5 * math.Sqrt2 * w[1] / math.Sqrt(w[3])
			if math.Abs(mean-w[0]) > room || math.Abs(std-w[1]) > room {
				t.Errorf("%s: mean %v, deviation %v; torchvision's %v, %v", tensor.Name, mean, std, w[0], w[1])
			}
			if uniform := tensor.Name == "fc.weight"; uniform && most > 1/math.Sqrt(512) {
				t.Errorf("%s: largest %v, beyond 1/sqrt(512)", tensor.Name, most)
			} else if !uniform && most < 3*std {
				t.Errorf("%s: largest %v is not that of a normal distribution of deviation %v", tensor.Name, most, std)
			}
		})
	}
	if compared != len(want) {
		t.Errorf("%d tensors, torchvision has %d", compared, len(want))
	}
}

func TestLoadRestoresState(t *testing.T) {
	from, to := initialised(t, "resnet_small", torch.Float32, 1), initialised(t, "resnet_small", torch.Float32, 2)
	do(t, func(s *torch.Scope) { from.Forward(s, ramp(s, from, 2, 96), model.Train) }) // moves the statistics and counters
	want := state(t, from)
	report, err := to.Load(want, model.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(model.Report{}, report); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, state(t, to)); diff != "" {
		t.Error(diff)
	}
	if got := want[5]; got.Name != "bn1.num_batches_tracked" || got.Data[0] != 1 || len(got.Shape) != 0 {
		t.Errorf("%v after one batch", got)
	}
}

func TestLoadErrors(t *testing.T) {
	m := initialised(t, "resnet_small", torch.Float32, 1)
	before := state(t, m)
	change := func(f func(tensors []checkpoint.Tensor) []checkpoint.Tensor) []checkpoint.Tensor {
		return f(append([]checkpoint.Tensor(nil), state(t, initialised(t, "resnet_small", torch.Float32, 2))...))
	}
	advice := "\nthe network is resnet_small with 2 classes; name the tensors to leave out (fc.* for the head), or take weights of this network"
	extra := checkpoint.Tensor{Name: "aux.weight", DType: checkpoint.Float32, Shape: []int{1}, Data: make([]byte, 4)}
	head := checkpoint.Tensor{Name: "fc.weight", DType: checkpoint.Float32, Shape: []int{1000, 64}, Data: make([]byte, 256000)}
	for _, c := range []struct {
		name   string
		state  []checkpoint.Tensor
		want   string
		report model.Report
	}{
		{
			"a_tensor_too_few",
			change(func(s []checkpoint.Tensor) []checkpoint.Tensor { return s[1:] }),
			"tensor conv1.weight: not in the file, 16x3x5x5 in the network" + advice,
			model.Report{Missing: []string{"conv1.weight"}},
		}, {
			"a_tensor_too_many",
			change(func(s []checkpoint.Tensor) []checkpoint.Tensor { return append(s, extra) }),
			"tensor aux.weight: 1 in the file, not in the network" + advice,
			model.Report{Unused: []string{"aux.weight"}},
		}, {
			"another_shape",
			change(func(s []checkpoint.Tensor) []checkpoint.Tensor { s[len(s)-2] = head; return s }),
			"tensor fc.weight: 1000x64 in the file, 2x64 in the network" + advice,
			model.Report{Mismatched: []model.Mismatch{{Name: "fc.weight", File: nn.Shape{1000, 64}, Network: nn.Shape{2, 64}}}},
		}, {
			"an_unknown_type",
			change(func(s []checkpoint.Tensor) []checkpoint.Tensor { s[1].DType = "float8_e4m3fn"; return s }),
			"tensor bn1.weight: torch: unknown element type \"float8_e4m3fn\"",
			model.Report{},
		}, {
			"too_few_bytes",
			change(func(s []checkpoint.Tensor) []checkpoint.Tensor { s[1].Data = s[1].Data[4:]; return s }),
			"tensor bn1.weight: 60 bytes of data, 64 are needed for 16 of float32" + advice,
			model.Report{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			report, err := m.Load(c.state, model.LoadOptions{})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			if diff := cmp.Diff(c.report, report); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, state(t, m)); diff != "" {
				t.Errorf("the network changed: %s", diff)
			}
		})
	}
	t.Run("many", func(t *testing.T) {
		_, err := m.Load(nil, model.LoadOptions{})
		if err == nil || !strings.Contains(err.Error(), "and 42 more") {
			t.Errorf("%v", err)
		}
	})
}

func TestLoadExcept(t *testing.T) {
	source := state(t, initialised(t, "resnet_small", torch.Float64, 2)) // and of another type
	for i := range source {
		if source[i].Name == "fc.weight" {
			source[i].Shape, source[i].Data = []int{1000, 64}, make([]byte, 8*64000)
		}
	}
	m := initialised(t, "resnet_small", torch.Float32, 1)
	before := state(t, m)
	report, err := m.Load(source, model.LoadOptions{Except: []string{"fc.*"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(model.Report{
		Mismatched: []model.Mismatch{{Name: "fc.weight", File: nn.Shape{1000, 64}, Network: nn.Shape{2, 64}}},
		Excepted:   []string{"fc.weight", "fc.bias"},
	}, report); diff != "" {
		t.Error(diff)
	}
	want := state(t, initialised(t, "resnet_small", torch.Float32, 2))
	want[len(want)-2], want[len(want)-1] = before[len(want)-2], before[len(want)-1]
	if diff := cmp.Diff(want, state(t, m)); diff != "" {
		t.Error(diff)
	}
	if _, err := m.Load(source, model.LoadOptions{Except: []string{"fc.["}}); err == nil {
		t.Error("a bad pattern is taken")
	}
}

// A file from before num_batches_tracked still fits.
func TestLoadWithoutCounters(t *testing.T) {
	var old []checkpoint.Tensor
	for _, tensor := range state(t, initialised(t, "resnet_small", torch.Float32, 2)) {
		if tensor.DType != checkpoint.Int64 {
			old = append(old, tensor)
		}
	}
	if _, err := initialised(t, "resnet_small", torch.Float32, 1).Load(old, model.LoadOptions{}); err != nil {
		t.Error(err)
	}
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

// goldenOptimiser is the part of golden.json on SGD and StepLR.
type goldenOptimiser struct {
	Optimiser struct {
		StepLR []float64 `json:"step_lr"`
		SGD    map[string]struct {
			LR, Momentum float64
			WeightDecay  float64 `json:"weight_decay"`
			Start        []float64
			Gradients    [][]float64
			Steps        []struct{ Parameters, Momentum []float64 }
		}
	}
}

func readGolden(t *testing.T) (g goldenOptimiser) {
	t.Helper()
	data, err := os.ReadFile(testenv.Shared(t, "reference/golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestStepLRGolden(t *testing.T) {
	rates := readGolden(t).Optimiser.StepLR
	if len(rates) != 50 {
		t.Fatalf("%d rates in golden.json", len(rates))
	}
	for epoch, want := range rates {
		if got := (model.StepLR{Every: 12, Gamma: 0.1}).Rate(0.005, epoch); math.Abs(got-want) > 1e-12*want {
			t.Errorf("epoch %d: %v, want %v", epoch, got, want)
		}
	}
	if got := (model.StepLR{}).Rate(0.005, 100); got != 0.005 {
		t.Errorf("without steps: %v", got)
	}
}

// A network whose head has three weights is moved by the golden gradients: the loss is their product with the weights.
func TestSGDGolden(t *testing.T) {
	for name, c := range readGolden(t).Optimiser.SGD {
		t.Run(name, func(t *testing.T) {
			precision, tolerance := torch.Float64, 1e-12
			if strings.HasSuffix(name, "float32") {
				precision, tolerance = torch.Float32, 2.4e-7 // the fused operator rounds once less; a sum of 2 has this precision
			}
			net := &nn.Network{Name: "three", Input: nn.ImageNet(1), Layers: nn.Seq(), Head: nn.Linear{Name: "fc", In: 3, Out: 1}, Classes: 1}
			m, err := model.New(net, torch.CPU, precision, model.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			sgd, err := model.NewSGD(m, c.LR, c.Momentum, c.WeightDecay)
			if err != nil {
				t.Fatal(err)
			}
			do(t, func(s *torch.Scope) {
				number := func(v []float64) torch.Tensor { return s.ToDType(torch.From(s, v, 1, 3), precision) }
				s.NoGrad(func() { s.Copy_(m.Head(), number(c.Start), false) })
				for step, gradient := range c.Gradients {
					sgd.Step(s, s.Sum(s.Mul(m.Head(), number(gradient))))
					buffers, err := sgd.Buffers()
					if err != nil {
						t.Fatal(err)
					}
					momentum := s.FromBytes(buffers[0].Data, precision, 3)
					close := cmpopts.EquateApprox(0, tolerance)
					if diff := cmp.Diff(c.Steps[step].Parameters, torch.Slice[float64](s.ToDType(m.Head(), torch.Float64)), close); diff != "" {
						t.Errorf("parameters after step %d: %s", step, diff)
					}
					if diff := cmp.Diff(c.Steps[step].Momentum, torch.Slice[float64](s.ToDType(momentum, torch.Float64)), close); diff != "" {
						t.Errorf("momentum after step %d: %s", step, diff)
					}
				}
			})
		})
	}
}

// Saved momentum buffers, put into a fresh optimiser, give the same next step.
func TestSGDResumes(t *testing.T) {
	train := func(m *model.Model, sgd *model.SGD) {
		do(t, func(s *torch.Scope) {
			out := m.Forward(s, ramp(s, m, 4, 48), model.Train)
			labels := torch.From(s, []int64{0, 1, 0, 1}, 4)
			sgd.Step(s, s.CrossEntropyLoss(out.Logits, labels, torch.Tensor{}, torch.ReduceMean, -100, 0))
		})
	}
	fresh := func(seed uint64) (*model.Model, *model.SGD) {
		m := initialised(t, "resnet_small", torch.Float32, seed)
		sgd, err := model.NewSGD(m, 0.02, 0.9, 1e-6)
		if err != nil {
			t.Fatal(err)
		}
		return m, sgd
	}
	through, sgd := fresh(1)
	train(through, sgd)
	resumed, again := fresh(2)
	if _, err := resumed.Load(state(t, through), model.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	buffers, err := sgd.Buffers()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.SetBuffers(buffers); err != nil {
		t.Fatal(err)
	}
	train(through, sgd)
	train(resumed, again)
	if diff := cmp.Diff(state(t, through), state(t, resumed)); diff != "" {
		t.Error(diff)
	}

	if err := again.SetBuffers(buffers[1:]); err == nil || err.Error() != fmt.Sprintf("%d momentum buffers in the file, %d parameters in the network", len(buffers)-1, len(buffers)) {
		t.Error(err)
	}
	buffers[0], buffers[1] = buffers[1], buffers[0]
	if err := again.SetBuffers(buffers); err == nil || err.Error() != "momentum buffer of tensor conv1.weight: 16 in the file, 16x3x5x5 in the network" {
		t.Error(err)
	}
	if err := again.SetBuffers(make([]checkpoint.Tensor, len(buffers))); err != nil {
		t.Error(err)
	}
}
