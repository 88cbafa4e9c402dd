package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// quickstartSpec is the project's own, with the data set that its training needs.
func quickstartSpec() (string, error) { return filepath.Abs("specs/quickstart.yaml") }

// prototypeSeconds is what the prototype prints of its training: from the first batch to the last.
var prototypeSeconds = regexp.MustCompile(`([0-9.]+)s  first/last loss`)

// quickstart compares one training of the quick start, 40 epochs of 600 images with CYBORG, one thread on one core.
//
// Ours is the whole worker: its start, reading the data, 40 epochs with a validation and a checkpoint after each. The
// prototype's is its own measure, the 40 epochs alone; its start and its data come on top.
func (b *bench) quickstart() error {
	script, err := b.needs("reference/quickstart/run.sh")
	if err != nil {
		return err
	}
	train, err := b.prepareQuickstart("fit[loss=cyborg,seed=1]")
	if err != nil {
		return err
	}
	// The prototype draws its images at first and keeps them in a file below TMPDIR; test sets of 20 images are enough.
	env := []string{"PY=" + b.python, "TMPDIR=" + b.dir, "NV=20", "NTE=20"}
	prototype := append(onOneCore(), "bash", script, "21", "cy", "[200]")
	if _, _, err := b.command(filepath.Dir(script), env, prototype[0], prototype[1:]...); err != nil {
		return err
	}
	figures, err := turns(b.rounds,
		func(round int) (float64, error) { return train(onOneCore(), round, "--set", "train.threads=1") },
		func(int) (float64, error) {
			printed, _, err := b.command(filepath.Dir(script), env, prototype[0], prototype[1:]...)
			if err != nil {
				return 0, err
			}
			found := prototypeSeconds.FindStringSubmatch(printed)
			if found == nil {
				return 0, fmt.Errorf("the prototype does not say how long it took: %s", printed)
			}
			return number(found[1]), nil
		})
	if err != nil {
		return err
	}
	b.add(line{"quick-start training, one core; the prototype's loop", "s", figures[0], figures[1], 1.0})
	return nil
}

// pair compares two trainings of the quick start, one thread each, side by side, with the same two one after the other,
// two threads each.
func (b *bench) pair() error {
	train, err := b.prepareQuickstart("fit[loss=cyborg,*")
	if err != nil {
		return err
	}
	figures, err := turns(b.rounds,
		func(round int) (float64, error) {
			return train(nil, 2*round, "--set", "seeds=2", "--set", "train.threads=1", "--jobs", "2")
		},
		func(round int) (float64, error) {
			return train(nil, 2*round+1, "--set", "seeds=2", "--set", "train.threads=2", "--jobs", "1")
		})
	if err != nil {
		return err
	}
	b.add(line{"two quick-start trainings side by side; other: in turn, two threads", "s", figures[0], figures[1], 1.0})
	return nil
}

// prepareQuickstart makes the data and returns a function that trains the nodes that match, anew in every turn, and
// gives the seconds from the first one's start to the last one's end. before goes in front of the command.
func (b *bench) prepareQuickstart(nodes string) (func(before []string, turn int, args ...string) (float64, error), error) {
	spec, err := quickstartSpec()
	if err != nil {
		return nil, err
	}
	dir := b.dir
	if _, err := b.run(dir, filepath.Join(dir, "data"), spec, "--only", "data.*"); err != nil {
		return nil, err
	}
	turnOf := b.turn
	b.turn += 100
	return func(before []string, turn int, args ...string) (float64, error) {
		out := filepath.Join(dir, "train", strconv.Itoa(turnOf+turn))
		// A learning rate that differs in its last digits makes the training another one to the cache.
		command := append(append([]string{}, before...), filepath.Join(b.bin, "cyborg-run"), spec, "--only", nodes, "--out", out,
			"--device", "cpu", "--progress", "none", "--set", fmt.Sprintf("train.optimizer.sgd.lr=%g", 0.02+1e-9*float64(turnOf+turn)))
		if b.quick {
			command = append(command, "--set", "train.epochs=10")
		}
		if _, _, err := b.command(dir, nil, command[0], append(command[1:], args...)...); err != nil {
			return 0, err
		}
		return fitted(out)
	}, nil
}

// fitted is the time from the first training's start to the last one's end.
func fitted(out string) (float64, error) {
	all, err := events(out)
	if err != nil {
		return 0, err
	}
	var first, last task.Event
	for _, e := range all {
		switch {
		case len(e.Node) < 3 || e.Node[:3] != "fit":
		case e.Type == task.NodeStarted && first.Node == "":
			first = e
		case e.Type == task.NodeDone:
			last = e
		}
	}
	if last.Node == "" {
		return 0, fmt.Errorf("%s: nothing was trained", out)
	}
	return last.Time.Sub(first.Time).Seconds(), nil
}
