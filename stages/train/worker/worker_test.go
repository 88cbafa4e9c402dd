package worker

import (
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/pack/packtest"
	"github.com/cyborg-run/cyborg-run/internal/saving"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

// small is a training of a few steps: resnet_small at 32 pixels, whose CAMs have 4 x 4 cells.
func small() train.Job {
	return train.Job{
		Params: train.Params{Seed: 3, Epochs: 3, Batch: 4, Precision: "float32", ChannelsLast: true, Order: "shuffle",
			Optimizer: train.Optimizer{SGD: train.SGD{LR: 0.02, Momentum: 0.9}}, Schedule: train.Schedule{Step: train.Step{Every: 2, Gamma: 0.1}},
			Select: train.Select{Best: "accuracy", Ties: "latest"}},
		Model: experiment.Model{Arch: experiment.Arch{Name: "resnet_small"}, Side: 32},
		Terms: []experiment.Term{{Term: "cross_entropy", Weight: fixed(0.5)}, {Term: "cyborg", Weight: fixed(2), Map: "human", Class: "predicted", Tap: "pooled"}},
	}
}

func fixed(weight float64) experiment.Weight { return experiment.Weight{Value: weight} }

// attempt is a folder in which a job is done.
type attempt struct {
	t   testing.TB
	dir string
	job train.Job
	how train.Checkpoint

	side int // of its images
}

// newAttempt takes memory where there is a file system in it: disks take long to write checkpoints through.
func newAttempt(t testing.TB, job train.Job) *attempt {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "cyborg-test-*")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return &attempt{t: t, dir: dir, job: job, side: 32}
}

// run does the job as a worker process would, with out/ and the events begun anew and the state as it is.
func (a *attempt) run(ctx context.Context) error {
	a.t.Helper()
	t := a.begin()
	if err := t.Open(); err != nil {
		a.t.Fatal(err)
	}
	return Run(ctx, t)
}

// begin makes the attempt's folder and its task.
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
	t, err := (&task.Task{Node: "fit", Kind: "train", Params: params, How: how, Device: "cpu", Threads: 1, Inputs: map[string][]task.Input{
		"data":       {{Node: "data.train", Path: packtest.Noise(a.t, 1, 14, a.side, 4, "human")}},
		"validation": {{Node: "data.validation", Path: packtest.Noise(a.t, 2, 6, a.side, 4)}},
	}}).In(a.dir)
	if err != nil {
		a.t.Fatal(err)
	}
	return t
}

// outputs are the files of out/.
func (a *attempt) outputs() map[string]string {
	a.t.Helper()
	out := map[string]string{}
	for _, name := range train.Stage.Outputs {
		raw, err := os.ReadFile(filepath.Join(a.dir, "out", name))
		if err != nil {
			a.t.Fatal(err)
		}
		out[name] = string(raw)
	}
	return out
}

func (a *attempt) said() string {
	a.t.Helper()
	raw, err := os.ReadFile(filepath.Join(a.dir, "events.jsonl"))
	if err != nil {
		a.t.Fatal(err)
	}
	return string(raw)
}

