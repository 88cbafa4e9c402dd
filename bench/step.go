package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/generate"
)

// stepSpec trains on generated faces, enlarged to the network's 224 pixels.
const stepSpec = `
version: 1
name: step
datasets:
  train:
    csv: faces.csv
    root: out/data
    where: split == "train"
    saliency: {human: {maps: "maps/{name}", simulated: true}}
  validation: {csv: faces.csv, root: out/data, where: split == "test"}
model: {arch: resnet50, init: start.pth}
losses:
  cyborg: [{term: cross_entropy, weight: 0.5}, {term: cyborg, weight: 0.5, map: human, class: predicted, tap: authors}]
train: {loss: cyborg, epochs: 1, batch: 20, steps: 3}
stages:
  fit: {uses: train}
`

// step compares training steps of ResNet50 on 20 images of 224 px, cross-entropy and CYBORG, two threads.
//
// Ours is the time from one progress event of the worker to the next, all that a step is to the user: gathering the
// batch, normalising, forward pass, losses, backward pass, update, reading the losses, their row in steps.csv. The
// reference's is its step_seconds: the same from the batch to the update, without reading or writing anything.
func (b *bench) step() error {
	reference, err := b.needs("reference/reference.py")
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "step")
	steps := 7
	if b.quick {
		steps = 4
	}
	if err := b.stepInputs(dir, reference, steps); err != nil {
		return err
	}
	ours := func(settings ...string) func(int) (float64, error) {
		return func(round int) (float64, error) {
			out := filepath.Join(dir, "ours", strings.Join(settings, ","), strconv.Itoa(round))
			args := []string{"--set", fmt.Sprint("train.steps=", steps), "--set", fmt.Sprint("train.seed=", 1+round)}
			for _, s := range settings {
				args = append(args, "--set", s)
			}
			if _, err := b.run(dir, out, "spec.yaml", args...); err != nil {
				return 0, err
			}
			return betweenSteps(out)
		}
	}
	theirs := func(options ...string) func(int) (float64, error) {
		return func(int) (float64, error) {
			out := filepath.Join(dir, "reference")
			if _, _, err := b.command(dir, nil, b.python, append([]string{reference, "train", "--arch", "resnet50", "--init", "start.pth",
				"--csv", "faces.csv", "--root", "out/data", "--maps", "out/data/maps", "--batch", "20", "--epochs", "1", "--order", "shuffle:1",
				"--max-steps", strconv.Itoa(steps), "--no-validation", "--threads", "2", "--out", out}, options...)...); err != nil {
				return 0, err
			}
			var timing struct {
				Seconds []float64 `json:"step_seconds"`
			}
			raw, err := os.ReadFile(filepath.Join(out, "timing.json"))
			if err == nil {
				err = json.Unmarshal(raw, &timing)
			}
			if err != nil {
				return 0, err
			}
			return median(timing.Seconds[1:]), nil // libtorch prepares its kernels in the first
		}
	}
	figures, err := turns(b.rounds, ours(), theirs(), theirs("--channels-last"),
		ours("train.precision=bfloat16"), theirs("--dtype", "bfloat16", "--channels-last"))
	if err != nil {
		return err
	}
	b.add(line{"ResNet50 step, float32; PyTorch in its default layout", "s", figures[0], figures[1], 0.80})
	b.add(line{"ResNet50 step, float32; PyTorch in channels_last", "s", figures[0], figures[2], 0})
	b.add(line{"ResNet50 step, bfloat16; PyTorch in channels_last", "s", figures[3], figures[4], 1.05})
	return nil
}

// stepInputs writes what both sides read: faces with simulated maps, their list and the first weights.
func (b *bench) stepInputs(dir, reference string, steps int) error {
	params, err := json.Marshal(generate.Params{Faces: generate.Faces{Generator: "G0", Count: 20 * (steps + 1), Seed: 1, Side: 96, Split: "train"}})
	if err != nil {
		return err
	}
	t, err := (&task.Task{Node: "generate", Params: params, Threads: 2}).In(dir)
	if err != nil {
		return err
	}
	if err := generate.Run(context.WithoutCancel(b.ctx), t); err != nil {
		return err
	}
	images, err := os.ReadDir(filepath.Join(dir, "out/data/images"))
	if err != nil {
		return err
	}
	var list strings.Builder
	for i, image := range images {
		split, label := "train", "Real"
		if i >= 20*steps {
			split = "test"
		}
		if strings.HasSuffix(image.Name(), "_synthetic.png") {
			label = "Synthetic"
		}
		fmt.Fprintf(&list, "%s,%s,images/%s\n", split, label, image.Name())
	}
	for name, text := range map[string]string{"faces.csv": list.String(), "spec.yaml": stepSpec} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	_, _, err = b.command(dir, nil, b.python, reference, "init", "--arch", "resnet50", "--seed", "1", "--out", "start.pth")
	return err
}

// betweenSteps is the median time from one step's end to the next's, in seconds.
func betweenSteps(out string) (float64, error) {
	all, err := events(out)
	if err != nil {
		return 0, err
	}
	var ends []task.Event
	for _, e := range all {
		if e.Type == task.Progress && e.Unit == "steps" {
			ends = append(ends, e)
		}
	}
	var seconds []float64
	for i := 1; i < len(ends); i++ {
		if ends[i].Done == ends[i-1].Done+1 {
			seconds = append(seconds, ends[i].Time.Sub(ends[i-1].Time).Seconds())
		}
	}
	if len(seconds) == 0 {
		return 0, fmt.Errorf("%s: no step was reported after another", out)
	}
	return median(seconds), nil
}
