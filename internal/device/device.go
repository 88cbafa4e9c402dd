// Package device readies libtorch for a task: the device that the runner chose, threads, and the switches that make the
// same inputs give the same bytes.
package device

import (
	"strconv"

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
		"cyborg-run": version.Version, "libtorch": torch.Version(), "device": d.String(), "device name": torch.DeviceName(d),
		"instructions": torch.Instructions(), "threads": strconv.Itoa(torch.Threads()),
	}})
	return d, nil
}
