package main

import (
	"path/filepath"
	"strings"
)

// start measures the command line's own time: `cyborg-run version`, `validate` of the largest spec that is shipped, where no
// list is at hand, and a second run of a finished spec, ten times each.
func (b *bench) start() error {
	spec, err := quickstartSpec()
	if err != nil {
		return err
	}
	dir, runner := b.dir, filepath.Join(b.bin, "cyborg-run")
	seeds := "seeds=4"
	if b.quick {
		seeds = "seeds=1"
	}
	// The check at the end cannot hold after one epoch, so that all but it is done.
	again := []string{spec, "--out", "finished", "--device", "cpu", "--progress", "none", "--only", "table", "--set", seeds, "--set", "train.epochs=1"}
	if _, _, err := b.command(dir, nil, runner, again...); err != nil {
		return err
	}
	largest, err := filepath.Abs("specs/paper/all.yaml")
	if err != nil {
		return err
	}
	figures, err := turns(10,
		func(int) (float64, error) {
			_, seconds, err := b.command(dir, nil, runner, "version")
			return 1000 * seconds, err
		},
		func(int) (float64, error) {
			_, seconds, err := b.command(dir, nil, runner, again...)
			return 1000 * seconds, err
		},
		func(int) (float64, error) {
			_, seconds, err := b.command(dir, []string{"CYBORG_DATA="}, runner, "validate", "--no-files", largest)
			return 1000 * seconds, err
		})
	if err != nil {
		return err
	}
	b.add(line{what: "cyborg-run version", unit: "ms", ours: figures[0], limit: 30})
	b.add(line{what: "a second run of the finished quick start", unit: "ms", ours: figures[1], limit: 200})
	b.add(line{what: "validate of all of the paper's experiments", unit: "ms", ours: figures[2], limit: 50})
	return nil
}

// last is the number on the last line of what a program printed.
func last(printed string) float64 {
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	return number(strings.TrimSpace(lines[len(lines)-1]))
}
