// Package device readies libtorch for a task: the device that the runner chose, threads, and the switches that make the
// same inputs give the same bytes.
package device

import (
	"os"
	"path/filepath"
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

// processor names the CPU as exactly as results may depend on it: virtual machines shorten the name, and libtorch cuts its
// sums by model and caches. "AMD EPYC, family 25, model 17, stepping 1, caches 32K 1024K 32768K".
func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	first, _, _ := strings.Cut(string(raw), "\n\n")
	facts := map[string]string{}
	for line := range strings.SplitSeq(first, "\n") {
		key, value, _ := strings.Cut(line, ":")
		facts[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	if facts["model name"] == "" {
		return runtime.GOARCH
	}
	text := facts["model name"]
	for _, key := range []string{"cpu family", "model", "stepping"} {
		if facts[key] != "" {
			text += ", " + strings.TrimPrefix(key, "cpu ") + " " + facts[key]
		}
	}
	return text + caches()
}

// caches are the sizes of the first core's caches of data.
func caches() string {
	sizes := ""
	places, _ := filepath.Glob("/sys/devices/system/cpu/cpu0/cache/index*") // a pattern without mistakes
	for _, place := range places {
		kind, _ := os.ReadFile(filepath.Join(place, "type"))
		size, err := os.ReadFile(filepath.Join(place, "size"))
		if err == nil && strings.TrimSpace(string(kind)) != "Instruction" {
			sizes += " " + strings.TrimSpace(string(size))
		}
	}
	if sizes == "" {
		return ""
	}
	return ", caches" + sizes
}
