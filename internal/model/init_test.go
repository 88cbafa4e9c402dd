package model_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
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