func done(t *testing.T, job train.Job) *attempt {
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

// What a training leaves: a row a step, a row an epoch, the selected and the last weights, in figures that agree.
func TestRun(t *testing.T) {
	a := done(t, small())
	history, steps := columns(t, a.outputs()["history.csv"]), columns(t, a.outputs()["steps.csv"])

	const perEpoch = 4 // 14 images in batches of 4
	if d := cmp.Diff([]float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, steps["step"]); d != "" {
		t.Error(d)
	}
	for i, total := range steps["total"] {
		if sum := 0.5*steps["cross_entropy"][i] + 2*steps["cyborg"][i]; math.Abs(sum-total) > 1e-6*total {
			t.Errorf("step %d: the terms make %g, the total is %g", i, sum, total)
		}
	}
	if d := cmp.Diff([]float64{1, 2, 3}, history["epoch"]); d != "" {
		t.Error(d)
	}
	if got := history["lr"]; got[0] != 0.02 || got[1] != 0.02 || math.Abs(got[2]-0.002) > 1e-12 {
		t.Errorf("learning rates %v, want 0.02 twice, then a tenth", got)
	}
	for epoch, loss := range history["train_loss"] {
		mean := 0.0
		for _, total := range steps["total"][epoch*perEpoch : (epoch+1)*perEpoch] {
			mean += total / perEpoch
		}
		if math.Abs(mean-loss) > 1e-12 {
			t.Errorf("epoch %d: train_loss %g, the mean of its steps is %g", epoch+1, loss, mean)
		}
		for name, of := range map[string]float64{"train_accuracy": 14, "validation_accuracy": 6} {
			if count := history[name][epoch] * of; math.Abs(count-math.Round(count)) > 1e-9 || count < 0 || count > of {
				t.Errorf("epoch %d: %s is %g, of %g images", epoch+1, name, history[name][epoch], of)
			}
		}
	}

	var facts summary
	if err := json.Unmarshal([]byte(a.outputs()["run.json"]), &facts); err != nil {
		t.Fatal(err)
	}
	best := slices.Max(history["validation_accuracy"])
	latest := 0
	for i, v := range history["validation_accuracy"] {
		if v == best {
			latest = i + 1
		}
	}
	if want := (summary{Arch: "resnet_small", Epochs: 3, Steps: 12, Selected: latest, Figure: best, Images: 14}); facts != want {
		t.Errorf("run.json: %+v, want %+v", facts, want)
	}
	for name, epoch := range map[string]int{"final.pth": latest, "last.pth": 3} {
		file, err := checkpoint.Read(filepath.Join(a.dir, "out", name))
		if err != nil {
			t.Fatal(err)
		}
		if file.Epoch != epoch || file.Optimizer == nil || len(file.Optimizer.Buffers) == 0 {
			t.Errorf("%s: epoch %d, want %d; optimizer %+v", name, file.Epoch, epoch, file.Optimizer != nil)
		}
	}
	if said := a.said(); !strings.Contains(said, `"type":"environment"`) || !strings.Contains(said, `"done":12,"of":12,"unit":"steps"`) {
		t.Errorf("events: %s", said)
	}
}

// The seed decides all, and only it.
func TestRunIsRepeatable(t *testing.T) {
	first := done(t, small()).outputs()
	if d := cmp.Diff(first, done(t, small()).outputs()); d != "" {
		t.Errorf("the same job twice:\n%.1000s", d)
	}
	other := small()
	other.Seed++
	if again := done(t, other).outputs(); again["steps.csv"] == first["steps.csv"] || again["final.pth"] == first["final.pth"] {
		t.Error("another seed makes the same training")
	}
}

// A spec's limit of steps ends a training in the middle of an epoch, with all its outputs; order: file takes the images as
// they are listed.
func TestRunSomeSteps(t *testing.T) {
	job := small()
	job.Steps, job.Order = 6, "file"
	a := done(t, job)
	if got := columns(t, a.outputs()["steps.csv"])["step"]; len(got) != 6 {
		t.Errorf("steps %v, want 6", got)
	}
	var facts summary
	if err := json.Unmarshal([]byte(a.outputs()["run.json"]), &facts); err != nil {
		t.Fatal(err)
	}
	if facts.Steps != 6 || facts.Epochs != 2 {
		t.Errorf("%+v", facts)
	}
	job.Seed++ // decides the weights, no longer the order
	if first, other := a.outputs()["steps.csv"], done(t, job).outputs()["steps.csv"]; first == other {
		t.Error("another seed has the same weights")
	}
}

// The same job in other arithmetic is the same job: float64 and mixed precision stay near float32.
func TestRunPrecisions(t *testing.T) {
	job := small()
	job.Steps = 1
	first := columns(t, done(t, job).outputs()["steps.csv"])["total"][0]
	for precision, within := range map[string]float64{"float64": 1e-4, "bfloat16": 0.05} {
		job.Precision = precision
		got := columns(t, done(t, job).outputs()["steps.csv"])["total"][0]
		if math.Abs(got-first) > within*first || got == first {
			t.Errorf("%s: %g, in float32 %g", precision, got, first)
		}
	}
}

// A training that cannot be done says why, in words that name what to change.
func TestRunSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*train.Job)
		want   string
	}{
		"no_map":     {func(j *train.Job) { j.Terms[1].Map = "humane" }, `no map is called "humane"; there are: human`},
		"no_term":    {func(j *train.Job) { j.Terms[1].Term = "cyborgs" }, `unknown term "cyborgs"`},
		"no_network": {func(j *train.Job) { j.Model.Arch = experiment.Arch{Name: "resnet9"} }, `there is no network "resnet9"`},
		"no_weights": {func(j *train.Job) { j.Model.Init.From = "gone.pth" }, "read checkpoint gone.pth: "},
		"exploding": {func(j *train.Job) { j.Optimizer.SGD.LR = 1e30 },
			"step 1 (epoch 1): the loss is NaN because of the term cross_entropy; images of the step: images/1_0"},
		"explodes_later": {func(j *train.Job) { j.Schedule.Step = train.Step{Every: 1, Gamma: 1e30} }, "the last good checkpoint is kept: "},
		"explodes_in_the_last_step": {func(j *train.Job) { j.Batch, j.Optimizer.SGD.LR = 14, 1e30 },
			"validate after epoch 1: the cross-entropy is NaN: step 0 spoilt the weights. The training stops here; no checkpoint was made yet. " +
				"A lower train.optimizer.sgd.lr (now 1e+30) is the usual cure"},
	} {
		t.Run(name, func(t *testing.T) {
			job := small()
			c.change(&job)
			a := newAttempt(t, job)
			err := a.run(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			for _, path := range a.checkpoints() {
				file, err := checkpoint.Read(path)
				if err != nil {
					t.Fatal(err)
				}
				for _, tensor := range file.Tensors {
					if tensor.DType == checkpoint.Float32 && !finite(tensor.Data) {
						t.Errorf("the checkpoint that is kept is not good: %s", tensor.Name)
					}
				}
			}
		})
	}
}

