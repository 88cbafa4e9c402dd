package cli_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// TestWorkerScripts are whole runs, with trainings. Beside the commands of TestScripts there are:
//
//	draw FILE rgb|grey WxH      makes a PNG of noise
//	weights FILE [NAME SHAPE]   makes a checkpoint of resnet_small, one tensor of which may have another shape
//	serve FILE SPEC             serves the file by HTTP, and writes its ADDRESS and DIGEST into the spec
//	asked N                     there were so many requests for files
//	send SIGNAL [worker] GLOB   waits for a file, then signals the command in the background, or its workers
//	ended N                     the command that was signalled has ended with exit status N
//	same A B                    equal bytes
func TestWorkerScripts(t *testing.T) {
	all := map[string]command{"draw": draw, "weights": weights, "serve": serve, "asked": asked, "send": send, "ended": ended, "same": same}
	for name, c := range commands {
		all[name] = c
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "worker"),
		Cmds:                all,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup:               setup(t, torchWorker(t)),
		Condition: func(name string) (bool, error) {
			if name == "mount" {
				return mayMount(t.TempDir()), nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
	})
}

// torchWorker builds cyborg-torch, or takes that of CYBORG_TORCH.
func torchWorker(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("CYBORG_TORCH"); path != "" {
		return path
	}
	root := testenv.Root(t)
	if _, err := os.Stat(filepath.Join(root, ".libtorch", "torch")); err != nil {
		t.Skip("libtorch is not in .libtorch: `make libtorch` fetches it; nothing is trained in this test")
	}
	path := filepath.Join(t.TempDir(), "cyborg-torch")
	build := exec.Command("go", "build", "-o", path, "./cmd/cyborg-torch")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build cyborg-torch: %v\n%s", err, out)
	}
	return path
}

func mayMount(dir string) bool {
	if syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k") != nil {
		return false
	}
	return syscall.Unmount(dir, 0) == nil
}

func draw(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 3, "draw FILE rgb|grey WxH")
	var w, h int
	_, err := fmt.Sscanf(args[2], "%dx%d", &w, &h)
	ts.Check(err)
	random := rand.New(rand.NewPCG(uint64(len(args[0])), uint64(args[0][0])))
	var picture image.Image
	switch args[1] {
	case "rgb":
		rgb := image.NewNRGBA(image.Rect(0, 0, w, h))
		for i := range w * h {
			rgb.SetNRGBA(i%w, i/w, color.NRGBA{uint8(random.Uint32()), uint8(random.Uint32()), uint8(random.Uint32()), 255})
		}
		picture = rgb
	case "grey":
		grey := image.NewGray(image.Rect(0, 0, w, h))
		for i := range grey.Pix {
			grey.Pix[i] = uint8(random.Uint32())
		}
		picture = grey
	default:
		ts.Fatalf("draw: %s is neither rgb nor grey", args[1])
	}
	var file bytes.Buffer
	ts.Check(png.Encode(&file, picture))
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[0])), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file.Bytes(), 0o644))
}

func weights(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && (len(args) == 1 || len(args) == 3), "weights FILE [NAME SHAPE]")
	build, ok := nn.Lookup("resnet_small")
	if !ok {
		ts.Fatalf("there is no resnet_small")
	}
	var file checkpoint.File
	for _, p := range build(2).Parameters() {
		t := checkpoint.Tensor{Name: p.Name, DType: checkpoint.Float32, Shape: p.Shape}
		if len(args) == 3 && p.Name == args[1] {
			t.Shape = nil
			for size := range strings.SplitSeq(args[2], "x") {
				n, err := strconv.Atoi(size)
				ts.Check(err)
				t.Shape = append(t.Shape, n)
			}
		}
		size := 4
		if p.Kind == nn.Counter {
			t.DType, size = checkpoint.Int64, 8
		}
		t.Data = make([]byte, size*nn.Shape(t.Shape).Numel())
		file.Tensors = append(file.Tensors, t)
	}
	ts.Check(checkpoint.Write(ts.MkAbs(args[0]), &file))
}

// signalled is the command that each script last signalled.
var signalled sync.Map

func send(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && (len(args) == 2 || len(args) == 3 && args[1] == "worker"), "send SIGNAL [worker] GLOB")
	number, ok := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[args[0]]
	if !ok || len(ts.BackgroundCmds()) != 1 {
		ts.Fatalf("send: signal %s, %d commands in the background", args[0], len(ts.BackgroundCmds()))
	}
	cmd := ts.BackgroundCmds()[0]
	signalled.Store(ts, cmd)
	glob := ts.MkAbs(args[len(args)-1])
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		found, err := filepath.Glob(glob)
		ts.Check(err)
		if len(found) > 0 {
			break
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s did not appear", glob)
		}
	}
	if len(args) == 2 {
		ts.Check(cmd.Process.Signal(number))
		return
	}
	workers := children(cmd.Process.Pid)
	if len(workers) == 0 {
		ts.Fatalf("there is no worker to signal: the training ended before it could be")
	}
	for _, pid := range workers {
		ts.Check(syscall.Kill(pid, number))
	}
}

// children are the processes that a process started, but for the guard of a runner.
func children(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		raw, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:])) // state, parent, ...
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(stat), "cmdline"))
			if err == nil && !bytes.HasSuffix(line, []byte("\x00guard\x00")) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func ended(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "ended N")
	cmd, ok := signalled.Load(ts)
	if !ok {
		ts.Fatalf("no command was signalled")
	}
	if got := cmd.(*exec.Cmd).ProcessState.ExitCode(); strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

func same(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "same A B")
	a, b := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	if a == "" || a != b {
		ts.Fatalf("%s (%d bytes) and %s (%d bytes) differ", args[0], len(a), args[1], len(b))
	}
}
