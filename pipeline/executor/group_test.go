package executor_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// ends waits until a process is gone, or is a corpse that nobody has asked after.
func ends(t *testing.T, pid int) {
	t.Helper()
	for range 500 {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, state, _ := strings.Cut(string(raw), ") ")
		if err != nil || strings.HasPrefix(state, "Z") || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// What a worker started ends with it, and does not keep the run waiting.
func TestRunEndsTheChildrenOfAWorker(t *testing.T) {
	h := newHouse(t, t.TempDir(), node("fit", "has_a_child"))
	if outcome := h.run(t.Context(), executor.Options{}); outcome.Done != 1 {
		t.Fatalf("%+v", outcome)
	}
	pid, err := strconv.Atoi(h.result("fit"))
	if err != nil {
		t.Fatal(err)
	}
	ends(t, pid)
}

// beRunner does a node in a store, for TestRunnerKilled; it prints what the worker says.
func beRunner(dir string) int {
	st, err := store.Open(dir)
	if err != nil {
		return 1
	}
	self, err := os.Executable()
	if err != nil {
		return 1
	}
	g, err := graph.New([]*graph.Node{node("fit", "has_a_child_and_hears_nothing")})
	if err != nil {
		return 1
	}
	plan, err := graph.MakePlan(g, st, "test", graph.Machine{})
	if err != nil {
		return 1
	}
	local := &executor.Local{Programs: map[pipeline.Program]string{pipeline.Torch: self}, Guard: []string{"/usr/bin/env", "CYBORG_TEST_ROLE=guard", self},
		Env: []string{"CYBORG_TEST_ROLE=", "CYBORG_TEST_WORKER=1"}}
	_, err = executor.Run(context.Background(), plan, st, local, executor.Options{}, func(e task.Event) {
		if e.Type == task.Log {
			fmt.Println(e.Message)
		}
	}, func(*graph.Step) error { return nil })
	if err != nil {
		return 1
	}
	return 0
}

// A runner that is killed takes its workers along, and what they started, although they do not listen.
func TestRunnerKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	runner := exec.Command(self, filepath.Join(t.TempDir(), "store"))
	runner.Env = append(os.Environ(), "CYBORG_TEST_ROLE=runner")
	out, err := runner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var worker, child int
	if _, scan := fmt.Sscanf(line, "at work %d %d", &worker, &child); err != nil || scan != nil {
		t.Fatalf("%q: %v %v", line, err, scan)
	}
	if err := syscall.Kill(child, 0); err != nil {
		t.Fatalf("the child is not there: %v", err)
	}
	if err := runner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = runner.Wait()
	ends(t, worker)
	ends(t, child)
}
