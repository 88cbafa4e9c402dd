//go:build slow

package parity

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

const weights = "run/models/single/final.pth"

// scores compares 100 images' scores by the same weights. The reference reads them with torch.load(weights_only=True)
// into torchvision's network.
func (w *world) scores(t *testing.T) {
	w.t = t
	w.refer("score", "scored.csv", "--weights", weights, "--out", "reference.csv")
	w.sameScores(t, "run/scores/scores[set=scored].csv", "reference.csv", 100)
}

// sameScores compares n scores.
func (w *world) sameScores(t *testing.T, our, their string, n int) {
	t.Helper()
	const tolerance = 1e-5
	ours, theirs := w.records(our), w.records(their)
	if len(ours) != n || len(theirs) != n {
		t.Fatalf("%d scores of ours, %d of the reference, want %d", len(ours), len(theirs), n)
	}
	worst, low, high := 0.0, 1.0, 0.0
	for i, want := range theirs {
		got := ours[i]
		if got["path"] != want["path"] || got["label"] != want["label"] {
			t.Fatalf("row %d is of %s (%s), the reference's of %s (%s)", i, got["path"], got["label"], want["path"], want["label"])
		}
		a, b := number(t, got["score"]), number(t, want["score"])
		if !(math.Abs(a-b) <= tolerance) {
			t.Errorf("%s: %v, the reference has %v", got["path"], a, b)
		}
		worst, low, high = max(worst, math.Abs(a-b)), min(low, b), max(high, b)
	}
	if high-low < 0.1 {
		t.Errorf("the scores lie between %v and %v: they tell nothing", low, high)
	}
	t.Logf("scores from %.3f to %.3f, at most %.2g apart", low, high, worst)
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// cams compares raw CAMs of 20 images: of the pooled tensor for the predicted class, and of the authors' layer for the
// true one. The measure is each map's range.
func (w *world) cams(t *testing.T) {
	const tolerance = 1e-4
	w.t = t
	for _, c := range []struct{ node, tap, class string }{{"pooled", "pooled", "predicted"}, {"authors", "authors", "true"}} {
		folder := "reference-cam-" + c.node
		w.refer("cam", "explained.csv", "--weights", weights, "--tap", c.tap, "--cam-class", c.class, "--out", folder)
		var index results.CAM
		raw, err := os.ReadFile(w.path("run/cams/" + c.node + "/index.json"))
		if err == nil {
			err = json.Unmarshal(raw, &index)
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(index.Images) != 20 {
			t.Fatalf("%d CAMs, want 20", len(index.Images))
		}
		worst := 0.0
		for _, image := range index.Images {
			ours := grid(t, w.path(filepath.Join("run/cams", c.node, image.Grid)))
			theirs := grid(t, w.path(filepath.Join(folder, strings.ReplaceAll(strings.Trim(image.Path, "/"), "/", "__")+".npy")))
			low, high, apart := math.Inf(1), math.Inf(-1), 0.0
			for i, v := range theirs {
				low, high, apart = min(low, v), max(high, v), max(apart, math.Abs(ours[i]-v))
			}
			if !(apart <= tolerance*(high-low)) {
				t.Errorf("%s of %s: %v apart where the map's range is %v", c.node, image.Path, apart, high-low)
			}
			worst = max(worst, apart/(high-low))
		}
		t.Logf("%s: at most %.2g of a map's range apart", c.node, worst)
	}
}

// grid reads a 7 x 7 float32 array of NumPy's format (version 1.0: magic, version, length of the header, header, data).
func grid(t *testing.T, path string) []float64 {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const cells = 7 * 7
	head := 10 + int(binary.LittleEndian.Uint16(raw[8:]))
	if text := raw[10:head]; !bytes.Contains(text, []byte("'<f4'")) || !bytes.Contains(text, []byte("(7, 7)")) || len(raw) != head+4*cells {
		t.Fatalf("%s: %q and %d bytes, want 7 x 7 float32", path, text, len(raw)-head)
	}
	values := make([]float64, cells)
	for i := range values {
		values[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[head+4*i:])))
	}
	return values
}

// sklearn measures a table of scores.
const sklearn = `
import sys, json, csv, numpy
from sklearn import metrics
from scipy.optimize import brentq
rows = list(csv.DictReader(open(sys.argv[1])))
truth = numpy.array([r["label"] == "Synthetic" for r in rows])
score = numpy.array([float(r["score"]) for r in rows])
fpr, tpr, _ = metrics.roc_curve(truth, score, drop_intermediate=False)
real, synthetic = metrics.confusion_matrix(truth, score >= 0.5, normalize="true")
print(json.dumps({"auc": metrics.roc_auc_score(truth, score), "accuracy": metrics.accuracy_score(truth, score > 0.5),
    "eer": brentq(lambda x: 1 - x - numpy.interp(x, fpr, tpr), 0, 1), "apcer": synthetic[0], "bpcer": real[1],
    "acer": 1 - metrics.balanced_accuracy_score(truth, score >= 0.5)}))
`

// metrics compares the run's own figures with scikit-learn's on the run's own scores.
func (w *world) metrics(t *testing.T) {
	w.t = t
	var want map[string]float64
	if err := json.Unmarshal(testenv.RunPython(t, sklearn, w.path("run/scores/scores[set=scored].csv")), &want); err != nil {
		t.Fatal(err)
	}
	for _, row := range w.records("run/metrics.csv") {
		reference, ok := want[row["metric"]]
		if !ok {
			t.Errorf("a metric %s, which scikit-learn was not asked for", row["metric"])
		}
		delete(want, row["metric"])
		if got := number(t, row["value"]); !(math.Abs(got-reference) <= 1e-9) {
			t.Errorf("%s: %v, scikit-learn has %v", row["metric"], got, reference)
		} else {
			t.Logf("%s: %.4f", row["metric"], got)
		}
	}
	for name := range want {
		t.Errorf("the run has no %s", name)
	}
}
