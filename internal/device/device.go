// Package device readies libtorch for a task: the device that the runner chose, threads, and the switches that make the
// same inputs give the same bytes.
package device

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/version"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Open settles the process for a task, before any tensor is made, and reports what results depend on.
func Open(t *task.Task) (torch.Device, error) {
	if err := torch.SetDeterministic(true); err != nil {
		return torch.Device{}, err
	}
	torch.SetTF32(false)
	torch.SetThreads(max(1, t.Threads))
	d, err := torch.ParseDevice(t.Device)
	if err != nil {
		return torch.Device{}, err
	}
	t.Emit(task.Event{Type: task.Environment, Words: map[string]string{
		"cyborg-run": version.Version, "libtorch": torch.Version(), "device": d.String(), "device name": name(d),
		"instructions": torch.Instructions(), "threads": strconv.Itoa(torch.Threads()),
	}})
	return d, nil
}

// name is what the device calls itself.
func name(d torch.Device) string {
	if !d.IsCUDA() {
		return processor()
	}
	p, err := d.Properties()
	if err != nil {
		return d.String()
	}
	return p.Name
}

// processor is the CPU's name as the kernel gives it.
func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
