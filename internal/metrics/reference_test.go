package metrics

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// lists are evaluations of every kind: many ties and none, tiny, separable, reversed, one class missing, all equal.
func lists() (classes [][]int, scores [][]float64) {
	random := rand.New(rand.NewPCG(11, 12))
	add := func(n int, score func(class int) float64, class func(i int) int) {
		c, s := make([]int, n), make([]float64, n)
		for i := range c {
			c[i] = class(i)
			s[i] = score(c[i])
		}
		classes, scores = append(classes, c), append(scores, s)
	}
	either := func(int) int { return random.IntN(2) }
	for n := 1; n < 1500; n += 1 + n/5 {
		levels := 1 + random.IntN(60)
		add(n, func(class int) float64 { return float64(random.IntN(levels+1-class)+class) / float64(levels) }, either)
		add(n, func(class int) float64 { return 1 / (1 + math.Exp(-random.NormFloat64()-float64(class))) }, either)
	}
	add(40, func(class int) float64 { return 0.3 + 0.5*float64(class) + 0.1*random.Float64() }, either)
	add(40, func(class int) float64 { return 0.8 - 0.5*float64(class) + 0.1*random.Float64() }, either)
	add(20, func(int) float64 { return random.Float64() }, func(int) int { return Real })
	add(20, func(int) float64 { return random.Float64() }, func(int) int { return Synthetic })
	add(20, func(int) float64 { return 0.5 }, either)
	add(2, func(class int) float64 { return float64(class) }, func(i int) int { return i })
	return classes, scores
}

// The definitions of scikit-learn and SciPy, and DeLong's by SciPy's midranks.
const measured = `
import sys, json, warnings, numpy as np
from scipy import stats, optimize, interpolate
from sklearn import metrics, calibration
warnings.simplefilter("ignore")
number = lambda v: float(v) if v is not None and np.isfinite(v) else None
def one(y, s):
    y, s = np.array(y), np.array(s)
    real, fake = s[y == 0], s[y == 1]
    out = {"accuracy": metrics.accuracy_score(y, s > .5)}
    cm = metrics.confusion_matrix(y, s >= .5, labels=[0, 1])
    if len(fake): out["apcer"] = cm[1, 0] / len(fake)
    if len(real): out["bpcer"] = cm[0, 1] / len(real)
    share, mean = calibration.calibration_curve(y, s, n_bins=10) if len(set(y)) == 2 else (None, None)
    edge = np.linspace(0, 1, 11)
    b = np.searchsorted(edge[1:-1], s)
    n = np.bincount(b, minlength=10)
    if share is None: share, mean = np.array([y[b == k].mean() for k in range(10) if n[k]]), np.array([s[b == k].mean() for k in range(10) if n[k]])
    out["ece"] = (n[n > 0] * abs(share - mean)).sum() / len(s)
    if len(fake) and len(real):
        out["acer"] = (out["apcer"] + out["bpcer"]) / 2
        out["auc"] = metrics.roc_auc_score(y, s)
        w = np.where(y == 1, .2 / len(fake), .8 / len(real))
        out["accuracy_at_prevalence"] = metrics.accuracy_score(y, s > .5, sample_weight=w)
        fpr, tpr, t = metrics.roc_curve(y, s, drop_intermediate=False)
        for name, f in ("1", .01), ("5", .05), ("10", .1):
            out["apcer_at_bpcer_" + name] = 1 - tpr[fpr <= f].max()
        for f in .001, .002, .01, .05:
            out["tdr_at_fdr_%g" % f] = np.interp(f, fpr, tpr)
        gap = np.array(1 - tpr - fpr)
        k = np.argmax(gap <= 0)
        line = lambda u: (1 - u) * gap[k - 1] + u * gap[k]
        u = optimize.brentq(line, 0, 1) if gap[k] < 0 else 1.
        out["eer"] = (1 - u) * fpr[k - 1] + u * fpr[k]
        if s.max() > s.min():
            unit = (s - s.min()) / (s.max() - s.min())
            out["acer_on_test"] = min(1 - metrics.balanced_accuracy_score(y, unit >= i * .025) for i in range(40))
        chosen = t[np.argmin((1 - tpr[1:] + fpr[1:]) / 2) + 1]
        out["acer_chosen"] = 1 - metrics.balanced_accuracy_score(y, s >= chosen)
        if len(fake) > 1 and len(real) > 1:
            d = np.sqrt((fake.var(ddof=1) + real.var(ddof=1)) / 2)
            if d > 0: out["d_prime"] = (fake.mean() - real.mean()) / d
            rank = stats.rankdata(s)
            v10 = (rank[y == 1] - stats.rankdata(fake)) / len(real)
            v01 = 1 - (rank[y == 0] - stats.rankdata(real)) / len(fake)
            out["auc_se"] = np.sqrt(v10.var(ddof=1) / len(fake) + v01.var(ddof=1) / len(real))
    return {k: float(v) for k, v in out.items()}
print(json.dumps([one(y, s) for y, s in json.load(open(sys.argv[1]))]))`

