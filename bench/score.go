package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
)

// settledWeights draws ResNet50's first weights and lets the batch norms' running statistics settle on some photographs, so
// that scores lie apart and not all at one end.
const settledWeights = `
import sys
sys.path.insert(0, sys.argv[1])
import torch, reference as r
torch.manual_seed(1)
net = r.build("resnet50")
for m in net.modules():
    if isinstance(m, torch.nn.BatchNorm2d):
        m.momentum = None
pixels = torch.stack([r.image_bytes(r.image_path("images", path), 224) for _, path in r.read_rows("list.csv", "test")[:20]])
with torch.no_grad():
    net.train()(r.normalise(pixels, r.ARCHS["resnet50"]))
torch.save({"epoch": 0, "state_dict": net.state_dict()}, "weights.pth")
`

// score compares scoring photographs by ResNet50, decoding included, with the authors' way: PyTorch, one image at a time.
// Whole processes on two threads, ours from specs/score.yaml with an empty cache, then again with the data packed.
func (b *bench) score() error {
	reference, err := b.needs("reference/reference.py")
	if err != nil {
		return err
	}
	faces, err := b.needs("data/faces/images")
	if err != nil {
		return err
	}
	spec, err := filepath.Abs(filepath.Join("specs", "score.yaml"))
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "score")
	images := 1000
	if b.quick {
		images = 60
	}
	if err := photographs(dir, faces, images); err != nil {
		return err
	}
	if _, _, err := b.command(dir, nil, b.python, "-c", settledWeights, filepath.Dir(reference)); err != nil {
		return err
	}
	// scored runs the spec in a folder of its own; packed tells whether the data lie packed in its cache already.
	scored := func(precision string, packed bool) func(int) (float64, error) {
		return func(round int) (float64, error) {
			place := fmt.Sprintf("%s-%d", precision, round)
			batch := "50"
			if packed {
				batch = "40" // another batch scores again, from the same pack
			}
			return b.run(dir, filepath.Join(dir, place), spec, "--store", place+".cyborg", "--only", "score", "--set", "weights=weights.pth",
				"--set", "csv=list.csv", "--set", "root=images", "--set", "channels_last=true", "--set", "fold_batch_norm=true", "--set", "precision="+precision,
				"--set", "stages.score.batch="+batch)
		}
	}
	theirs := func(int) (float64, error) {
		_, seconds, err := b.command(dir, nil, b.python, reference, "score", "--authors-way", "--arch", "resnet50", "--weights", "weights.pth",
			"--csv", "list.csv", "--root", "images", "--threads", "2", "--out", "theirs.csv")
		return seconds, err
	}
	figures, err := turns(b.rounds, scored("float32", false), scored("float32", true), scored("bfloat16", false), scored("bfloat16", true), theirs)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("scores of %d photographs by ResNet50, ", images)
	b.add(line{what + "float32; PyTorch one by one", "s", figures[0], figures[4], 1 / 1.5})
	b.add(line{what + "float32, packed; PyTorch one by one", "s", figures[1], figures[4], 1 / 1.7})
	b.add(line{what + "bfloat16; PyTorch one by one in float32", "s", figures[2], figures[4], 1 / 2.5})
	b.add(line{what + "bfloat16, packed; PyTorch one by one in float32", "s", figures[3], figures[4], 1 / 3.0})
	for precision, limit := range map[string]float64{"float32": 1e-5, "bfloat16": 0.01} {
		apart, err := scoresApart(filepath.Join(dir, precision+"-0", "scores", "score.csv"), filepath.Join(dir, "theirs.csv"))
		if err != nil {
			return err
		}
		b.add(line{what: "scores in " + precision + ", largest difference to PyTorch's", unit: "", ours: []float64{apart}, limit: limit})
	}
	return nil
}

// photographs copies real photographs into a folder, under as many names as are asked for, with their list.
func photographs(dir, from string, count int) error {
	if err := os.MkdirAll(filepath.Join(dir, "images"), 0o755); err != nil {
		return err
	}
	var found []string
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".jpg") {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return errSkip{from + " holds no photographs"}
	}
	var list strings.Builder
	for i := range count {
		raw, err := os.ReadFile(found[i%len(found)])
		if err != nil {
			return err
		}
		name := strconv.Itoa(i) + ".jpg"
		if err := os.WriteFile(filepath.Join(dir, "images", name), raw, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&list, "test,%s,%s\n", []string{"Real", "Synthetic"}[i%2], name)
	}
	return os.WriteFile(filepath.Join(dir, "list.csv"), []byte(list.String()), 0o644)
}

// scoresApart is the largest difference of the scores of two files.
func scoresApart(ours, theirs string) (float64, error) {
	a, err := metrics.ReadScores(ours)
	if err != nil {
		return 0, err
	}
	b, err := metrics.ReadScores(theirs)
	if err != nil {
		return 0, err
	}
	if len(a) != len(b) {
		return 0, fmt.Errorf("%d scores of ours, %d of theirs", len(a), len(b))
	}
	worst, low, high := 0.0, 1.0, 0.0
	for i := range a {
		worst = math.Max(worst, math.Abs(a[i].Score-b[i].Score))
		low, high = math.Min(low, b[i].Score), math.Max(high, b[i].Score)
	}
	if high-low < 0.1 {
		return 0, fmt.Errorf("the scores lie between %v and %v: they tell nothing", low, high)
	}
	return worst, nil
}
