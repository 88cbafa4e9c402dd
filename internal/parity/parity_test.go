//go:build slow

package parity

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

func TestParityWithReference(t *testing.T) {
	w := newWorld(t)
	t.Run("float64: an epoch", w.epoch)
	t.Run("float64: the checkpoint", w.checkpoint)
	t.Run("float32: the first step", w.firstStep)
	t.Run("float32: scores", w.scores)
	t.Run("float32: CAMs", w.cams)
	t.Run("metrics", w.metrics)
}

// epoch compares every loss term of 8 steps, and what the epoch's end says. The order of the images is the same if the
// figures are: PyTorch's permutation of a generator with the run's seed.
func (w *world) epoch(t *testing.T) {
	const tolerance = 1e-7
	w.t = t
	w.refer("train", "train.csv", "--init", "start.pth", "--maps", "maps", "--alpha", "0.5", "--cam-class", "predicted",
		"--tap", "authors", "--dtype", "float64", "--batch", "8", "--epochs", "1", "--order", "shuffle:1", "--out", "reference64")
	w.terms(t, "run/models/double/steps.csv", "reference64/trace.jsonl", 8, tolerance)
	ours, theirs := w.figures("run/models/double/history.csv"), w.trace("reference64/epochs.jsonl")
	for name, reference := range map[string]string{"train_loss": "train_loss", "train_accuracy": "train_acc",
		"validation_loss": "val_loss", "validation_accuracy": "val_acc"} {
		compare(t, name, ours[name], theirs[reference], 1, tolerance)
	}
}

// firstStep is all that float32 allows to compare: two correct programs part after it.
func (w *world) firstStep(t *testing.T) {
	w.t = t
	for _, c := range []struct {
		node   string
		layout []string
	}{{"single", []string{"--channels-last"}}, {"plain", nil}} {
		folder := "reference-" + c.node
		w.refer("train", "train.csv", append(c.layout, "--init", "start.pth", "--maps", "maps", "--lr", "0.0001", "--batch", "20",
			"--epochs", "1", "--max-steps", "1", "--order", "shuffle:1", "--no-validation", "--out", folder)...)
		w.terms(t, "run/models/"+c.node+"/steps.csv", folder+"/trace.jsonl", 1, 1e-6)
	}
}

// terms compares every term of the loss in n steps.
func (w *world) terms(t *testing.T, steps, trace string, n int, tolerance float64) {
	t.Helper()
	ours, theirs := w.figures(steps), w.trace(trace)
	for name, reference := range map[string]string{"cross_entropy": "cross_entropy", "cyborg": "saliency", "total": "total"} {
		compare(t, name, ours[name], theirs[reference], n, tolerance)
	}
}

// compare takes n figures of both sides, each within a share of the reference's.
func compare(t *testing.T, name string, ours, theirs []float64, n int, tolerance float64) {
	t.Helper()
	if len(ours) != n || len(theirs) != n {
		t.Errorf("%s: %d figures of ours, %d of the reference, want %d", name, len(ours), len(theirs), n)
		return
	}
	worst := 0.0
	for i, want := range theirs {
		apart := math.Abs(ours[i]-want) / math.Abs(want)
		if want == ours[i] {
			apart = 0
		}
		if !(apart <= tolerance) {
			t.Errorf("%s %d: %v, the reference has %v: %.2g apart", name, i, ours[i], want, apart)
		}
		worst = max(worst, apart)
	}
	t.Logf("%s: at most %.2g apart", name, worst)
}

// opened loads a checkpoint of ours into torchvision's network and PyTorch's optimiser, trains on with them, and says how
// far each of its tensors is from the reference's checkpoint, relative to that tensor's largest value.
const opened = `
import sys, json, torch, torchvision
ours, theirs = (torch.load(path, weights_only=True) for path in sys.argv[1:])
net = torchvision.models.resnet50(num_classes=2).double()
net.load_state_dict(ours["state_dict"], strict=True)
solver = torch.optim.SGD(net.parameters(), lr=1.0)
solver.load_state_dict(ours["optimizer"])
def apart(a, b):
    assert a.shape == b.shape and a.dtype == b.dtype, (a.shape, b.shape, a.dtype, b.dtype)
    return ((a - b).abs().max() / b.abs().max().clamp_min(1e-300)).item() if not torch.equal(a, b) else 0.0
out = {"epoch": [ours["epoch"], theirs["epoch"]], "names": list(ours["state_dict"]) == list(theirs["state_dict"]),
       "settings": [{k: d["optimizer"]["param_groups"][0][k] for k in ("lr", "momentum", "weight_decay")} for d in (ours, theirs)],
       "weights": max(apart(ours["state_dict"][k], v) for k, v in theirs["state_dict"].items()),
       "momentum": max(apart(solver.state[p]["momentum_buffer"], theirs["optimizer"]["state"][i]["momentum_buffer"])
                       for i, p in enumerate(net.parameters()))}
net(torch.randn(2, 3, 64, 64).double()).sum().backward()
solver.step()
out["moves on"] = all(torch.isfinite(p).all().item() for p in net.parameters())
print(json.dumps(out))
`

// checkpoint opens final.pth in Python and compares it with the one that the reference left after the same 8 steps.
func (w *world) checkpoint(t *testing.T) {
	const tolerance = 1e-7
	var got struct {
		Epoch             [2]int
		Names             bool
		Settings          [2]map[string]float64
		Weights, Momentum float64
		MovesOn           bool `json:"moves on"`
	}
	printed := testenv.RunPython(t, opened, w.path("run/models/double/final.pth"), w.path("reference64/final.pth"))
	if err := json.Unmarshal(printed, &got); err != nil {
		t.Fatal(err)
	}
	if got.Epoch[0] != got.Epoch[1] || !got.Names || !got.MovesOn {
		t.Errorf("%s", printed)
	}
	for name, want := range got.Settings[1] {
		if got.Settings[0][name] != want {
			t.Errorf("the optimiser's %s is %v, the reference's %v", name, got.Settings[0][name], want)
		}
	}
	if !(got.Weights <= tolerance) || !(got.Momentum <= tolerance) {
		t.Errorf("weights are %.2g apart, momentum buffers %.2g", got.Weights, got.Momentum)
	}
	t.Logf("weights at most %.2g apart, momentum buffers %.2g", got.Weights, got.Momentum)
}
