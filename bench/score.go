package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
)

// trained makes the photographs of list.csv, each second one blurred and called Synthetic, and trains ResNet50 for a minute
// or two to tell which: weights that know something, and scores that lie apart. Random ones would show rounding and no
// more, since there all scores are close to the threshold.
const trained = `
import pathlib, shutil, sys
folder, faces, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
sys.path.insert(0, folder)
import torch, reference as r
from PIL import Image, ImageFilter
photographs = sorted(pathlib.Path(faces).rglob("*.jpg"))
pathlib.Path("images").mkdir()
with open("list.csv", "w") as rows:
    for i in range(count):
        photograph, name = photographs[i % len(photographs)], f"{i}.jpg"
        if i % 2:
            Image.open(photograph).convert("RGB").filter(ImageFilter.GaussianBlur(4)).save(f"images/{name}", quality=92)
        else:
            shutil.copy(photograph, f"images/{name}")
        rows.write(f"test,{['Real', 'Synthetic'][i % 2]},{name}\n")
pixels = torch.stack([r.image_bytes(r.image_path("images", path), 224) for _, path in r.read_rows("list.csv", "test")[:160]])
pixels = r.normalise(pixels, r.ARCHS["resnet50"])
torch.manual_seed(1)
net = r.build("resnet50").to(memory_format=torch.channels_last).train()
sgd = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9, weight_decay=1e-6)
for step in range(int(sys.argv[4])):
    index = torch.randint(len(pixels), (10,))
    sgd.zero_grad(set_to_none=True)
    torch.nn.functional.cross_entropy(net(pixels[index]), index % 2).backward()
    sgd.step()
for m in net.modules():
    if isinstance(m, torch.nn.BatchNorm2d): # its statistics still remember the first steps
        m.reset_running_stats()
        m.momentum = None
with torch.no_grad():
    for part in pixels[:40].split(10):
        net(part)
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
	images, steps := 1000, 60
	if b.quick {
		images, steps = 60, 20
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if _, _, err := b.command(dir, nil, b.python, "-c", trained, filepath.Dir(reference), faces, strconv.Itoa(images), strconv.Itoa(steps)); err != nil {
		return err
	}
	// scored runs the spec in a folder of its own; packed tells whether the data lie packed in its cache already.
	scored := func(precision string, packed bool) func(int) (float64, error) {
		return func(round int) (float64, error) {
			place := fmt.Sprintf("%s-%d", precision, round)
			batch := "16"
			if packed {
				batch = "20" // another batch scores again, from the same pack
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
