//go:build slow

package cli_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// TestKilledAgainAndAgain: a training that is stopped and killed at any moments, as often as it takes, ends in the same
// bytes as one that is left alone.
func TestKilledAgainAndAgain(t *testing.T) {
	worker := torchWorker(t)
	dir := t.TempDir()
	spec := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(spec, []byte(`version: 1
name: mine
datasets:
  train:
    generate: {faces: {count: 60, side: 32}}
    saliency: {human: {maps: "maps/{name}", filter: box, simulated: true}}
model: {arch: resnet_small, side: 32}
losses: {cyborg: [{term: cross_entropy}, {term: cyborg, tap: pooled}]}
train: {select: {on: train}, loss: cyborg, epochs: 40, batch: 7, threads: 1, checkpoint: {steps: 3}}
stages: {fit: {uses: train}}
`), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(name string) *exec.Cmd {
		cmd := exec.Command("cyborg-run", spec, "--store", filepath.Join(dir, name), "--out", filepath.Join(dir, name+".out"), "--progress", "none")
		cmd.Env = append(os.Environ(), "CYBORG_TORCH="+worker)
		cmd.Dir = testenv.Root(t)
		return cmd
	}
	if out, err := run("alone").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	random := rand.New(rand.NewPCG(3, 5))
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM, 0} // 0: the worker alone, by SIGKILL
	tries := 0
	for done := false; !done; tries++ {
		if tries > 100 {
			t.Fatal("it does not get any further")
		}
		cmd := run("killed")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300*time.Millisecond + time.Duration(random.IntN(1500))*time.Millisecond)
		workers := children(cmd.Process.Pid)
		if s := signals[random.IntN(len(signals))]; s != 0 || len(workers) == 0 {
			_ = cmd.Process.Signal(max(s, syscall.SIGINT)) // it may be done already
		} else {
			_ = syscall.Kill(workers[0], syscall.SIGKILL)
		}
		done = cmd.Wait() == nil
	}
	t.Logf("done at try %d", tries)
	for _, name := range []string{"final.pth", "last.pth", "steps.csv", "history.csv"} {
		alone, err := os.ReadFile(filepath.Join(dir, "alone.out", "models", "fit", name))
		if err != nil {
			t.Fatal(err)
		}
		killed, err := os.ReadFile(filepath.Join(dir, "killed.out", "models", "fit", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(alone, killed) {
			t.Errorf("%s differs", name)
		}
	}
}
