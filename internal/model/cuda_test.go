//go:build cuda

package model_test

import (
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// TestCUDAStepsEqualPyTorch takes the steps on the first CUDA device.
func TestCUDAStepsEqualPyTorch(t *testing.T) {
	if !torch.CUDAAvailable() {
		t.Skip("there is no CUDA device here")
	}
	parity(t, torch.CUDA(0), []setting{
		{Network: "resnet50", Side: 64, Batch: 2, Class: loss.Predicted},
		{Network: "resnet_small", Side: 96, Batch: 2, Class: loss.True, ChannelsLast: true},
	})
}
