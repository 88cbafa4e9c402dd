package worker

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/pack/packtest"
	"github.com/cyborg-run/cyborg-run/internal/trained/trainedtest"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/pretrain"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

// small is a pretraining of a few steps: resnet_small at 32 pixels.
func small() pretrain.Job {
	return pretrain.Job{
		Params: pretrain.Params{Seed: 3, Map: "human", Skips: true, Epochs: 3, Batch: 3, LR: 1e-3, Precision: "float32", ChannelsLast: true, Order: "shuffle"},
		Model:  trainedtest.Small(),
	}
}

// attempt is a folder in which a job is done.
type attempt struct {
	t     testing.TB
	dir   string
	job   pretrain.Job
	how   train.Checkpoint
	first string // weights of another stage
	maps  string
}

// newAttempt takes memory where there is a file system in it: disks take long to write checkpoints through.
func newAttempt(t testing.TB, job pretrain.Job) *attempt {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "cyborg-test-*")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return &attempt{t: t, dir: dir, job: job, maps: "human"}
}

// begin makes the attempt's folder and its task, with out/ and the events begun anew and the state as it is.
func (a *attempt) begin() *task.Task {
	a.t.Helper()
	for _, stale := range []string{"out", "events.jsonl"} {
		if err := os.RemoveAll(filepath.Join(a.dir, stale)); err != nil {
			a.t.Fatal(err)
		}
	}
	params, err := json.Marshal(a.job)
	if err != nil {
		a.t.Fatal(err)
	}
	how, err := json.Marshal(train.How{Checkpoint: a.how})
	if err != nil {
		a.t.Fatal(err)
	}
	inputs := map[string][]task.Input{
		"data":       {{Node: "data.train", Path: packtest.Noise(a.t, 1, 14, a.job.Model.Side, 4, a.maps)}}, // 10 with a map
		"validation": {{Node: "data.validation", Path: packtest.Noise(a.t, 2, 6, a.job.Model.Side, 4, a.maps)}},
	}
	if a.first != "" {
		inputs[experiment.FirstPort] = []task.Input{{Node: "before", Path: a.first}}
	}
	t, err := (&task.Task{Node: "pre", Kind: "pretrain", Params: params, How: how, Device: "cpu", Threads: 1, Inputs: inputs}).In(a.dir)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := t.Open(); err != nil {
		a.t.Fatal(err)
	}
	return t
}

func (a *attempt) run(ctx context.Context) error { return Run(ctx, a.begin()) }

// outputs are the files of out/.
func (a *attempt) outputs() map[string]string {
	a.t.Helper()
	out := map[string]string{}
	for _, name := range pretrain.Stage.Outputs {
		raw, err := os.ReadFile(filepath.Join(a.dir, "out", name))
		if err != nil {
			a.t.Fatal(err)
		}
		out[name] = string(raw)
	}
	return out
}

func (a *attempt) facts() (facts summary) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.outputs()["run.json"]), &facts); err != nil {
		a.t.Fatal(err)
	}
	return facts
}

func (a *attempt) said() string {
	a.t.Helper()
	raw, err := os.ReadFile(filepath.Join(a.dir, "events.jsonl"))
	if err != nil {
		a.t.Fatal(err)
	}
	return string(raw)
}

func done(t *testing.T, job pretrain.Job) *attempt {
	t.Helper()
	a := newAttempt(t, job)
	if err := a.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

func columns(t *testing.T, text string) map[string][]float64 {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]float64{}
	for i, name := range rows[0] {
		for _, row := range rows[1:] {
			v, err := strconv.ParseFloat(row[i], 64)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = append(out[name], v)
		}
	}
	return out
}

// What a pretraining leaves: a row a step, a row an epoch, and the encoder's weights of the epoch with the lowest validation
// loss, under the names that the classifier has.
func TestRun(t *testing.T) {
	a := done(t, small())
	history, steps := columns(t, a.outputs()["history.csv"]), columns(t, a.outputs()["steps.csv"])
	const perEpoch = 4 // 10 images with a map in batches of 3
	if d := cmp.Diff([]float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, steps["step"]); d != "" {
		t.Error(d)
	}
	for epoch, loss := range history["train_loss"] {
		mean := 0.0
		for _, v := range steps["loss"][epoch*perEpoch : (epoch+1)*perEpoch] {
			mean += v / perEpoch
		}
		if d := mean - loss; d > 1e-12 || d < -1e-12 {
			t.Errorf("epoch %d: train_loss %g, the mean of its steps is %g", epoch+1, loss, mean)
		}
	}
	if l := steps["loss"]; l[len(l)-1] >= l[0] {
		t.Errorf("it learned nothing: %v", l)
	}
	best := slices.Min(history["validation_loss"])
	want := summary{Arch: "resnet_small", Epochs: 3, Steps: 12, Selected: slices.Index(history["validation_loss"], best) + 1, Figure: best,
		Images: 10, Validation: 4}
	if d := cmp.Diff(want, a.facts()); d != "" {
		t.Error(d)
	}
	file, err := checkpoint.Read(filepath.Join(a.dir, "out", "final.pth"))
	if err != nil {
		t.Fatal(err)
	}
	network, err := experiment.Network(small().Model)
	if err != nil {
		t.Fatal(err)
	}
	var got, names []string
	for _, tensor := range file.Tensors {
		got = append(got, tensor.Name)
	}
	for _, p := range network.Parameters() {
		if !strings.HasPrefix(p.Name, "fc.") {
			names = append(names, p.Name)
		}
	}
	if d := cmp.Diff(names, got); d != "" {
		t.Errorf("final.pth: -want +got:\n%s", d)
	}
	if a := done(t, small()); a.outputs()["final.pth"] != done(t, small()).outputs()["final.pth"] {
		t.Error("the same pretraining leaves other weights")
	}
}

