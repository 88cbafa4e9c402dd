package model_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// settled is a network drawn from a seed whose batch norms have learned something: their weights, biases and running
// statistics are all of them other numbers.
func settled(t testing.TB, name string, precision torch.DType, channelsLast bool) *model.Model {
	t.Helper()
	m := build(t, name, precision, model.Options{ChannelsLast: channelsLast})
	gen := torch.NewGenerator(torch.CPU, 1)
	defer gen.Close()
	if err := m.Init(gen); err != nil {
		t.Fatal(err)
	}
	tensors := state(t, m)
	do(t, func(s *torch.Scope) {
		between := func(p nn.Param, low, high float64) []byte {
			return s.Uniform_(s.Empty(p.Shape, m.DType(), torch.CPU), low, high, gen).Bytes()
		}
		params := m.Network.Graph().Parameters()
		for i, p := range params {
			switch {
			case strings.HasSuffix(p.Name, ".running_mean"):
				tensors[i].Data = between(p, -0.2, 0.2)
				tensors[i-1].Data = between(params[i-1], -0.2, 0.2) // bias
				tensors[i-2].Data = between(params[i-2], 0.5, 1)    // weight
			case strings.HasSuffix(p.Name, ".running_var"):
				tensors[i].Data = between(p, 0.5, 1.5)
			}
		}
	})
	if _, err := m.Load(tensors, model.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	return m
}

// A folded network computes what it computed.
func TestFold(t *testing.T) {
	for _, name := range nn.Names() {
		for _, c := range []struct {
			precision torch.DType
			last      bool
			tolerance float64
		}{
			{torch.Float64, false, 1e-12},
			{torch.Float32, false, 1e-5},
			{torch.Float32, true, 1e-5},
		} {
			t.Run(fmt.Sprintf("%s/%s/channels_last=%v", name, c.precision, c.last), func(t *testing.T) {
				m := settled(t, name, c.precision, c.last)
				do(t, func(s *torch.Scope) {
					s.InferenceMode(func() {
						x := ramp(s, m, 2, min(m.Network.Input.Side, 128))
						want := m.Forward(s, x, model.Eval)
						if err := m.Fold("pooled"); err != nil {
							t.Fatal(err)
						}
						got := m.Forward(s, x, model.Eval, "pooled")
						if d := apart(t, values(got.Logits), values(want.Logits)); !(d <= c.tolerance) {
							t.Errorf("%.3g apart", d)
						}
					})
				})
			})
		}
	}
}

// A tap that is named to Fold gives what it gave, whatever is summed in place around it; one that is not named and went
// into a convolution is refused.
func TestFoldKeepsTaps(t *testing.T) {
	for _, precision := range []torch.DType{torch.Float64, torch.Float32} {
		modules := network(t, "resnet_small", 2).Graph().Modules()
		for _, tap := range modules {
			m := settled(t, "resnet_small", precision, true)
			do(t, func(s *torch.Scope) {
				s.InferenceMode(func() {
					x := ramp(s, m, 2, 96)
					want := m.Forward(s, x, model.Eval, tap).Features[tap]
					if err := m.Fold(tap); err != nil {
						t.Fatal(err)
					}
					got := m.Forward(s, x, model.Eval, tap).Features[tap]
					if d := apart(t, values(got), values(want)); !(d <= 1e-5) {
						t.Errorf("%v, %s: %.3g apart", precision, tap, d)
					}
				})
			})
		}
	}
	m := settled(t, "resnet_small", torch.Float32, true)
	if err := m.Fold(); err != nil {
		t.Fatal(err)
	}
	for what, forward := range map[string]func(s *torch.Scope){
		"model: conv1 went into a convolution; name it to Fold":            func(s *torch.Scope) { m.Forward(s, ramp(s, m, 1, 96), model.Eval, "conv1") },
		"model: a folded network is for evaluation; make another to train": func(s *torch.Scope) { m.Forward(s, ramp(s, m, 1, 96), model.Train) },
	} {
		func() {
			defer func() {
				if r := recover(); r != what {
					t.Errorf("%v, want %s", r, what)
				}
			}()
			do(t, forward)
		}()
	}
}

// In bfloat16 a folded network is as near to float32 as the network itself, for it rounds less often.
func TestFoldInBFloat16(t *testing.T) {
	exact, half := settled(t, "resnet18", torch.Float32, true), settled(t, "resnet18", torch.BFloat16, true)
	if err := half.Fold("pooled"); err != nil {
		t.Fatal(err)
	}
	do(t, func(s *torch.Scope) {
		s.InferenceMode(func() {
			want := exact.Forward(s, ramp(s, exact, 2, 96), model.Eval).Logits
			got := half.Forward(s, ramp(s, half, 2, 96), model.Eval, "pooled")
			if d := got.Features["pooled"].DType(); d != torch.BFloat16 {
				t.Errorf("the layers ran in %v", d)
			}
			if d := apart(t, values(got.Logits), values(want)); !(d < 0.05) || d == 0 {
				t.Errorf("%.3g apart", d)
			}
		})
	})
}
