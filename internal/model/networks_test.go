//go:build slow

package model_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// TestParityOfEveryNetwork compares each architecture with PyTorch's, in a process of its own: their tensors are there many
// times over, and what one leaves in libtorch's heap is of no use to the next.
func TestParityOfEveryNetwork(t *testing.T) {
	const variable = "CYBORG_PARITY_OF"
	testenv.Python(t)
	var settings []setting
	for _, name := range nn.Names() {
		settings = append(settings, setting{Network: name, Side: smallest(network(t, name, 2)), Batch: 2, Class: loss.Predicted})
	}
	settings = append(settings, setting{Network: "densenet121", Side: 128, Batch: 2, Class: loss.True, Twice: true})
	for _, c := range settings {
		switch os.Getenv(variable) {
		case "":
			t.Run(c.String(), func(t *testing.T) {
				cmd := exec.Command(os.Args[0], "-test.run", "^TestParityOfEveryNetwork$", "-test.v")
				cmd.Env = append(os.Environ(), variable+"="+c.String())
				out, err := cmd.CombinedOutput()
				t.Logf("%s", out)
				if err != nil {
					t.Error(err)
				}
			})
		case c.String():
			parity(t, torch.CPU, []setting{c})
		}
	}
}

// smallest is a side at which all layers of a network are passed in little time: 128 pixels; for those made for 299 an odd
// one, so that strides and paddings meet odd and even rows; with an auxiliary classifier its own, since that asks for a map
// of 17 x 17 cells. The paper's four are compared at their own sides in TestParityOfTheAuthorsDemo, in evaluation.
func smallest(n *nn.Network) int {
	switch {
	case n.HasAuxiliary():
		return n.Input.Side
	case n.Input.Side == 299:
		return 171
	}
	return min(n.Input.Side, 128)
}

func TestParityOfInitialisation(t *testing.T) {
	initialisation(t, "resnet50", "densenet121", "inception_v3_aux", "xception", "efficientnet_b0", "convnext_tiny")
}