// stopping is a context that ends after it was asked so many times.
type stopping struct {
	context.Context
	left int
}

func (s *stopping) Err() error {
	if s.left--; s.left < 0 {
		return context.Canceled
	}
	return nil
}

// Wherever a pretraining is stopped, and with whatever became of its last checkpoint, it ends in the bytes of one that was
// left alone.
func TestResume(t *testing.T) {
	plain := small()
	plain.Epochs = 2
	chance := plain // with dropout and stochastic depth
	chance.Model.Arch.Name, chance.Model.Side = "efficientnet_b0", 64
	want := map[string]map[string]string{}
	for _, j := range []pretrain.Job{plain, chance} {
		want[j.Model.Arch.Name] = done(t, j).outputs()
	}
	cut := func(a *attempt, name string) {
		path := filepath.Join(a.dir, "state", name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, info.Size()/2); err != nil {
			t.Fatal(err)
		}
	}
	newest := func(a *attempt, pattern string) []string {
		names, err := filepath.Glob(filepath.Join(a.dir, "state", pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for i := range names {
			names[i] = filepath.Base(names[i])
		}
		slices.Sort(names)
		slices.Reverse(names)
		return names
	}
	for name, c := range map[string]struct {
		job    pretrain.Job
		after  int // looks at the context
		harm   func(a *attempt)
		expect string // among the events of the second attempt
	}{
		"first_step":         {job: plain, after: 1, expect: "goes on from step 1, in epoch 1"},
		"in_validation":      {job: plain, after: 6, expect: "goes on from step 4, in epoch 1"},
		"second_epoch":       {job: plain, after: 9, expect: "goes on from step 6, in epoch 2"},
		"with_chance":        {job: chance, after: 9, expect: "goes on from step 6, in epoch 2"},
		"damaged_checkpoint": {job: plain, after: 9, harm: func(a *attempt) { cut(a, newest(a, "checkpoint-*")[0]) }, expect: "tries the one before"},
		"damaged_both": {job: plain, after: 9, harm: func(a *attempt) {
			for _, name := range newest(a, "checkpoint-*") {
				cut(a, name)
			}
		}, expect: "starts again from the beginning"},
		"damaged_selected": {job: plain, after: 9, harm: func(a *attempt) { cut(a, newest(a, "selected-*")[0]) }, expect: "the selected weights that go with it are damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAttempt(t, c.job)
			a.how.Steps = 1
			if err := a.run(&stopping{t.Context(), c.after}); !errors.Is(err, context.Canceled) {
				t.Fatalf("it was not stopped: %v", err)
			}
			if c.harm != nil {
				c.harm(a)
			}
			if err := a.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if said := a.said(); !strings.Contains(said, c.expect) {
				t.Errorf("the events do not say %q:\n%s", c.expect, said)
			}
			for name, text := range a.outputs() {
				if text != want[c.job.Model.Arch.Name][name] {
					t.Errorf("%s is not that of a pretraining that was left alone", name)
				}
			}
		})
	}
}

// First weights of another stage go into the encoder; a classifier's head is left aside.
func TestFirstWeights(t *testing.T) {
	path, state := trainedtest.Save(t)
	a := newAttempt(t, small())
	a.job.LR, a.first = 0, path
	if err := a.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	file, err := checkpoint.Read(filepath.Join(a.dir, "out", "final.pth"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range file.Tensors {
		i := slices.IndexFunc(state, func(s checkpoint.Tensor) bool { return s.Name == tensor.Name })
		if strings.HasSuffix(tensor.Name, ".weight") && string(tensor.Data) != string(state[i].Data) {
			t.Errorf("%s moved without a learning rate", tensor.Name)
		}
	}
	network, err := experiment.Network(small().Model)
	if err != nil {
		t.Fatal(err)
	}
	first := a.facts().Initial
	if first == nil || first.Node != "before" || first.Taken != len(network.Encoder()) || len(first.Excepted)+len(first.Missing)+len(first.Unused) > 0 {
		t.Errorf("run.json says %+v", first)
	}
}

func TestWhatCannotBeLearned(t *testing.T) {
	weights, _ := trainedtest.Save(t)
	for name, c := range map[string]struct {
		change func(a *attempt)
		want   string
	}{
		"no_map":        {func(a *attempt) { a.maps = "parts" }, `data.train: `},
		"other_weights": {func(a *attempt) { a.first, a.job.Model.Arch.Name = weights, "resnet18" }, "read checkpoint " + weights},
		"auxiliary":     {func(a *attempt) { a.job.Model.Arch.Name, a.job.Model.Side = "inception_v3_aux", 96 }, "auxiliary classifier"},
		"diverges":      {func(a *attempt) { a.job.LR = 1e38 }, "A lower pretrain.lr (now 1e+38) is the usual cure"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAttempt(t, small())
			c.change(a)
			if err := a.run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}
