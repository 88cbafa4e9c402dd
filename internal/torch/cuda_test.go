package torch_test

import (
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

func TestParseDevice(t *testing.T) {
	tests := []struct{ name, want, err string }{
		{"cpu", "cpu", ""},
		{"gpu", "", `unknown device "gpu"; there are auto, cpu, cuda and cuda:N`},
		{"cuda:x", "", "after cuda: stands the number"},
		{"cuda:-1", "", "after cuda: stands the number"},
		{"cuda:63", "", "device cuda:63"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := torch.ParseDevice(test.name)
			if test.err == "" && (err != nil || d.String() != test.want) {
				t.Errorf("got %v, %v; want %s", d, err, test.want)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("got %v, %v; want an error with %q", d, err, test.err)
			}
		})
	}
	auto, err := torch.ParseDevice("auto")
	if err != nil || auto.IsCUDA() != torch.CUDAAvailable() {
		t.Errorf("auto is %v, %v where CUDA is available: %v", auto, err, torch.CUDAAvailable())
	}
}

// Without a device the message says why, and that is not the worker's fault alone: a build without CUDA names the target
// that makes one.
func TestNoDeviceIsAnError(t *testing.T) {
	if torch.CUDAAvailable() {
		t.Skip("there is a CUDA device")
	}
	_, err := torch.ParseDevice("cuda")
	if err == nil || !strings.Contains(err.Error(), "device cuda: ") {
		t.Errorf("cuda without a device: %v", err)
	}
	t.Log(err)
	for name, err := range map[string]error{
		"synchronize": torch.CUDA(0).Synchronize(),
		"reset peak":  torch.CUDA(0).ResetPeak(),
		"upload": torch.Do(func(s *torch.Scope) error {
			s.Upload(torch.From(s, []float32{1}, 1), torch.CUDA(0))
			return nil
		}),
	} {
		if err == nil {
			t.Errorf("%s on a device that is not there succeeded", name)
		}
		t.Logf("%s: %v", name, err)
	}
	if _, err := torch.CUDA(0).Properties(); err == nil {
		t.Error("a device that is not there has properties")
	}
	if _, err := torch.CUDA(0).Memory(); err == nil {
		t.Error("a device that is not there has memory")
	}
}
