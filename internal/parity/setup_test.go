//go:build slow

// Package parity compares a run, as users start it, with the PyTorch reference on real photographs: the same weights,
// the same images in the same order, the same maps. The maps are simulated: no person has marked these photographs.
//
// The reference has an epoch of 8 steps on 57 images, the last step of one image; one step in float32 on 20 images;
// the scores of 100 images, and CAMs of 20. All are of ResNet50 at 224 pixels.
package parity

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// start draws the first weights by the reference's own functions and lets the batch norms' running statistics settle on
// some photographs, so that evaluation gives scores between 0 and 1 and not at the ends.
const start = `
import sys
sys.path.insert(0, sys.argv[1])
import torch, reference as r
arch, table, split, root, out = sys.argv[2:]
torch.manual_seed(1)
net = r.build(arch)
for m in net.modules():
    if isinstance(m, torch.nn.BatchNorm2d):
        m.momentum = None
rows = r.read_rows(table, split)[:20]
side = r.ARCHS[arch].side
pixels = torch.stack([r.image_bytes(r.image_path(root, path), side) for _, path in rows])
with torch.no_grad():
    net.train()(r.normalise(pixels, r.ARCHS[arch]))
torch.save({"epoch": 0, "state_dict": net.state_dict()}, out)
`

// spec is what a user would write. Sums depend on the memory order, so that each training has that of the reference's
// training that it is compared with. The learning rate of float32 is low enough for one step to leave scores apart.
const spec = `
version: 1
name: parity
datasets:
  train:
    csv: train.csv
    root: %[1]q
    where: split == "train"
    saliency: {human: {maps: "%[2]s/{stem}.png", simulated: true}}
  validation: {csv: train.csv, root: %[1]q, where: split == "test"}
  scored:     {csv: scored.csv, root: %[1]q}
  explained:  {csv: explained.csv, root: %[1]q}
model: {arch: resnet50, init: start.pth}
losses:
  cyborg: [{term: cross_entropy, weight: 0.5}, {term: cyborg, weight: 0.5, map: human, class: predicted, tap: authors}]
train: {loss: cyborg, seed: 1, epochs: 1}
stages:
  double: {uses: train, precision: float64, batch: 8, channels_last: false}
  single: {uses: train, precision: float32, batch: 20, steps: 1, optimizer: {sgd: {lr: 0.0001}}}
  plain:  {uses: train, precision: float32, batch: 20, steps: 1, optimizer: {sgd: {lr: 0.0001}}, channels_last: false}
  scores: {uses: evaluate, needs: single, matrix: {set: [scored]}}
  pooled: {uses: cam, needs: single, set: explained, images: 20}
  authors: {uses: cam, needs: single, set: explained, images: 20, tap: authors, class: "true"}
  table:  {uses: summary, needs: scores}
`

// world is the folder of one comparison: the inputs of both sides and what each made of them.
type world struct {
	t                      *testing.T
	dir, photos, reference string
}

// newWorld writes the lists, simulated maps and first weights, and runs our side.
func newWorld(t *testing.T) *world {
	faces := testenv.Shared(t, "data/faces")
	w := &world{t: t, dir: t.TempDir(), photos: filepath.Join(faces, "images"), reference: testenv.Shared(t, "reference/reference.py")}
	testenv.Python(t)
	train := alternate(t, filepath.Join(faces, "csvs/train.csv"), "train", 57)
	w.write("train.csv", append(train, alternate(t, filepath.Join(faces, "csvs/train.csv"), "test", 9)...))
	scored := filepath.Join(faces, "csvs/test_progan.csv")
	w.write("scored.csv", rows(t, scored))
	w.write("explained.csv", alternate(t, scored, "test", 20))
	w.simulateMaps(train)
	testenv.RunPython(t, start, filepath.Dir(w.reference), "resnet50", w.path("train.csv"), "train", w.photos, w.path("start.pth"))
	w.put("spec.yaml", fmt.Sprintf(spec, w.photos, w.path("maps")))
	w.run(w.build(), "spec.yaml", "--out", "run", "--device", "cpu", "--progress", "none")
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

func (w *world) put(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// build makes both programs from the tree as it is and returns the runner.
func (w *world) build() string {
	w.t.Helper()
	bin := w.path("bin") + string(filepath.Separator)
	cmd := exec.Command("go", "build", "-o", bin, "./cmd/cyborg-run", "./cmd/cyborg-torch")
	cmd.Dir = testenv.Root(w.t)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return bin + "cyborg-run"
}

// run starts a program in the folder; its failure ends the test.
func (w *world) run(program string, args ...string) {
	w.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = w.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}

// refer runs a command of the reference on a list of images.
func (w *world) refer(command, list string, args ...string) {
	w.t.Helper()
	w.run(testenv.Python(w.t), append([]string{w.reference, command, "--arch", "resnet50", "--csv", list, "--root", w.photos}, args...)...)
}

// figures reads a table with a header, as a list of columns by name.
func (w *world) figures(name string) map[string][]float64 {
	w.t.Helper()
	columns := map[string][]float64{}
	for _, row := range w.records(name) {
		for column, cell := range row {
			if v, err := strconv.ParseFloat(cell, 64); err == nil {
				columns[column] = append(columns[column], v)
			}
		}
	}
	return columns
}

// records reads a table with a header, row by row.
func (w *world) records(name string) []map[string]string {
	w.t.Helper()
	raw, err := os.ReadFile(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	cells, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	var records []map[string]string
	for _, row := range cells[1:] {
		record := map[string]string{}
		for i, column := range cells[0] {
			record[column] = row[i]
		}
		records = append(records, record)
	}
	return records
}

// trace reads a file of JSON objects, one a line, as a list of columns by name.
func (w *world) trace(name string) map[string][]float64 {
	w.t.Helper()
	raw, err := os.ReadFile(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	columns := map[string][]float64{}
	for line := range strings.Lines(string(raw)) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			w.t.Fatalf("%s: %v", name, err)
		}
		for column, value := range object {
			if v, ok := value.(float64); ok {
				columns[column] = append(columns[column], v)
			}
		}
	}
	return columns
}
