package cli_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/cli"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

func checkpointFile(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "checkpoint FILE")
	tensor := func(name string, shape ...int) checkpoint.Tensor {
		t := checkpoint.Tensor{Name: name, DType: checkpoint.Float32, Shape: shape}
		n := 1
		for _, size := range shape {
			n *= size
		}
		for i := range n {
			t.Data, _ = binary.Append(t.Data, binary.LittleEndian, float32(i)/3)
		}
		return t
	}
	f := &checkpoint.File{Epoch: 12, Extra: map[string]any{"arch": "small", "best": 0.5}}
	for _, name := range []string{"conv1", "conv2", "conv3", "conv4"} {
		f.Tensors = append(f.Tensors, tensor("module."+name+".weight", 8, 3, 3, 3), tensor("module."+name+".bias", 8))
	}
	f.Tensors = append(f.Tensors, tensor("module.fc.weight", 2, 300), checkpoint.Tensor{
		Name: "module.steps", DType: checkpoint.Int64, Shape: []int{}, Data: make([]byte, 8)})
	f.Optimizer = &checkpoint.Optimizer{LR: 0.005, Momentum: 0.9, WeightDecay: 1e-6, Buffers: []checkpoint.Tensor{tensor("", 8, 3, 3, 3), {}}}
	ts.Check(checkpoint.Write(ts.MkAbs(args[0]), f))
}

// TestImportThere takes a public file of 2018 to safetensors and on to a state dict in half precision, and Python finds
// the same weights in all of them.
func TestImportThere(t *testing.T) {
	theirs := testenv.Shared(t, "data/checkpoints/resnet20-12fca82f.th")
	folder := t.TempDir()
	for _, args := range [][]string{
		{"import", theirs, filepath.Join(folder, "it.safetensors")},
		{"export", filepath.Join(folder, "it.safetensors"), filepath.Join(folder, "half.pth"), "--weights-only", "--dtype", "float16"},
	} {
		if status := cli.Main(args, os.Stderr, os.Stderr); status != cli.ExitDone {
			t.Fatalf("%v: exit status %d", args, status)
		}
	}
	testenv.RunPython(t, `
import sys, torch
from safetensors.torch import load_file
theirs = {k.removeprefix("module."): v for k, v in torch.load(sys.argv[1], map_location="cpu", weights_only=True)["state_dict"].items()}
ours = load_file(sys.argv[2] + "/it.safetensors")
half = torch.load(sys.argv[2] + "/half.pth", weights_only=True)
assert list(theirs) == list(half) and theirs.keys() == ours.keys()
for k, v in theirs.items():
    assert torch.equal(v, ours[k]) and torch.equal(v.half(), half[k]), k
`, theirs, folder)
}
