package model_test

import (
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
