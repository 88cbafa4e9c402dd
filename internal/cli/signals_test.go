package cli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// deaf is a cyborg-torch that does not listen to SIGTERM and has a child of its own.
const deaf = `#!/bin/sh
if [ "$1" = info ]; then echo '{"libtorch": "2.11.0", "devices": []}'; exit; fi
trap '' TERM INT HUP
sleep 1000 &
echo $$ $! > "$2/pids.new" && mv "$2/pids.new" "$2/pids"
wait
sleep 1000
`

const oneSet = `version: 1
name: mine
datasets: {train: {generate: {faces: {count: 4, side: 32}}}}
model: {arch: resnet_small}
losses: {cross_entropy: [{term: cross_entropy}]}
train: {select: {on: train}, loss: cross_entropy}
stages: {fit: {uses: train}}
`

// A second signal ends the runner at once, SIGTERM and SIGHUP like Ctrl-C; a killed runner ends too. Whichever way, no worker
// outlives it, nor what a worker started, although they do not listen.
func TestSignals(t *testing.T) {
	for name, signals := range map[string][]syscall.Signal{
		"interrupted_twice": {syscall.SIGINT, syscall.SIGINT},
		"terminated_twice":  {syscall.SIGTERM, syscall.SIGTERM},
		"hung_up_and_again": {syscall.SIGHUP, syscall.SIGTERM},
		"killed":            {syscall.SIGKILL},
		"asked_and_killed":  {syscall.SIGTERM, syscall.SIGKILL},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			torch, spec := filepath.Join(dir, "torch"), filepath.Join(dir, "mine.yaml")
			if err := errors.Join(os.WriteFile(torch, []byte(deaf), 0o755), os.WriteFile(spec, []byte(oneSet), 0o644)); err != nil {
				t.Fatal(err)
			}
			runner := exec.Command("cyborg-run", spec, "--progress", "none", "--device", "cpu") // this binary, by testscript's Main
			runner.Dir, runner.Env = dir, append(os.Environ(), "CYBORG_TORCH="+torch)
			var stderr bytes.Buffer
			runner.Stderr = &stderr
			if err := runner.Start(); err != nil {
				t.Fatal(err)
			}
			pids := strings.Fields(await(t, filepath.Join(dir, ".cyborg", "attempts", "*", "pids")))
			for i, s := range signals {
				if i > 0 {
					time.Sleep(100 * time.Millisecond) // two of one kind at once are one
				}
				if err := runner.Process.Signal(s); err != nil {
					t.Fatal(err)
				}
			}
			_ = runner.Wait()
			if last := signals[len(signals)-1]; last != syscall.SIGKILL && runner.ProcessState.ExitCode() != 130 {
				t.Errorf("%v\n%s", runner.ProcessState, &stderr)
			}
			for _, text := range pids {
				pid, err := strconv.Atoi(text)
				if err != nil {
					t.Fatal(err)
				}
				if !ends(pid) {
					t.Errorf("process %d of %v is still there", pid, pids)
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		})
	}
}

// await is the text of the only file of that name, once it is there.
func await(t *testing.T, glob string) string {
	t.Helper()
	for range 3000 {
		if found, _ := filepath.Glob(glob); len(found) == 1 {
			raw, err := os.ReadFile(found[0])
			if err != nil {
				t.Fatal(err)
			}
			return string(raw)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s did not appear", glob)
	return ""
}

// ends waits until a process is gone, or is a corpse that nobody has asked after.
func ends(pid int) bool {
	for range 1000 {
		raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if _, state, _ := strings.Cut(string(raw), ") "); err != nil || strings.HasPrefix(state, "Z") {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
