package human

import (
	"encoding/json"
	"math"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// numpy computes the measures of a study with NumPy and SciPy, from trials.csv, score files and the numbers of draws of
// each participant and each image on each resample. It was written from the definitions of the measures alone.
const numpy = `
import csv, json, sys
import numpy as np
from scipy.stats import norm, ttest_rel, pearsonr

trials, draws, threshold = sys.argv[1], json.load(open(sys.argv[2])), .5
scores = [{r["path"].lstrip("/"): float(r["score"]) for r in csv.DictReader(open(p))} for p in sys.argv[3:]]
rows = list(csv.DictReader(open(trials)))
pairs = bool(rows[0]["pair"])
people = {n: i for i, n in enumerate(draws["people"])}
items = {n: i for i, n in enumerate(draws["items"])}

def item(r):
    if not pairs:
        return items[r["image"]]
    real, fake = (r["pair"], r["image"]) if r["label"] == "Synthetic" else (r["image"], r["pair"])
    return items[real + " and " + fake]

P = np.array([people[r["participant"]] for r in rows])
I = np.array([item(r) for r in rows])
signal = np.array([r["label"] == "Synthetic" for r in rows])
said = np.array([r["answer"] == "Synthetic" for r in rows])
right = (signal == said).astype(float)
annotated = np.array([r["annotated"] == "true" for r in rows])
seconds = np.array([float(r["time"]) for r in rows])
group = np.array([r["generator"] for r in rows])

verdicts = []
for s in scores:
    v = []
    for r in rows:
        if r["image"] not in s or (pairs and r["pair"] not in s):
            v.append(np.nan)
        elif pairs:
            a, b = s[r["image"]], s[r["pair"]]
            v.append(1. if a > b else .5 if a == b else 0.)
        else:
            v.append(float(s[r["image"]] >= threshold))
    verdicts.append(v)
verdicts = np.array(verdicts)
scored = ~np.isnan(verdicts).all(axis=0)
model = np.where(signal, verdicts, 1 - verdicts)[:, scored].mean(axis=0)
same = np.where(said, verdicts, 1 - verdicts)[:, scored].mean(axis=0)

def measures(w):
    out = {}
    def mean(x, keep, weights=None):
        weights = w if weights is None else weights
        total = weights[keep].sum()
        return float((weights[keep] * x[keep]).sum() / total) if total > 0 else np.nan
    def detection(keep):
        h, n = (w * right)[keep & signal].sum(), w[keep & signal].sum()
        f, m = (w * (1 - right))[keep & ~signal].sum(), w[keep & ~signal].sum()
        if n == 0 or m == 0:
            return np.nan, np.nan
        zh, zf = norm.ppf((h + .5) / (n + 1)), norm.ppf((f + .5) / (m + 1))
        return (zh - zf) / (2 ** .5 if pairs else 1), -(zh + zf) / 2
    for c, of in (("all", np.ones(len(rows), bool)), ("free", ~annotated), ("annotated", annotated)):
        for g in [""] + sorted(set(group)):
            keep = of & ((group == g) | (g == ""))
            out["accuracy", c, g, ""] = mean(right, keep)
            if not pairs:
                out["accuracy_real", c, g, ""] = mean(right, keep & ~signal)
                out["accuracy_synthetic", c, g, ""] = mean(right, keep & signal)
            if g == "":
                out["dprime", c, g, ""], out["criterion", c, g, ""] = detection(keep)
                out["time", c, g, ""] = float(np.exp(mean(np.log(seconds), keep)))
            if scores:
                k = keep[scored]
                out["people", c, g, "cyborg"] = mean(right[scored], k, w[scored])
                out["model", c, g, "cyborg"] = mean(model, k, w[scored])
                out["people - model", c, g, "cyborg"] = mean(right[scored] - model, k, w[scored])
                out["agreement", c, g, "cyborg"] = mean(same, k, w[scored])
    for (name, c, g, m), v in list(out.items()):
        if c == "annotated" and m == "":
            other = out[name, "free", g, m]
            out[name, "annotated - free", g, m] = v / other if name == "time" else v - other
    return out

once = measures(np.ones(len(rows)))
samples = {k: [] for k in once}
for p, i in zip(np.array(draws["of_people"]), np.array(draws["of_items"])):
    for k, v in measures((p[P] * i[I]).astype(float)).items():
        samples[k].append(v)
measured = []
for k, v in once.items():
    kept = [x for x in samples[k] if not np.isnan(x)]
    low, high = np.quantile(kept, [.025, .975])
    measured.append({"name": k[0], "condition": k[1], "group": k[2], "model": k[3], "value": v, "low": low, "high": high})
both = [p for p in people.values() if annotated[P == p].any() and (~annotated[P == p]).any()]
a = [right[(P == p) & annotated].mean() for p in both]
f = [right[(P == p) & ~annotated].mean() for p in both]
test = ttest_rel(a, f)
ci = test.confidence_interval()
agreement = {}
if scores and not pairs:
    share, score, majority = [], [], []
    for n, i in items.items():
        s = [x[n] for x in scores if n in x]
        if s:
            share.append(said[I == i].mean()); score.append(np.mean(s))
            v = np.mean([x >= threshold for x in s])
            majority.append(v if share[-1] > .5 else 1 - v if share[-1] < .5 else .5)
    agreement = {"images": len(share), "majority": float(np.mean(majority)), "correlation": float(pearsonr(share, score)[0])}
json.dump({"measures": measured, "paired": {"n": len(both), "difference": float(np.mean(a) - np.mean(f)), "low": ci.low, "high": ci.high, "p": test.pvalue},
           "agreement": agreement}, sys.stdout)
`

// Every measure, its interval from the same resamples, the paired test and the agreement with the network, against NumPy
// and SciPy.
func TestAgainstNumPy(t *testing.T) {
	testenv.Python(t)
	for _, pairs := range []bool{false, true} {
		t.Run(map[bool]string{false: "single", true: "pairs"}[pairs], func(t *testing.T) {
			const resamples, seed = 150, 5
			f := newFake(t, 11, 14, 36, pairs)
			h := f.run(t, Params{Resamples: resamples, Seed: seed})

			people, items := inOrder(t, f)
			drawn := struct {
				People   []string `json:"people"`
				Items    []string `json:"items"`
				OfPeople [][]int  `json:"of_people"`
				OfItems  [][]int  `json:"of_items"`
			}{People: people, Items: items}
			for r := range resamples {
				p, i := draw(seed, r, len(people), len(items))
				drawn.OfPeople, drawn.OfItems = append(drawn.OfPeople, p), append(drawn.OfItems, i)
			}
			raw, err := json.Marshal(drawn)
			if err != nil {
				t.Fatal(err)
			}
			draws := filepath.Join(t.TempDir(), "draws.json")
			put(t, draws, string(raw))
			var want struct {
				Measures  []results.HumanMeasure
				Paired    results.HumanPaired
				Agreement *results.HumanAgreement
			}
			out := testenv.RunPython(t, numpy, f.trials(), draws, filepath.Join(f.scores[0], "scores.csv"), filepath.Join(f.scores[1], "scores.csv"))
			if err := json.Unmarshal(out, &want); err != nil {
				t.Fatal(err)
			}
			if len(want.Measures) != len(h.Measures) {
				t.Errorf("%d measures, NumPy has %d", len(h.Measures), len(want.Measures))
			}
			for _, w := range want.Measures {
				m := h.Find(w.Name, w.Condition, w.Group, w.Model)
				if m == nil || m.Low == nil {
					t.Errorf("%+v is missing", w)
					continue
				}
				if !near(m.Value, w.Value) || !near(*m.Low, *w.Low) || !near(*m.High, *w.High) {
					t.Errorf("%s, %s, %s, %s: %g (%g to %g), NumPy %g (%g to %g)", w.Name, w.Condition, w.Group, w.Model,
						m.Value, *m.Low, *m.High, w.Value, *w.Low, *w.High)
				}
			}
			got := *h.Paired
			if got.N != want.Paired.N || !near(got.Difference, want.Paired.Difference) || !near(got.P, want.Paired.P) ||
				!near(got.Low, want.Paired.Low) || !near(got.High, want.Paired.High) {
				t.Errorf("paired test %+v, SciPy %+v", got, want.Paired)
			}
			if a, w := h.Agreement[0], want.Agreement; !pairs && (a.Images != w.Images || !near(a.Majority, w.Majority) || !near(*a.Correlation, *w.Correlation)) {
				t.Errorf("agreement %+v (%g), NumPy %+v (%g)", a, *a.Correlation, w, *w.Correlation)
			}
		})
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

// inOrder is the people and items of a study in the order in which they are numbered.
func inOrder(t *testing.T, f fake) (people, items []string) {
	t.Helper()
	d := read(t, f)
	return d.people, d.items
}

// The pigeonhole bootstrap covers: over many simulated studies with crossed effects of people and images, its 95 % interval
// holds the expected accuracy in at least 92 %, where one that takes trials for independent holds it in at most 85 %.
func TestCoverage(t *testing.T) {
	const studies = 150
	var crossed, naive int
	for s := range studies {
		d, truth := crossedStudy(uint64(s), 20, 25)
		o := observe(d, nil, 0.5)
		m := o.measures(nil)[:1]
		if m[0].Name != "accuracy" {
			t.Fatal(m[0].Name)
		}
		values, err := o.resample(t.Context(), m, uint64(s), 300, 2, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		low, high, ok := interval(values[0])
		if ok && low <= truth && truth <= high {
			crossed++
		}
		p, _ := m[0].of(o.sums(nil, nil))
		reach := 1.96 * math.Sqrt(p*(1-p)/float64(len(d.trials)))
		if math.Abs(p-truth) <= reach {
			naive++
		}
	}
	t.Logf("of %d studies, %d covered by the crossed bootstrap, %d by independent trials", studies, crossed, naive)
	if crossed < studies*92/100 || naive > studies*85/100 {
		t.Error("the crossed interval must hold the truth in 92 % or more, the other in 85 % or less")
	}
}
