//go:build slow

package worker

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

// TestMain lets this test binary be a worker process.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CYBORG_TEST_ATTEMPT"); dir != "" {
		os.Exit(task.Main(dir, map[string]task.Work{"train": Run}))
	}
	os.Exit(m.Run())
}

// A worker process that is killed at 20 random moments, many of them in the middle of saving, ends in the same bytes.
func TestKilledAtRandom(t *testing.T) {
	random := testenv.Random(t)
	job := chancy()
	job.Epochs = 12
	want := done(t, job).outputs()
	a := newAttempt(t, job)
	a.how.Steps = 1
	saving, further, newest := 0, 0, ""
	for kills, starts := 0, 0; kills < 20; {
		if starts++; starts > 200 {
			t.Fatalf("killed %d times only", kills)
		}
		raw, err := json.Marshal(a.begin())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(a.dir, "task.json"), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CYBORG_TEST_ATTEMPT="+a.dir)
		cmd.Stderr = os.Stderr
		killed, err := testenv.KillAtRandom(t, random, cmd, 3*time.Second)
		switch {
		case killed:
			kills++
			if half, err := filepath.Glob(filepath.Join(a.dir, "state", ".*")); err == nil && len(half) > 0 {
				saving++
			}
			if found := a.checkpoints(); len(found) > 0 && found[0] != newest {
				further++
				newest = found[0]
			}
		case err != nil:
			t.Fatal(err)
		default: // it was done before: once more from the beginning
			a.same(want)
			if err := os.RemoveAll(filepath.Join(a.dir, "state")); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d of 20 kills were while saving; %d left a newer checkpoint", saving, further)
	if further == 0 {
		t.Error("no process got as far as to save: this test shows nothing")
	}
	if err := a.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.same(want)
}

// scripted writes a small network with dropout in TorchScript; a file of its own, because torch.jit reads its source.
const scripted = `
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout2d(0.3), nn.Conv2d(8, 8, 3, 4, 1))
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(8, 2)
    def forward(self, x):
        f = self.body(x)
        return self.fc(self.drop(f.mean((2, 3)))), f
torch.manual_seed(3)
torch.jit.script(Net()).save("OUT")
`

// Networks that take long, or need Python, go on to the same bytes too.
func TestHeavyRunsGoOn(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *train.Job){
		"densenet_twice": func(_ *testing.T, j *train.Job) {
			j.Model.Arch.Name, j.Model.BatchNorm, j.Batch, j.Model.Side = "densenet121", "twice", 7, 128
		},
		"auxiliary": func(_ *testing.T, j *train.Job) {
			j.Model.Arch.Name, j.Model.Side, j.Batch, j.Epochs = "inception_v3_aux", 299, 7, 1
			j.Terms[1] = experiment.Term{Term: "auxiliary_cross_entropy", Weight: fixed(0.4)}
		},
		"torchscript": func(t *testing.T, j *train.Job) {
			dir := t.TempDir()
			path := filepath.Join(dir, "net.pt")
			if err := os.WriteFile(filepath.Join(dir, "dropping.py"), []byte(strings.ReplaceAll(scripted, "OUT", path)), 0o644); err != nil {
				t.Fatal(err)
			}
			testenv.RunPython(t, "import sys; sys.path.insert(0, sys.argv[1]); import dropping", dir)
			j.Model.Arch = experiment.Arch{TorchScript: path, Head: "fc.weight", Map: 4, Side: 32}
		},
	} {
		t.Run(name, func(t *testing.T) {
			job := small()
			job.Epochs = 2
			change(t, &job)
			first := newAttempt(t, job)
			first.side = job.Model.Side
			if err := first.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			a := newAttempt(t, job)
			a.side = first.side
			for _, asks := range []int{1, 2} {
				_ = a.run(&stopAfter{t.Context(), asks}) // the comparison tells
			}
			if err := a.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if a.same(first.outputs()); !strings.Contains(a.said(), "goes on from step") {
				t.Error("it begins anew")
			}
		})
	}
}
