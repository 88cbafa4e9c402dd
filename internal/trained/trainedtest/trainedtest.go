// Package trainedtest makes checkpoints for the tests of what reads a trained network.
package trainedtest

import (
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Small is the quick start's network at 32 pixels, whose CAMs have 4 x 4 cells.
func Small() experiment.Model {
	return experiment.Model{Arch: experiment.Arch{Name: "resnet_small"}, Side: 32}
}

// Save writes a checkpoint of Small with weights drawn from a seed, and returns its path and those weights.
func Save(t testing.TB) (path string, state []checkpoint.Tensor) {
	t.Helper()
	network, err := experiment.Network(Small())
	if err != nil {
		t.Fatal(err)
	}
	net, err := model.New(network, torch.CPU, torch.Float32, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	random := torch.NewGenerator(torch.CPU, 7)
	defer random.Close()
	if err := net.Init(random); err != nil {
		t.Fatal(err)
	}
	if state, err = net.State(); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "final.pth")
	if err := checkpoint.Write(path, &checkpoint.File{Tensors: state}); err != nil {
		t.Fatal(err)
	}
	return path, state
}