func TestMeasuresAgainstScikitLearnAndSciPy(t *testing.T) {
	classes, scores := lists()
	in := make([][2]any, len(classes))
	for i := range in {
		in[i] = [2]any{classes[i], scores[i]}
	}
	var want []map[string]float64
	if err := json.Unmarshal(testenv.RunPython(t, measured, file(t, in)), &want); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i := range classes {
		got, r := Measure(classes[i], scores[i], Conditions{Prevalence: 0.2, Chosen: Rank(classes[i], scores[i]).ChosenThreshold()})
		for _, name := range Measures {
			w, defined := want[i][name]
			g, ok := got[name]
			if defined != ok {
				t.Errorf("list %d (%d real, %d synthetic): %s = %v, want %v (defined: %v, %v)", i, r.Real, r.Synthetic, name, g, w, ok, defined)
			} else if ok && math.Abs(g-w) > 1e-12*max(1, math.Abs(w)) {
				t.Errorf("list %d: %s = %.15g, want %.15g", i, name, g, w)
			}
			if ok {
				seen[name]++
			}
		}
	}
	for _, name := range Measures {
		if seen[name] < 50 {
			t.Errorf("%s was compared on %d lists only", name, seen[name])
		}
	}
	if got, _ := Measure([]int{0, 1}, []float64{math.NaN(), 1}, Conditions{}); len(got) != 0 {
		t.Errorf("measures of a NaN score: %v", got)
	}
}

// A threshold from one list and the rate at it on another, by the definition in whole numbers, the highest of several thresholds.
const chosen = `
import sys, json, numpy as np
out = []
for (y, s), (y2, s2) in json.load(open(sys.argv[1])):
    y, s, y2, s2 = map(np.array, (y, s, y2, s2))
    costs = [(int((s[y == 1] < t).sum()) * int((y == 0).sum()) + int((s[y == 0] >= t).sum()) * int((y == 1).sum()), -t) for t in np.unique(s)]
    t = -min(costs)[1]
    out.append([t, ((s2[y2 == 1] < t).mean() + (s2[y2 == 0] >= t).mean()) / 2, sum(c[0] == min(costs)[0] for c in costs)])
print(json.dumps(out))`

func TestChosenThresholdOnOtherImagesAgainstPython(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 18))
	list := func(n, real int) [2]any {
		classes, scores := make([]int, n), make([]float64, n)
		for i := range n {
			if i >= real {
				classes[i] = Synthetic
			}
			scores[i] = float64(random.IntN(12+classes[i])) / 13
		}
		return [2]any{classes, scores}
	}
	var in [][2][2]any
	for k := range 1000 {
		n := 4 + k%60
		in = append(in, [2][2]any{list(n, 1+random.IntN(n-2)), list(n, n/2)})
	}
	var want [][3]float64
	if err := json.Unmarshal(testenv.RunPython(t, chosen, file(t, in)), &want); err != nil {
		t.Fatal(err)
	}
	several := 0
	for i, pair := range in {
		threshold := Rank(pair[0][0].([]int), pair[0][1].([]float64)).ChosenThreshold()
		got, _ := Measure(pair[1][0].([]int), pair[1][1].([]float64), Conditions{Chosen: threshold})
		if threshold != want[i][0] || math.Abs(got["acer_chosen"]-want[i][1]) > 1e-12 {
			t.Errorf("list %d: threshold %v with ACER %v elsewhere, Python %v", i, threshold, got["acer_chosen"], want[i])
		}
		if want[i][2] > 1 {
			several++
		}
	}
	if several < 30 {
		t.Errorf("only %d lists have several best thresholds", several)
	}
}

// Two networks on the same images: the variance of the difference by DeLong's covariance matrix, from SciPy's midranks.
const compared = `
import sys, json, numpy as np
from scipy import stats
out = []
for y, a, b in json.load(open(sys.argv[1])):
    y = np.array(y)
    v10, v01, auc = [], [], []
    for s in np.array(a), np.array(b):
        rank, m, n = stats.rankdata(s), (y == 1).sum(), (y == 0).sum()
        v10.append((rank[y == 1] - stats.rankdata(s[y == 1])) / n)
        v01.append(1 - (rank[y == 0] - stats.rankdata(s[y == 0])) / m)
        auc.append((rank[y == 1].sum() - m * (m + 1) / 2) / m / n)
    cov = np.cov(v10) / m + np.cov(v01) / n
    se = np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1])
    d = auc[0] - auc[1]
    out.append([d, se, 2 * stats.norm.sf(abs(d) / se), *stats.norm.interval(.95, d, se)])
print(json.dumps(out))`

func TestDeLongAgainstSciPy(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	var in [][3]any
	var got []Estimate
	for n := 11; n < 900; n += 1 + n/4 {
		classes, a, b := make([]int, n), make([]float64, n), make([]float64, n)
		for i := range n {
			classes[i] = (i / 2) % 2
			common := random.NormFloat64() + float64(classes[i])
			a[i], b[i] = math.Round(8*(common+random.NormFloat64()))/8, common+0.5*random.NormFloat64()
		}
		in = append(in, [3]any{classes, a, b})
		d := Rank(classes, a).Placements()
		d.Add(Rank(classes, b).Placements(), -1)
		got = append(got, d.Estimate())
	}
	var want [][5]float64
	if err := json.Unmarshal(testenv.RunPython(t, compared, file(t, in)), &want); err != nil {
		t.Fatal(err)
	}
	for i, e := range got {
		low, high := e.Interval()
		for k, v := range []float64{e.Value, e.SE, e.P(), low, high} {
			if math.Abs(v-want[i][k]) > 1e-10*max(1e-3, math.Abs(want[i][k])) {
				t.Errorf("list %d: number %d is %.15g, want %.15g", i, k, v, want[i][k])
			}
		}
	}
	same := Rank([]int{0, 1, 0, 1}, []float64{0.1, 0.2, 0.3, 0.4}).Placements()
	same.Add(same, -1)
	if e := same.Estimate(); e.Value != 0 || !math.IsNaN(e.P()) {
		t.Errorf("a network against itself: %+v, p %v", e, e.P())
	}
}

// file holds a value as JSON.
func file(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "in.json")
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
