package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/workerinfo"
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages"
)

// worker is what the runner knows of cyborg-torch.
type worker struct {
	workerinfo.Info
	path    string   // "" where there is none
	device  string   // as people read it: cpu, cuda:0, cuda (2 devices)
	devices []string // cpu; cuda:1 where the user chose one; else all that there are
	why     string   // how auto decided
}

// findWorker finds cyborg-torch, beside this program or by CYBORG_TORCH, asks it what it is, and settles the device.
// Starting libtorch takes half a second, so the answer is remembered for as long as nothing that decides it changes.
func findWorker(st *store.Store, device string) (*worker, error) {
	w := &worker{path: os.Getenv("CYBORG_TORCH")}
	if w.path == "" {
		w.path = filepath.Join(filepath.Dir(executable()), "cyborg-torch")
	}
	id, err := identity(w.path)
	if err != nil {
		if os.Getenv("CYBORG_TORCH") != "" {
			return nil, fmt.Errorf("CYBORG_TORCH names %s, which cannot be run: %w", w.path, err)
		}
		w.path, w.NoCUDA = "", "there is no cyborg-torch beside cyborg-run"
		return w, w.settle(device)
	}
	memory := filepath.Join(st.Dir(), "worker.json")
	known := map[string]workerinfo.Info{}
	if raw, err := os.ReadFile(memory); err == nil {
		_ = json.Unmarshal(raw, &known) // damaged: ask again
	}
	info, ok := known[id]
	if !ok {
		out, err := exec.Command(w.path, "info").Output()
		if err != nil {
			return nil, fmt.Errorf("%s does not start: %w%s\nrun `make build`, or `cyborg-run doctor` to see what is missing", w.path, err, stderrOf(err))
		}
		if err := json.Unmarshal(out, &info); err != nil {
			return nil, fmt.Errorf("%s info: %w", w.path, err)
		}
		if raw, err := json.Marshal(map[string]workerinfo.Info{id: info}); err == nil {
			_ = renameio.WriteFile(memory, raw, 0o644) // only saves time
		}
	}
	w.Info = info
	return w, w.settle(device)
}

func stderrOf(err error) string {
	var failed *exec.ExitError
	if errors.As(err, &failed) && len(failed.Stderr) > 0 {
		return "\n" + strings.TrimSpace(string(failed.Stderr))
	}
	return ""
}

// identity changes with the program and with what it can see of the machine.
func identity(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return "", errors.New("not a program")
	}
	id := fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano())
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		id += " " + strconv.FormatUint(sys.Ino, 10)
	}
	_, gpu := os.Stat("/dev/nvidiactl")
	return fmt.Sprintf("%s gpu=%v visible=%s", id, gpu == nil, os.Getenv("CUDA_VISIBLE_DEVICES")), nil
}

// settle turns --device into a device, or says why it cannot be had.
func (w *worker) settle(device string) error {
	kind, number, _ := strings.Cut(device, ":")
	n := 0
	if number != "" {
		var err error
		if n, err = strconv.Atoi(number); err != nil || n < 0 {
			return fmt.Errorf("--device %s: take auto, cpu, cuda or cuda:N", device)
		}
	}
	w.devices = []string{"cpu"}
	switch {
	case kind == "cpu" && number == "":
	case kind == "auto" && number == "" && len(w.Devices) > 0:
		w.devices, w.why = w.all(), w.Devices[0]
	case kind == "auto" && number == "":
		w.why = w.NoCUDA
	case kind != "cuda":
		return fmt.Errorf("--device %s: take auto, cpu, cuda or cuda:N", device)
	case len(w.Devices) == 0:
		return fmt.Errorf("--device %s: %s; see nvidia-smi, or take --device cpu", device, w.NoCUDA)
	case n >= len(w.Devices):
		return fmt.Errorf("--device %s: there are %d CUDA devices, numbered from 0", device, len(w.Devices))
	case number == "":
		w.devices = w.all()
	default:
		w.devices = []string{"cuda:" + strconv.Itoa(n)}
	}
	w.device = w.devices[0]
	if len(w.devices) > 1 {
		w.device = fmt.Sprintf("cuda (%d devices)", len(w.devices))
	}
	return nil
}

// all are the CUDA devices that there are: each node gets one that is free. Results depend on the kind of device alone.
func (w *worker) all() []string {
	var all []string
	for i := range w.Devices {
		all = append(all, "cuda:"+strconv.Itoa(i))
	}
	return all
}

// machine is what nodes may use.
func (w *worker) machine() executor.Machine {
	m := executor.ThisMachine()
	m.Devices = w.devices
	return m
}

func (w *worker) deviceClass() string {
	class, _, _ := strings.Cut(w.devices[0], ":")
	return class
}

// decides is what results depend on, and what cannot be done here.
func (w *worker) decides() graph.Machine {
	m := graph.Machine{Device: w.deviceClass(), Libtorch: w.Libtorch, Lacks: executor.Options{Machine: w.machine()}.Lacks}
	if w.path == "" {
		m.Missing = map[pipeline.Program]string{pipeline.Torch: "there is no " + string(pipeline.Torch)}
	}
	return m
}

// needed fails where the plan has work for cyborg-torch and there is none: better before anything is done than after the
// first node.
func (w *worker) needed(plan *graph.Plan) error {
	for _, s := range plan.Steps {
		if w.path == "" && s.State != graph.Done && s.Node.Stage.Program == pipeline.Torch {
			return fmt.Errorf("%s needs %s, and there is none beside %s: build it with `make build`, or name it by CYBORG_TORCH",
				s.Node.Name, pipeline.Torch, executable())
		}
	}
	return nil
}

// programs are the executables of both kinds of worker.
func (w *worker) programs() map[pipeline.Program]string {
	p := map[pipeline.Program]string{pipeline.Runner: executable()}
	if w.path != "" {
		p[pipeline.Torch] = w.path
	}
	return p
}

// workCommand does one task in pure Go; the executor starts it.
func workCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "work ATTEMPT",
		Short:  "Do the task of an attempt folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if status := task.Main(args[0], stages.Works()); status != task.ExitDone {
				return silent(status)
			}
			return nil
		},
	}
}

// guardCommand ends the children of workers when the runner was killed; the executor starts it.
func guardCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "guard",
		Short:  "Watch over the process groups of workers",
		Hidden: true,
		Args:   cobra.NoArgs,
		Run:    func(*cobra.Command, []string) { executor.GuardGroups(os.Stdin) },
	}
}
