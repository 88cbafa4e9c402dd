package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/saving"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

// kinds are trainings that differ in what decides their next step.
func kinds(t *testing.T) map[string]train.Job {
	change := func(f func(*train.Job)) train.Job {
		job := small()
		f(&job)
		return job
	}
	return map[string]train.Job{
		"shuffled":  small(),
		"in_order":  change(func(j *train.Job) { j.Order = "file" }),
		"bfloat16":  change(func(j *train.Job) { j.Precision = "bfloat16" }),
		"float64":   change(func(j *train.Job) { j.Precision, j.ChannelsLast = "float64", false }),
		"by_loss":   change(func(j *train.Job) { j.Select.Best = "loss" }),
		"last":      change(func(j *train.Job) { j.Select.Best = "last" }),
		"earliest":  change(func(j *train.Job) { j.Select.Ties = "earliest" }),
		"some_step": change(func(j *train.Job) { j.Steps = 6 }),
		"an_epoch":  change(func(j *train.Job) { j.Steps = 8 }),
		"twice":     change(func(j *train.Job) { j.Model.BatchNorm = "twice" }),
		"saliency": change(func(j *train.Job) {
			keep := 0.5
			j.Terms[1].Keep, j.Terms[1].Method, j.Terms[1].Tap = &keep, "grad_cam", "authors"
			j.Terms = append(j.Terms, experiment.Term{Term: "cam_entropy", Log: true, Tap: "authors", Class: "true",
				Weight: experiment.Weight{From: 0, To: 0.5, Steps: 9, Shape: "cosine"}})
		}),
		"adaptive": change(func(j *train.Job) {
			j.Terms[0].Weight, j.Terms[1].Weight = experiment.Weight{Adaptive: true}, experiment.Weight{Adaptive: true}
		}),
		"dropout": chancy(),
		"chancy_bfloat16": change(func(j *train.Job) {
			*j = chancy()
			j.Precision = "bfloat16"
		}),
		"from_weights": change(func(j *train.Job) {
			from := done(t, small())
			j.Model.Init = experiment.Init{From: filepath.Join(from.dir, "out", "final.pth"), Except: []string{"fc.*"}}
		}),
	}
}

// chancy is a short training of a network with dropout and stochastic depth.
func chancy() train.Job {
	job := small()
	job.Model.Arch.Name = "efficientnet_b0"
	job.Terms, job.Batch = job.Terms[:1], 7 // with smaller batches its running statistics make figures beyond all floats
	return job
}

// stopAfter is a context that ends after it was asked so many times: a training asks before each step and before each
// batch of a validation.
type stopAfter struct {
	context.Context
	asks int
}

func (s *stopAfter) Err() error {
	if s.asks--; s.asks < 0 {
		return context.Canceled
	}
	return s.Context.Err()
}

// watched is a context that calls see whenever it is asked.
type watched struct {
	context.Context
	see func()
}

func (w *watched) Err() error { w.see(); return w.Context.Err() }

// checkpoints are those of the state, the newest first.
func (a *attempt) checkpoints() []string {
	paths, err := filepath.Glob(filepath.Join(a.dir, "state", "checkpoint-*.pth"))
	if err != nil {
		a.t.Fatal(err)
	}
	slices.Sort(paths)
	slices.Reverse(paths)
	return paths
}

func (a *attempt) same(want map[string]string) {
	a.t.Helper()
	if got := a.outputs(); !maps.Equal(want, got) {
		a.t.Errorf("%.1000s", cmp.Diff(want, got))
	}
}

// Wherever a training is stopped, however often, it goes on to the same bytes.
func TestRunGoesOn(t *testing.T) {
	random := testenv.Random(t)
	for name, job := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			want := done(t, job).outputs()
			a := newAttempt(t, job)
			a.how.Steps = random.IntN(4)
			for stops := 0; ; stops++ {
				asks := random.IntN(6) // 0: it only starts
				err := a.run(&stopAfter{t.Context(), asks})
				if err == nil {
					t.Logf("checkpoints every %d steps, stopped %d times", a.how.Steps, stops)
					break
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
			a.same(want)
		})
	}
}

