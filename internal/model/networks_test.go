//go:build slow

package model_test

import (
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// TestParityOfEveryNetwork compares each architecture with PyTorch's, at the side that it is made for where a smaller one
// would pass other cells, else at 128 pixels.
func TestParityOfEveryNetwork(t *testing.T) {
	var settings []setting
	for _, name := range nn.Names() {
		side := min(network(t, name, 2).Input.Side, 128)
		if network(t, name, 2).Input.Side == 299 {
			side = 299
		}
		settings = append(settings, setting{Network: name, Side: side, Batch: 2, Class: loss.Predicted})
	}
	settings = append(settings, setting{Network: "densenet121", Side: 128, Batch: 2, Class: loss.True, Twice: true})
	parity(t, torch.CPU, settings)
}

func TestParityOfInitialisation(t *testing.T) {
	initialisation(t, "resnet50", "densenet121", "inception_v3_aux", "xception", "efficientnet_b0", "convnext_tiny")
}
