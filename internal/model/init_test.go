package model_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

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

// Every tensor has the mean and deviation of PyTorch's initialisation, within what its size allows, and its bounds.
func TestInitHasPyTorchsMoments(t *testing.T) { initialisation(t, "resnet18") }

func initialisation(t *testing.T, networks ...string) {
	const script = `
import json, sys
torch.manual_seed(5)
net = build(sys.argv[1])
print(json.dumps({k: [v.mean().item(), v.std(correction=0).item() if v.numel() > 1 else 0, v.abs().max().item(), v.numel()]
                  for k, v in net.double().state_dict().items() if v.is_floating_point()}))`
	for _, name := range networks {
		t.Run(name, func(t *testing.T) {
			var want map[string][4]float64
			if err := json.Unmarshal(testenv.RunPython(t, testenv.Networks+script, name), &want); err != nil {
				t.Fatal(err)
			}
			m := initialised(t, name, torch.Float32, 5)
			params := map[string]nn.Param{}
			for _, p := range m.Network.Parameters() {
				params[p.Name] = p
			}
			compared := 0
			for _, tensor := range state(t, m) {
				if tensor.DType == checkpoint.Float32 {
					compared++
					moments(t, tensor, params[tensor.Name].Init, want[tensor.Name])
				}
			}
			if compared != len(want) {
				t.Errorf("%d tensors, PyTorch has %d", compared, len(want))
			}
		})
	}
}

// moments compares a tensor with the mean, deviation, largest size and number of values of PyTorch's.
func moments(t *testing.T, tensor checkpoint.Tensor, init nn.Init, want [4]float64) {
	t.Helper()
	var mean, deviation, most float64
	do(t, func(s *torch.Scope) {
		x := s.ToDType(s.FromBytes(tensor.Data, torch.Float32, tensor.Shape...), torch.Float64)
		mean = s.Float(s.Mean(x))
		deviation = math.Sqrt(s.Float(s.Mean(s.Square(s.SubScalar(x, mean)))))
		most = s.Float(s.Max(s.Abs(x)))
	})
	n := want[3]
	if want[1] == 0 && n > 1 {
		if math.Abs(mean-want[0]) > 1e-9 || deviation > 1e-9 {
			t.Errorf("%s: mean %v, deviation %v; PyTorch's is constant %v", tensor.Name, mean, deviation, want[0])
		}
		return
	}
	if init.Distribution == nn.Constant {
		t.Errorf("%s is constant; PyTorch draws it", tensor.Name)
	}
	if init.Distribution == nn.Uniform && (most > init.Scale || want[2] > init.Scale*(1+1e-6)) {
		t.Errorf("%s: largest %v, PyTorch's %v; the bound is %v", tensor.Name, most, want[2], init.Scale)
	}
	if n < 30 {
		return // the bounds are all that so few numbers tell
	}
	// The error of a mean is std/sqrt(n), that of a deviation less than std/sqrt(n); both draws have it, and there are some
	// hundreds of tensors.
	room := 6 * math.Sqrt2 * want[1] / math.Sqrt(n)
	if math.Abs(mean-want[0]) > room || math.Abs(deviation-want[1]) > room {
		t.Errorf("%s: mean %v, deviation %v; PyTorch's %v, %v", tensor.Name, mean, deviation, want[0], want[1])
	}
	if init.Distribution == nn.Normal && n > 1000 && most < 2.5*deviation {
		t.Errorf("%s: largest %v is not that of a normal distribution of deviation %v", tensor.Name, most, deviation)
	}
}