// A stop is heard between two steps, and before and while the validation runs; the checkpoint is of just then.
func TestRunSavesWhenStopped(t *testing.T) {
	for asks, where := range map[int]string{
		0: "", // at step 0, which is the beginning
		3: "goes on from step 3, in epoch 1",
		4: "goes on from step 4, in epoch 1", // before the validation
		6: "goes on from step 4, in epoch 1", // in its second batch
		7: "goes on from step 4, in epoch 2",
		9: "goes on from step 6, in epoch 2",
	} {
		a := newAttempt(t, small())
		if err := a.run(&stopAfter{t.Context(), asks}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := a.run(&stopAfter{t.Context(), 0}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if !strings.Contains(a.said(), where) {
			t.Errorf("stopped at ask %d, it does not say %q: %s", asks, where, a.said())
		}
	}
}

// files are those of a folder by name.
type files map[string][]byte

func read(t *testing.T, dir string) files {
	t.Helper()
	out := files{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if out[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func (f files) write(t *testing.T, dir string) {
	t.Helper()
	for name, raw := range f {
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// between lists the states that a kill may leave while one turns into the other: files are written under names of their
// own and renamed, the selected weights first, then what is no longer needed is removed.
func between(before, after files) []files {
	var added, removed []string
	for name, raw := range after {
		if !bytes.Equal(before[name], raw) {
			added = append(added, name)
		}
	}
	for name := range before {
		if after[name] == nil {
			removed = append(removed, name)
		}
	}
	slices.Sort(added)
	slices.Reverse(added) // selected-*, checkpoint-*
	out := []files{before}
	now := maps.Clone(before)
	step := func() { out = append(out, maps.Clone(now)) }
	for _, name := range added {
		temporary := "." + name + ".123"
		now[temporary] = after[name][:len(after[name])/2]
		step()
		now[temporary] = after[name]
		step()
		delete(now, temporary)
		now[name] = after[name]
		step()
	}
	for _, name := range removed {
		delete(now, name)
		step()
	}
	return out
}

// A training that is killed at any moment, also in the middle of saving, goes on to the same bytes.
func TestRunAfterAKill(t *testing.T) {
	random := testenv.Random(t)
	for name, job := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			first := newAttempt(t, job)
			first.how.Steps = 1 + random.IntN(3)
			var states []files
			if err := first.run(&watched{t.Context(), func() {
				states = append(states, read(t, filepath.Join(first.dir, "state")))
			}}); err != nil {
				t.Fatal(err)
			}
			states = append(states, read(t, filepath.Join(first.dir, "state")))
			want := first.outputs()
			for range 2 {
				i := random.IntN(len(states) - 1)
				moments := between(states[i], states[i+1])
				moment := moments[random.IntN(len(moments))]
				a := newAttempt(t, job)
				a.how = first.how
				a.begin()
				moment.write(t, filepath.Join(a.dir, "state"))
				if err := a.run(t.Context()); err != nil {
					t.Fatal(err)
				}
				if a.same(want); t.Failed() {
					t.Fatalf("from %v", slices.Sorted(maps.Keys(moment)))
				}
				if said := a.said(); strings.Contains(said, `"type":"warning"`) {
					t.Fatalf("a kill leaves nothing to warn of: %s", said)
				}
			}
		})
	}
}

// At every moment of a training its state has two checkpoints, after the first, with the weights that go with each.
func TestStateIsKept(t *testing.T) {
	a := newAttempt(t, small())
	a.how.Steps = 2
	most, asks := 0, 0
	if err := a.run(&watched{t.Context(), func() {
		asks++
		found, needed := read(t, filepath.Join(a.dir, "state")), map[string]bool{}
		checkpoints := a.checkpoints()
		if most = max(most, len(checkpoints)); len(checkpoints) > 2 || len(checkpoints) < most {
			t.Errorf("at ask %d: %v", asks, slices.Collect(maps.Keys(found)))
		}
		for _, path := range checkpoints {
			needed[filepath.Base(path)] = true
			file, err := checkpoint.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			var epoch int
			if text := file.Extra["saved"].(string); !strings.Contains(text, `"Best":{"Epoch":-1,`) {
				if _, err := fmt.Sscanf(text[strings.Index(text, `"Best":`):], `"Best":{"Epoch":%d,`, &epoch); err != nil {
					t.Fatal(err)
				}
				needed[saving.SelectedName(epoch)] = true
				selected, err := checkpoint.Read(filepath.Join(a.dir, "state", saving.SelectedName(epoch)))
				if err != nil {
					t.Fatal(err)
				}
				if selected.Epoch != epoch {
					t.Errorf("%s is of epoch %d", saving.SelectedName(epoch), selected.Epoch)
				}
			}
		}
		if d := cmp.Diff(slices.Sorted(maps.Keys(needed)), slices.Sorted(maps.Keys(found))); d != "" {
			t.Errorf("at ask %d, of what is needed and what is there:\n%s", asks, d)
		}
	}}); err != nil {
		t.Fatal(err)
	}
	if most != 2 || asks < 12 {
		t.Errorf("%d checkpoints at most, looked at %d times", most, asks)
	}
}
