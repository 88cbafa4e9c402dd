package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/pack/packtest"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/internal/trained/trainedtest"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/evaluate"
	"github.com/cyborg-run/cyborg-run/stages/evaluate/worker"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

var small = trainedtest.Small()

// weights is a checkpoint of small, drawn from a seed.
func weights(t *testing.T) string {
	t.Helper()
	path, _ := trainedtest.Save(t)
	return path
}

// score evaluates packed data sets in an attempt folder.
func score(ctx context.Context, t *testing.T, job evaluate.Job, weights string, packs ...string) (dir string, err error) {
	t.Helper()
	params, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string][]task.Input{"model": {{Node: "fit", Path: weights}}}
	for _, path := range packs {
		in["data"] = append(in["data"], task.Input{Node: "data", Path: path})
	}
	dir = t.TempDir()
	tk, err := (&task.Task{Node: "score", Kind: "evaluate", Params: params, Device: "cpu", Threads: 1, Inputs: in}).In(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, worker.Run(ctx, tk)
}

func job(batch int) evaluate.Job {
	return evaluate.Job{Params: evaluate.Params{Batch: batch, FoldBatchNorm: true}, Trained: experiment.Trained{Model: small, Precision: "float32", ChannelsLast: true}, Set: "unseen"}
}

func read(t *testing.T, dir string) []metrics.Score {
	t.Helper()
	rows, err := metrics.ReadScores(filepath.Join(dir, "out", "scores.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// alone is the softmax probability of Synthetic of one image, computed for it alone and with the softmax written out.
func alone(t *testing.T, weights string, set *pack.Set, i int) float64 {
	t.Helper()
	net, err := trained.Open(weights, experiment.Trained{Model: small, Precision: "float64"}, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	var logits []float64
	if err := torch.Do(func(s *torch.Scope) error {
		s.InferenceMode(func() {
			pixels := s.FromBytes(set.Image(i), torch.Uint8, 1, set.Side(), set.Side(), 3)
			logits = torch.Slice[float64](net.Forward(s, net.Normalise(s, pixels), model.Eval).Logits)
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return 1 / (1 + math.Exp(logits[metrics.Real]-logits[metrics.Synthetic]))
}

// Every image of every set is scored, in their order, whatever the batch; the score is the probability of Synthetic.
func TestRun(t *testing.T) {
	final := weights(t)
	packs := []string{packtest.Noise(t, 1, 9, 32, 4), packtest.Noise(t, 2, 4, 32, 4)}
	dir, err := score(t.Context(), t, job(4), final, packs...)
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, dir)
	k := 0
	for _, path := range packs {
		set, err := pack.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		for i, row := range set.Rows() {
			if got[k].Path != row.Path || got[k].Label != row.Label {
				t.Fatalf("row %d is %s %s, want %s %s", k, got[k].Path, got[k].Label, row.Path, row.Label)
			}
			if want := alone(t, final, set, i); math.Abs(got[k].Score-want) > 1e-5 {
				t.Errorf("%s: %v, alone and in float64 %v", row.Path, got[k].Score, want)
			}
			k++
		}
	}
	if k != len(got) {
		t.Errorf("%d rows of %d images", len(got), k)
	}
	for _, batch := range []int{1, 50} {
		dir, err := score(t.Context(), t, job(batch), final, packs...)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range read(t, dir) {
			if math.Abs(row.Score-got[i].Score) > 1e-5 {
				t.Errorf("%s in batches of %d: %v, in batches of 4: %v", row.Path, batch, row.Score, got[i].Score)
			}
		}
	}

	raw, err := os.ReadFile(filepath.Join(dir, "out", "metrics.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := metrics.Evaluate(metrics.Split(got))
	want.Set = "unseen"
	expected, err := json.MarshalIndent(want, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(expected)+"\n", string(raw)); d != "" {
		t.Errorf("metrics.json is not what internal/metrics makes of the scores:\n%s", d)
	}
}

func TestRunSaysWhy(t *testing.T) {
	final, data := weights(t), packtest.Noise(t, 1, 4, 32, 4)
	if _, err := score(t.Context(), t, job(4), final, packtest.Noise(t, 1, 0, 32, 4)); err == nil || err.Error() != "the data set has no images to score" {
		t.Errorf("no images: %v", err)
	}
	if _, err := score(t.Context(), t, job(4), data, data); err == nil || !strings.Contains(err.Error(), "read checkpoint "+data) {
		t.Errorf("weights that are none: %v", err)
	}
	if _, err := score(t.Context(), t, job(4), final, final); err == nil || !strings.Contains(err.Error(), final) {
		t.Errorf("data that are none: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	dir, err := score(stopped, t, job(4), final, data)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "out", "scores.csv")); err == nil {
		t.Error("stopped, and the scores are there")
	}
}
