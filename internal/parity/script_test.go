//go:build slow

package parity

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// fromPython trains, scores and explains a network that Python wrote in TorchScript: a RegNet of timm's, which this program
// has not in Go.
const fromPython = `
version: 1
name: from-python
datasets:
  train:
    generate: {faces: {generator: G0, count: 24, seed: 1, side: 64}}
    saliency: {human: {maps: "maps/{stem}.png", simulated: true}}
  scored: {csv: %q, root: %q}
model: {arch: {torchscript: net.pt, head: model.head.fc.weight, map: 2, side: 64}}
losses: {cyborg: [{term: cross_entropy, weight: 0.5}, {term: cyborg, weight: 0.5, tap: pooled}]}
train: {loss: cyborg, epochs: 6, batch: 8, select: {on: train}, optimizer: {sgd: {lr: 0.05}}, channels_last: false}
stages:
  fit: {uses: train}
  score: {uses: evaluate, needs: fit, set: scored}
  maps: {uses: cam, needs: fit, set: scored}
  table: {uses: summary, needs: [score, maps]}
`

// scoredInPython loads the trained weights into the network by their names and scores the same images.
const scoredInPython = `
import sys
sys.path.insert(0, sys.argv[1])
import torch, reference as r
net_file, weights, table, root, out = sys.argv[2:]
net = torch.jit.load(net_file).float()
net.load_state_dict(torch.load(weights, weights_only=True)["state_dict"], strict=True)
net.eval()
with open(out, "w") as f:
    f.write("path,label,score\n")
    for label, path in r.read_rows(table, "test"):
        x = r.normalise(r.image_bytes(r.image_path(root, path), 64)[None], r.ARCHS["resnet50"])
        with torch.no_grad():
            f.write(f"{path},{label},{net(x)[0].softmax(1)[0, 1].item()!r}\n")
`

func TestParityOfANetworkFromPython(t *testing.T) {
	demo := testenv.Shared(t, "data/cyborg")
	list, images := filepath.Join(demo, "csvs/test.csv"), filepath.Join(demo, "images")
	w := &world{t: t, dir: t.TempDir(), photos: images, reference: testenv.Shared(t, "reference/reference.py")}
	testenv.RunPython(t, "import sys; sys.path.insert(0, sys.argv[2]); sys.dont_write_bytecode = True; import scripted",
		w.dir, filepath.Join(testenv.Root(t), "internal/model/testdata"))
	w.put("spec.yaml", fmt.Sprintf(fromPython, list, images))
	w.run(w.build(), "spec.yaml", "--out", "run", "--device", "cpu", "--progress", "none")
	testenv.RunPython(t, scoredInPython, filepath.Dir(w.reference), w.path("net.pt"), w.path("run/models/fit/final.pth"), list, images, w.path("python.csv"))
	w.sameScores(t, "run/scores/score.csv", "python.csv", 10)
	for _, name := range []string{"run/cams/maps/mean.png", "run/report.html"} {
		if _, err := os.Stat(w.path(name)); err != nil {
			t.Error(err)
		}
	}
}
