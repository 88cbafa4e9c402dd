package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/summary"
)

// theirMetrics reads the same files and measures AUC, EER and APCER at three points by scikit-learn, set by set and pooled; then
// as many replicates as are asked for of one set, by NumPy and scikit-learn. It prints the seconds of both.
const theirMetrics = `
import csv, sys, time, numpy as np
from sklearn import metrics
def read(path):
    y, s = [], []
    with open(path) as f:
        rows = csv.reader(f)
        next(rows)
        for _, label, score in rows:
            y.append(label == "Synthetic"); s.append(float(score))
    return np.array(y), np.array(s)
def measure(y, s):
    fpr, tpr, _ = metrics.roc_curve(y, s)
    return [metrics.roc_auc_score(y, s), fpr[np.argmin(abs(1 - tpr - fpr))], *(1 - tpr[fpr <= f].max() for f in (.01, .05, .1)),
            metrics.accuracy_score(y, s > .5), metrics.confusion_matrix(y, s >= .5)]
replicates, runs, files = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
began = time.time()
for _ in range(runs):
    sets = [read(f) for f in files]
    for y, s in sets:
        if 0 < y.mean() < 1: measure(y, s)
    measure(np.concatenate([y for y, _ in sets]), np.concatenate([s for _, s in sets]))
print(time.time() - began)
y, s = sets[0]
random = np.random.default_rng(1)
real, fake = np.flatnonzero(~y), np.flatnonzero(y)
began = time.time()
for _ in range(replicates):
    at = np.concatenate([random.choice(real, len(real)), random.choice(fake, len(fake))])
    metrics.roc_auc_score(y[at], s[at])
print(time.time() - began)
`

// metrics measures the summary of 40 trained networks on 700,000 scores each, files read included, and a bootstrap of one set
// of 130,000; beside scikit-learn, which gets one network and twenty replicates: its figures are multiplied.
func (b *bench) metrics() error {
	sets := []struct {
		name            string
		real, synthetic int
	}{{"progan", 30_000, 100_000}, {"stargan2", 0, 100_000}, {"stylegan", 70_000, 100_000}, {"stylegan2", 0, 100_000}, {"stylegan2-ada", 0, 100_000}, {"stylegan3", 0, 100_000}}
	const distinct, settings, seeds = 8, 4, 10
	if b.quick {
		for i := range sets {
			sets[i].real, sets[i].synthetic = sets[i].real/10, sets[i].synthetic/10
		}
	}
	var inputs []task.Input
	var files []string
	images := 0
	for setting := range settings {
		for seed := range seeds {
			for k, set := range sets {
				folder := filepath.Join(b.dir, "scores", fmt.Sprintf("%d-%s", (setting*seeds+seed)%distinct, set.name))
				if setting == 0 && seed < distinct {
					if err := b.plantScores(folder, uint64(seed*len(sets)+k), set.name, set.real, set.synthetic); err != nil {
						return err
					}
					if seed == 0 {
						files, images = append(files, filepath.Join(folder, "scores.csv")), images+set.real+set.synthetic
					}
				}
				axes := map[string]string{"loss": fmt.Sprint("setting", setting), "seed": strconv.Itoa(seed), "set": set.name}
				inputs = append(inputs, task.Input{Node: fmt.Sprintf("score[loss=%s,seed=%d,set=%s]", axes["loss"], seed, set.name), Axes: axes, Path: folder})
			}
		}
	}
	columns, err := metrics.ReadColumns(files[0])
	if err != nil {
		return err
	}
	var theirs [2][]float64
	var peak, cores []float64
	figures, err := turns(b.rounds,
		func(round int) (float64, error) {
			seconds, state, err := b.summarise(round, inputs)
			if err == nil {
				peak = append(peak, peakMB(state))
				cores = append(cores, (state.UserTime() + state.SystemTime()).Seconds())
			}
			return seconds, err
		},
		func(int) (float64, error) {
			began := time.Now()
			_, err := metrics.Rank(columns.Classes, columns.Scores).Bootstrap(context.Background(), 1000, 1, metrics.Grid(101))
			return time.Since(began).Seconds(), err
		},
		func(int) (float64, error) {
			if b.python == "" {
				return 0, nil
			}
			out, _, err := b.command(b.dir, nil, b.python, append([]string{"-c", theirMetrics, "20", "1"}, files...)...)
			if err != nil {
				return 0, err
			}
			var one, twenty float64
			if _, err := fmt.Sscan(out, &one, &twenty); err != nil {
				return 0, fmt.Errorf("scikit-learn's seconds %q: %w", out, err)
			}
			theirs[0], theirs[1] = append(theirs[0], one*settings*seeds), append(theirs[1], twenty*1000/20)
			return one, nil
		})
	if err != nil {
		return err
	}
	b.add(line{what: fmt.Sprintf("all metrics, tests and tables of %d scores x %d networks", images, settings*seeds), unit: "s", ours: figures[0], limit: 20})
	b.add(line{what: "its time on all cores together", unit: "s", ours: cores})
	b.add(line{what: "its memory", unit: "MB", ours: peak, limit: 1000})
	b.add(line{what: fmt.Sprintf("bootstrap, 1,000 replicates of %d scores", len(columns.Scores)), unit: "s", ours: figures[1], limit: 10})
	if theirs[0] != nil {
		b.add(line{what: "some of these metrics; scikit-learn, one network times 40", unit: "s", ours: figures[0], theirs: theirs[0]})
		b.add(line{what: "bootstrap; scikit-learn's AUC, 20 replicates times 50", unit: "s", ours: figures[1], theirs: theirs[1]})
	}
	return nil
}

// summarise does the stage summary in a process of its own, as the runner does, without a bootstrap.
func (b *bench) summarise(round int, inputs []task.Input) (seconds float64, state *os.ProcessState, err error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("summary-%d", round))
	params, err := json.Marshal(summary.Params{Baseline: "setting0"})
	if err != nil {
		return 0, nil, err
	}
	if _, err := (&task.Task{}).In(dir); err != nil {
		return 0, nil, err
	}
	raw, err := json.Marshal(task.Task{Node: "table", Kind: summary.Kind, Params: params, Inputs: map[string][]task.Input{summary.Scores: inputs}})
	if err != nil {
		return 0, nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "task.json"), raw, 0o644); err != nil {
		return 0, nil, err
	}
	cmd := exec.CommandContext(b.ctx, filepath.Join(b.bin, "cyborg-run"), "work", dir)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, nil, fmt.Errorf("summary: %w\n%s", err, out)
	}
	return time.Since(began).Seconds(), cmd.ProcessState, nil
}

// plantScores writes what evaluate would have left of a network that knows something.
func (b *bench) plantScores(folder string, seed uint64, set string, real, synthetic int) error {
	random := rand.New(rand.NewPCG(seed, 1))
	rows := make([]metrics.Score, real+synthetic)
	for i := range rows {
		class := metrics.Real
		if i >= real {
			class = metrics.Synthetic
		}
		score := float64(float32(1 / (1 + math.Exp(-2*random.NormFloat64()-float64(class)))))
		rows[i] = metrics.Score{Path: fmt.Sprintf("/%s/aligned/%06d.png", set, i), Label: metrics.Label(class), Class: class, Score: score}
	}
	var text bytes.Buffer
	report, err := json.Marshal(metrics.Evaluate(metrics.Split(rows)))
	if err != nil {
		return err
	}
	if err := metrics.WriteScores(&text, rows); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "metrics.json"), report, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "scores.csv"), text.Bytes(), 0o644)
}
