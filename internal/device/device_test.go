package device_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/device"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// open readies libtorch for a task and returns the events that it wrote.
func open(t *testing.T, tk *task.Task) (d torch.Device, said string, err error) {
	t.Helper()
	dir := t.TempDir()
	tk, err = tk.In(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := tk.Open(); err != nil {
		t.Fatal(err)
	}
	d, err = device.Open(tk)
	events, reading := os.ReadFile(filepath.Join(dir, "events.jsonl"))
	if reading != nil {
		t.Fatal(reading)
	}
	return d, string(events), err
}

// A task gets its device and threads, and says what its results depend on.
func TestOpen(t *testing.T) {
	d, events, err := open(t, &task.Task{Node: "fit", Device: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if d != torch.CPU || torch.Threads() != 1 {
		t.Errorf("%v with %d threads", d, torch.Threads())
	}
	var e task.Event
	if err := json.Unmarshal([]byte(events), &e); err != nil {
		t.Fatalf("%s: %v", events, err)
	}
	for _, key := range []string{"cyborg-run", "libtorch", "device", "device name", "instructions", "threads"} {
		if e.Words[key] == "" {
			t.Errorf("it does not say its %s: %v", key, e.Words)
		}
	}
	if e.Type != task.Environment || e.Words["device"] != "cpu" || e.Words["threads"] != "1" || e.Words["libtorch"] != torch.Version() {
		t.Errorf("%+v", e)
	}
}

// The CPU's name tells models apart that share a name, as virtual machines' do; lscpu reads the same in its own way.
func TestProcessor(t *testing.T) {
	out, err := exec.Command("lscpu").Output()
	if err != nil {
		t.Skipf("lscpu: %v", err)
	}
	_, events, err := open(t, &task.Task{Node: "fit", Device: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	var e task.Event
	if err := json.Unmarshal([]byte(events), &e); err != nil {
		t.Fatal(err)
	}
	name := e.Words["device name"]
	for line := range strings.SplitSeq(string(out), "\n") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		want, ok := map[string]string{"Model name": value, "CPU family": ", family " + value, "Model": ", model " + value, "Stepping": ", stepping " + value}[key]
		if ok && !strings.Contains(name, want) {
			t.Errorf("lscpu says %s, the name is %q", line, name)
		}
	}
}

// A device that is not there is an error of the task, in words.
func TestOpenADeviceThatIsNotThere(t *testing.T) {
	for _, name := range []string{"cuda:99", "tpu", "cpu:1x"} {
		if _, events, err := open(t, &task.Task{Node: "fit", Device: name}); err == nil || !strings.Contains(err.Error(), strings.Split(name, ":")[0]) || events != "" {
			t.Errorf("%s: %v; it said %q", name, err, events)
		}
	}
}
