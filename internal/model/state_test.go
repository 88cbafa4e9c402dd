package model_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

func TestLoadRestoresState(t *testing.T) {
	from, to := initialised(t, "resnet_small", torch.Float32, 1), initialised(t, "resnet_small", torch.Float32, 2)
	do(t, func(s *torch.Scope) { from.Forward(s, ramp(s, from, 2, 96), model.Train) }) // moves the statistics and counters
	want := state(t, from)
	report, err := to.Load(want, model.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(model.Report{Taken: len(want)}, report); diff != "" {
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
		Taken:      54,
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

// Published files write some names and shapes otherwise than today's code; they load all the same.
func TestLoadTranslatesOldNames(t *testing.T) {
	for _, c := range []struct {
		network string
		old     func(name string, tensor *checkpoint.Tensor)
	}{
		{"densenet121", func(name string, tensor *checkpoint.Tensor) { // torchvision's published weights
			for _, layer := range []string{"norm", "conv"} {
				for _, number := range []string{"1", "2"} {
					tensor.Name = strings.Replace(tensor.Name, "."+layer+number+".", "."+layer+"."+number+".", 1)
				}
			}
		}},
		{"xception", func(name string, tensor *checkpoint.Tensor) { // xception-b5690688.pth
			tensor.Name = strings.Replace(name, "last_linear.", "fc.", 1)
			if strings.HasSuffix(name, "pointwise.weight") {
				tensor.Shape = tensor.Shape[:2]
			}
		}},
	} {
		t.Run(c.network, func(t *testing.T) {
			from, to := initialised(t, c.network, torch.Float32, 1), initialised(t, c.network, torch.Float32, 2)
			want := state(t, from)
			old, changed := slices.Clone(want), 0
			for i := range old {
				c.old(old[i].Name, &old[i])
				if old[i].Name != want[i].Name || len(old[i].Shape) != len(want[i].Shape) {
					changed++
				}
			}
			if changed < 30 {
				t.Fatalf("only %d tensors have an old form", changed)
			}
			if _, err := to.Load(old, model.LoadOptions{}); err != nil {
				t.Fatal(err)
			}
			for i, got := range state(t, to) {
				if got.Name != want[i].Name || !bytes.Equal(got.Data, want[i].Data) {
					t.Errorf("%s differs after loading", want[i].Name)
				}
			}
		})
	}
}