// A step spoils the weights before any loss shows it. Stopped just then, a training saves no such weights.
func TestNoCheckpointOfSpoiltWeights(t *testing.T) {
	job := small()
	job.Optimizer.SGD.LR = 1e300
	a := newAttempt(t, job)
	if err := a.run(&stopAfter{t.Context(), 1}); !errors.Is(err, context.Canceled) { // after step 0
		t.Fatal(err)
	}
	if len(a.checkpoints()) > 0 {
		t.Error("a checkpoint was made of weights that are no numbers")
	}
	if err := a.run(t.Context()); err == nil || !strings.Contains(err.Error(), "step 1 (epoch 1): the loss is NaN") {
		t.Errorf("%v", err)
	}
}

// finite tells whether all float32 values are numbers.
func finite(raw []byte) bool {
	for ; len(raw) >= 4; raw = raw[4:] {
		if !isFinite(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))) {
			return false
		}
	}
	return true
}

// The rule of selection: which epoch's weights become final.pth.
func TestBetter(t *testing.T) {
	for _, c := range []struct {
		best, ties string
		figures    []float64
		want       int
	}{
		{"accuracy", "latest", []float64{0.5, 0.8, 0.8, 0.7}, 3}, // as in the authors' code
		{"accuracy", "earliest", []float64{0.5, 0.8, 0.8, 0.7}, 2},
		{"accuracy", "latest", []float64{0, 0}, 2},
		{"accuracy", "earliest", []float64{0, 0}, 1},
		{"last", "latest", []float64{0.9, 0.1}, 2},
		{"loss", "latest", []float64{-3, -1, -2}, 2}, // minus the loss
	} {
		tr := &trainer{keeper: &saving.Keeper{Best: saving.Nothing}, job: train.Job{Params: train.Params{Select: train.Select{Best: c.best, Ties: c.ties}}}}
		for i, figure := range c.figures {
			if tr.better(figure) {
				tr.keeper.Best = saving.Best{Epoch: i + 1, Figure: figure}
			}
		}
		if tr.keeper.Best.Epoch != c.want {
			t.Errorf("best %s, ties %s of %v: epoch %d, want %d", c.best, c.ties, c.figures, tr.keeper.Best.Epoch, c.want)
		}
	}
}
