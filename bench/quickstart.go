package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
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
// The loop of ours is the 40 epochs with a validation on 100 images after each, as the events have it; the prototype's is
// its own figure, the 40 epochs alone. The whole process of ours also starts, reads the data and writes checkpoints; the
// prototype's reads the data, and scores 100 test images at its end.
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
	var ours, theirs []float64 // of the whole processes
	loops, err := turns(b.rounds,
		func(round int) (float64, error) {
			out, err := train(onOneCore(), round, "--set", "train.threads=1")
			if err != nil {
				return 0, err
			}
			whole, err := fitted(out)
			ours = append(ours, whole)
			if err != nil {
				return 0, err
			}
			return epochs(out)
		},
		func(int) (float64, error) {
			printed, whole, err := b.command(filepath.Dir(script), env, prototype[0], prototype[1:]...)
			if err != nil {
				return 0, err
			}
			theirs = append(theirs, whole)
			found := prototypeSeconds.FindStringSubmatch(printed)
			if found == nil {
				return 0, fmt.Errorf("the prototype does not say how long it took: %s", printed)
			}
			return number(found[1]), nil
		})
	if err != nil {
		return err
	}
	b.add(line{"quick-start training, one core: the loop", "s", loops[0], loops[1], 1.0})
	b.add(line{"quick-start training, one core: the whole process", "s", ours, theirs, 0})
	return nil
}

// epochs is the sum of the epochs' seconds in the events of a run with one training.
func epochs(out string) (float64, error) {
	file, err := os.Open(filepath.Join(out, "events.jsonl"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	total := 0.0
	for lines := json.NewDecoder(file); ; {
		var e task.Event
		if err := lines.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			return 0, fmt.Errorf("read %s: %w", file.Name(), err)
		}
		if e.Type == task.Progress {
			total += e.Facts["seconds"]
		}
	}
	if total == 0 {
		return 0, fmt.Errorf("%s tells of no epoch", file.Name())
	}
	return total, nil
}

// pair compares two trainings of the quick start, one thread each, side by side, with the same two one after the other,
// two threads each.
func (b *bench) pair() error {
	train, err := b.prepareQuickstart("fit[loss=cyborg,*")
	if err != nil {
		return err
	}
	both := func(turn int, threads, jobs string) (float64, error) {
		epochs := "40"
		if b.quick {
			epochs = "10"
		}
		out, err := train(nil, turn, "--set", "seeds=2", "--set", "train.threads="+threads, "--jobs", jobs, "--set", "train.epochs="+epochs)
		if err != nil {
			return 0, err
		}
		return fitted(out)
	}
	figures, err := turns(b.rounds,
		func(round int) (float64, error) { return both(2*round, "1", "2") },
		func(round int) (float64, error) { return both(2*round+1, "2", "1") })
	if err != nil {
		return err
	}
	b.add(line{"two quick-start trainings side by side; other: in turn, two threads", "s", figures[0], figures[1], 1.0})
	return nil
}

// prepareQuickstart makes the data and returns a function that trains the nodes that match, anew in every turn, and
// gives the run's folder. before goes in front of the command.
func (b *bench) prepareQuickstart(nodes string) (func(before []string, turn int, args ...string) (string, error), error) {
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
	return func(before []string, turn int, args ...string) (string, error) {
		out := filepath.Join(dir, "train", strconv.Itoa(turnOf+turn))
		// A learning rate that differs in its last digits makes the training another one to the cache.
		command := append(append([]string{}, before...), filepath.Join(b.bin, "cyborg-run"), spec, "--only", nodes, "--out", out,
			"--device", "cpu", "--progress", "none", "--set", fmt.Sprintf("train.optimizer.sgd.lr=%g", 0.02+1e-9*float64(turnOf+turn)))
		_, _, err := b.command(dir, nil, command[0], append(command[1:], args...)...)
		return out, err
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
