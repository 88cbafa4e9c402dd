//go:build cuda

package model_test

import (
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// TestCUDAStepsEqualPyTorch takes the steps on the first CUDA device.
func TestCUDAStepsEqualPyTorch(t *testing.T) {
	if !torch.CUDAAvailable() {
		t.Skip("there is no CUDA device here")
	}
	parity(t, torch.CUDA(0), []setting{
		{"resnet50", 64, loss.Predicted, model.Options{}},
		{"resnet_small", 96, loss.True, model.Options{ChannelsLast: true}},
	})
}
