package model_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// scripted runs testdata/scripted.py, which writes a network in TorchScript and what PyTorch makes of it.
func scripted(t *testing.T, dir string) {
	t.Helper()
	source, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	testenv.RunPython(t, "import sys; sys.path.insert(0, sys.argv[2]); sys.dont_write_bytecode = True; import scripted", dir, source)
}

func scriptedNetwork(path, head string, cells int) *nn.Network {
	return nn.Scripted(nn.Script{Path: path, Map: cells}, nn.ImageNet(64), head, 2)
}

// A network from Python trains here as it does there, and its weights go back by their names.
func TestScriptTrainsAsInPyTorch(t *testing.T) {
	dir := t.TempDir()
	scripted(t, dir)
	given, found := byName(t, filepath.Join(dir, "given.safetensors")), byName(t, filepath.Join(dir, "found.safetensors"))
	m, err := model.New(scriptedNetwork(filepath.Join(dir, "net.pt"), "model.head.fc.weight", 2), torch.CPU, torch.Float64, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	sgd, err := model.NewSGD(m, 0.005, 0.9, 1e-6)
	if err != nil {
		t.Fatal(err)
	}
	compare := func(name string, got checkpoint.Tensor) {
		t.Helper()
		if d := apart(t, got, found[name]); !(d <= float64Apart) {
			t.Errorf("%s is %.3g apart from PyTorch's", name, d)
		}
		delete(found, name)
	}
	terms := loss.Loss{{Name: "cross_entropy", Weight: 0.5}, {Name: "cyborg", Weight: 0.5, Map: "human", Class: loss.Predicted, Tap: "pooled"}}
	do(t, func(s *torch.Scope) {
		x := s.FromBytes(given["images"].Data, torch.Float64, given["images"].Shape...)
		human := s.FromBytes(given["human"].Data, torch.Float64, given["human"].Shape...)
		s.NoGrad(func() {
			out := m.Forward(s, x, model.Eval, "pooled")
			compare("eval.logits", values(out.Logits))
			compare("eval.features", values(out.Features["pooled"]))
		})
		for range 3 {
			out := m.Forward(s, x, model.Train, "pooled")
			v := terms.Evaluate(s, loss.Batch{
				Logits: out.Logits, Labels: torch.From(s, []int64{0, 1, 0, 1}, 4), Weight: m.Head(), Features: out.Features,
				Maps: map[string]loss.Maps{"human": {Values: human, Has: torch.From(s, []bool{true, true, true, true}, 4)}},
			})
			sgd.Step(s, v.Total)
		}
	})
	trained := state(t, m)
	for _, tensor := range trained {
		compare("after."+tensor.Name, tensor)
	}
	for name := range found {
		t.Errorf("not compared: %s", name)
	}

	final := filepath.Join(dir, "final.pth")
	if err := checkpoint.Write(final, &checkpoint.File{Tensors: trained}); err != nil {
		t.Fatal(err)
	}
	const back = `
import json, sys, torch
from safetensors.torch import load_file
net = torch.jit.load(sys.argv[1] + "/net.pt")
net.load_state_dict(torch.load(sys.argv[1] + "/final.pth", weights_only=True)["state_dict"], strict=True)
net.eval()
print(json.dumps(net(load_file(sys.argv[1] + "/given.safetensors")["images"])[0].flatten().tolist()))`
	var want, got []float64
	if err := json.Unmarshal(testenv.RunPython(t, back, dir), &want); err != nil {
		t.Fatal(err)
	}
	again, err := model.New(scriptedNetwork(filepath.Join(dir, "net.pt"), "", 0), torch.CPU, torch.Float64, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Load(read(t, final), model.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := again.Fold(); err != nil { // leaves a script as it is
		t.Fatal(err)
	}
	do(t, func(s *torch.Scope) {
		s.NoGrad(func() {
			x := s.FromBytes(given["images"].Data, torch.Float64, given["images"].Shape...)
			got = torch.Slice[float64](again.Forward(s, x, model.Eval).Logits)
		})
	})
	for i := range want {
		if d := got[i] - want[i]; d > 1e-12 || d < -1e-12 {
			t.Errorf("logit %d is %v, in Python %v", i, got[i], want[i])
		}
	}
}

func TestScriptErrors(t *testing.T) {
	dir := t.TempDir()
	scripted(t, dir)
	text := filepath.Join(dir, "text.pt")
	if err := os.WriteFile(text, []byte("not a network"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ path, head, want string }{
		"no_file":   {filepath.Join(dir, "none.pt"), "", "none.pt: torch: load "},
		"no_script": {text, "", "text.pt: torch: load "},
		"no_head":   {filepath.Join(dir, "net.pt"), "fc.weight", "it has no tensor fc.weight, which `head` names"},
		"wrong_head": {filepath.Join(dir, "net.pt"), "model.stem.conv.weight",
			"the head's weight model.stem.conv.weight is 32x3x3x3; 2xCHANNELS is needed"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := model.New(scriptedNetwork(c.path, c.head, 2), torch.CPU, torch.Float32, model.Options{})
			if err == nil {
				m.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q in it", err, c.want)
			}
		})
	}
	m, err := model.New(scriptedNetwork(filepath.Join(dir, "logits.pt"), "head.fc.weight", 2), torch.CPU, torch.Float32, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	err = torch.Do(func(s *torch.Scope) error {
		m.Forward(s, s.Zeros([]int{1, 3, 64, 64}, torch.Float32, torch.CPU), model.Eval, "pooled")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "the network returns logits alone; CAMs need the feature map beside them") {
		t.Errorf("logits alone: %v", err)
	}

	other, err := model.New(scriptedNetwork(filepath.Join(dir, "net.pt"), "model.head.fc.weight", 7), torch.CPU, torch.Float32, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = torch.Do(func(s *torch.Scope) error {
		other.Forward(s, s.Zeros([]int{1, 3, 64, 64}, torch.Float32, torch.CPU), model.Eval, "pooled")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "the feature map that the network returns is of shape [1 368 2 2]; [images, channels, 7, 7] is needed, as `map` says") {
		t.Errorf("another map: %v", err)
	}
}
