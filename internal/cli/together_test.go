package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

const severalNodes = `version: 1
name: several
datasets:
  train: {generate: {faces: {count: 60}}}
  a: {generate: {faces: {count: 64, generator: U1}}}
  b: {generate: {faces: {count: 62, generator: U2}}}
  c: {generate: {faces: {count: 66, generator: U3}}}
model: {arch: resnet_small}
losses: {ce: [{term: cross_entropy}]}
train: {select: {on: train}}
stages:
  fit: {uses: train, matrix: {loss: [ce]}}
  score: {uses: evaluate, needs: fit, matrix: {set: [a, b, c]}}
`

// Two runs at the same time on one store do each node once between them, and both end well; one that is killed leaves what
// it was at to the other.
func TestTwoRunsTogether(t *testing.T) {
	for name, kill := range map[string]bool{"both_end": false, "one_is_killed": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program := runner(t, dir)
			if err := os.WriteFile(filepath.Join(dir, "several.yaml"), []byte(severalNodes), 0o644); err != nil {
				t.Fatal(err)
			}
			first := together(t, program, dir, "first")
			awaitAttempt(t, dir)
			second := together(t, program, dir, "second")
			if kill {
				time.Sleep(20 * time.Millisecond) // somewhere in the middle; any moment will do
				if err := first.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				_ = first.Wait() // killed
			} else if err := first.Wait(); err != nil {
				t.Fatalf("the first run: %v\n%s", err, first.Stderr)
			}
			if err := second.Wait(); err != nil {
				t.Fatalf("the second run: %v\n%s", err, second.Stderr)
			}
			done := map[string]int{}
			for _, run := range []string{"first", "second"} {
				for node, n := range doneOf(t, filepath.Join(dir, run, "events.jsonl")) {
					done[node] += n
				}
			}
			for _, node := range []string{"train", "a", "b", "c"} {
				if n := done["generate."+node]; n > 1 || n < 1 && !kill {
					t.Errorf("generate.%s was done %d times", node, n)
				}
			}
			again := exec.Command(program, "several.yaml", "--only", "generate.*", "--device", "cpu")
			again.Dir, again.Env = dir, append(os.Environ(), "CYBORG_TORCH=")
			if out, err := again.CombinedOutput(); err != nil || !strings.Contains(string(out), "nothing to do: all 4 nodes are done") {
				t.Errorf("once more: %v\n%s", err, out)
			}
		})
	}
}

// runner is this test binary under the program's name.
func runner(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cyborg-run")
	if os.Link(self, path) == nil {
		return path
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func together(t *testing.T, program, dir, out string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, "several.yaml", "--only", "generate.*", "--out", out, "--jobs", "2", "--device", "cpu", "--progress", "none")
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), "CYBORG_TORCH="), &bytes.Buffer{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// awaitAttempt waits until somebody works on a node.
func awaitAttempt(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if found, _ := filepath.Glob(filepath.Join(dir, ".cyborg", "*", "*", "out")); len(found) > 0 {
			return
		}
	}
	t.Fatal("no node was begun within a minute")
}

// doneOf counts the nodes that a run has done itself.
func doneOf(t *testing.T, path string) map[string]int {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	started, done := map[string]bool{}, map[string]int{}
	for line := range bytes.Lines(raw) {
		var e task.Event
		if json.Unmarshal(line, &e) != nil {
			continue // cut off by the kill
		}
		switch e.Type {
		case task.NodeStarted:
			started[e.Node] = true
		case task.NodeDone:
			if started[e.Node] {
				done[e.Node]++
			}
		}
	}
	return done
}
