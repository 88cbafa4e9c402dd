package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// command starts a program in a folder, with additions to the environment, and returns what it printed and its seconds.
func (b *bench) command(dir string, env []string, program string, args ...string) (printed string, seconds float64, err error) {
	cmd := exec.CommandContext(b.ctx, program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if b.ctx.Err() != nil {
		return "", 0, b.ctx.Err()
	}
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out), time.Since(began).Seconds(), nil
}

// run is a call of cyborg-run in a folder whose cache is there; the run's results go to a folder of their own.
func (b *bench) run(dir, out, spec string, args ...string) (seconds float64, err error) {
	_, seconds, err = b.command(dir, nil, filepath.Join(b.bin, "cyborg-run"),
		append([]string{spec, "--out", out, "--device", "cpu", "--progress", "none"}, args...)...)
	return seconds, err
}

// events are those that a run left.
func events(out string) ([]task.Event, error) {
	raw, err := os.ReadFile(filepath.Join(out, "events.jsonl"))
	if err != nil {
		return nil, err
	}
	var all []task.Event
	for line := range bytes.Lines(raw) {
		var e task.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s: %w", out, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// turns lets every side do its work once, then again, so many times, and returns the figures by side.
func turns(rounds int, sides ...func(round int) (float64, error)) ([][]float64, error) {
	figures := make([][]float64, len(sides))
	for round := range rounds {
		for i, side := range sides {
			v, err := side(round)
			if err != nil {
				return nil, err
			}
			figures[i] = append(figures[i], v)
		}
	}
	return figures, nil
}

// onOneCore is the program and its first arguments that keep a command on the first core.
func onOneCore() []string {
	if path, err := exec.LookPath("taskset"); err == nil {
		return []string{path, "-c", "0"}
	}
	return nil
}
