package metrics

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

type goldenList struct {
	Labels      []int
	Scores      []float64
	AUC         float64
	EER         float64
	AtThreshold map[string]goldenRates `json:"at_threshold"`
	AtBPCER     map[string]struct {
		Attained goldenRates
	} `json:"apcer_at_bpcer"`
	TDR        map[string]float64 `json:"tdr_at_fdr"`
	BestRaw    goldenRates        `json:"best_acer_of_raw_scores"`
	BestUnit   *goldenRates       `json:"best_acer_of_unit_range_scores"`
	DPopulated *float64           `json:"d_prime_population_variance"`
	DSample    *float64           `json:"d_prime_sample_variance"`
}

type goldenRates struct {
	Threshold          *float64
	APCER, BPCER, ACER float64
}

func golden(t *testing.T) (g struct {
	Metrics struct{ Lists map[string]goldenList }
	Maps    struct {
		Fixations [][2]int
		Pairs     map[string]struct {
			Map, Human       [][]float64
			CC, SIM, KL, NSS *float64
		}
	} `json:"map_metrics"`
}) {
	t.Helper()
	raw, err := os.ReadFile(testenv.Shared(t, "reference/golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGoldenLists(t *testing.T) {
	lists := golden(t).Metrics.Lists
	if len(lists) < 6 {
		t.Fatalf("%d lists, at least 6 expected", len(lists))
	}
	for name, l := range lists {
		t.Run(name, func(t *testing.T) {
			r := Rank(l.Labels, l.Scores)
			near(t, "auc", r.AUC(), &l.AUC)
			near(t, "area under the ROC", area(r.ROC()), &l.AUC)
			near(t, "eer", r.EER(), &l.EER)
			for at, want := range l.AtThreshold {
				rates(t, "at "+at, r.ErrorsAt(number(t, at)), want)
			}
			for at, want := range l.AtBPCER {
				threshold, got := r.APCERAtBPCER(number(t, at))
				if want.Attained.Threshold == nil {
					none := math.Inf(1)
					want.Attained.Threshold = &none
				}
				near(t, "attained threshold "+at, threshold, want.Attained.Threshold)
				near(t, "attained apcer "+at, got.APCER, &want.Attained.APCER)
				near(t, "attained bpcer "+at, got.BPCER, &want.Attained.BPCER)
			}
			for at, want := range l.TDR {
				near(t, "tdr at fdr "+at, r.ROC().At(number(t, at)), &want)
			}
			threshold, best := r.bestACER(0, 1)
			near(t, "best threshold", threshold, l.BestRaw.Threshold)
			rates(t, "best of raw scores", best, l.BestRaw)
			threshold, best = r.BestACER()
			if l.BestUnit != nil {
				near(t, "best threshold of scaled scores", threshold, l.BestUnit.Threshold)
				rates(t, "best of scaled scores", best, *l.BestUnit)
			} else if !math.IsNaN(threshold) {
				t.Errorf("equal scores have a best threshold %v", threshold)
			}
			near(t, "d' (population)", math.Abs(DPrime(l.Labels, l.Scores, 0)), l.DPopulated) // the reference's has no sign
			near(t, "d' (sample)", math.Abs(DPrime(l.Labels, l.Scores, 1)), l.DSample)
		})
	}
}

// area is the area under the curve by trapezoids.
func area(c Curve) float64 {
	sum := 0.0
	for i := 1; i < len(c.FPR); i++ {
		sum += (c.FPR[i] - c.FPR[i-1]) * (c.TPR[i] + c.TPR[i-1]) / 2
	}
	return sum
}

func TestGoldenMaps(t *testing.T) {
	g := golden(t).Maps
	if len(g.Pairs) < 6 {
		t.Fatalf("%d pairs, at least 6 expected", len(g.Pairs))
	}
	for name, p := range g.Pairs {
		t.Run(name, func(t *testing.T) {
			m, human, width := flat(p.Map), flat(p.Human), len(p.Map[0])
			var fixations []int
			for _, f := range g.Fixations {
				fixations = append(fixations, f[0]*width+f[1])
			}
			near(t, "cc", Correlation(m, human), p.CC)
			near(t, "sim", Similarity(m, human), p.SIM)
			near(t, "kl", KL(m, human), p.KL)
			near(t, "nss", NSS(m, fixations), p.NSS)
		})
	}
}

const sklearn = `
import sys, json, numpy as np
from sklearn import metrics
out = []
for y, s in json.load(open(sys.argv[1])):
    fpr, tpr, _ = metrics.roc_curve(y, s, drop_intermediate=False)
    out.append([metrics.roc_auc_score(y, s), metrics.accuracy_score(y, np.array(s) > .5), list(fpr), list(tpr)])
print(json.dumps(out))`

func TestAgainstScikitLearn(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var lists [][2]any
	for n := 2; n < 400; n += 7 {
		classes, scores := make([]int, n), make([]float64, n)
		levels := 2 + random.IntN(60) // few levels: many ties, 0.5 among them
		for i := range scores {
			classes[i] = i % 2
			scores[i] = float64(random.IntN(levels+1)) / float64(levels)
		}
		lists = append(lists, [2]any{classes, scores})
	}
	input, err := json.Marshal(lists)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "lists.json")
	if err := os.WriteFile(file, input, 0o644); err != nil {
		t.Fatal(err)
	}
	var want [][4]json.RawMessage
	if err := json.Unmarshal(testenv.RunPython(t, sklearn, file), &want); err != nil {
		t.Fatal(err)
	}
	for i, l := range lists {
		classes, scores := l[0].([]int), l[1].([]float64)
		var auc, accuracy float64
		var fpr, tpr []float64
		for k, into := range []any{&auc, &accuracy, &fpr, &tpr} {
			if err := json.Unmarshal(want[i][k], into); err != nil {
				t.Fatal(err)
			}
		}
		near(t, "auc", Rank(classes, scores).AUC(), &auc)
		near(t, "accuracy", Accuracy(classes, scores), &accuracy)
		c := Rank(classes, scores).ROC()
		if len(c.FPR) != len(fpr) {
			t.Fatalf("list %d: %d corners, scikit-learn %d", i, len(c.FPR), len(fpr))
		}
		for k := range fpr {
			near(t, "fpr", c.FPR[k], &fpr[k])
			near(t, "tpr", c.TPR[k], &tpr[k])
		}
	}
}

// AUC by its definition, over all pairs.
func TestAUCIsTheShareOfPairsWon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		classes := rapid.SliceOfN(rapid.IntRange(0, 1), n, n).Draw(t, "classes")
		levels := rapid.SliceOfN(rapid.IntRange(0, 5), n, n).Draw(t, "scores")
		scores := make([]float64, n)
		for i, l := range levels {
			scores[i] = float64(l) / 5
		}
		won, pairs := 0.0, 0.0
		for i := range n {
			for j := range n {
				if classes[i] == Synthetic && classes[j] == Real {
					pairs++
					if scores[i] > scores[j] {
						won++
					} else if scores[i] == scores[j] {
						won += 0.5
					}
				}
			}
		}
		got := Rank(classes, scores).AUC()
		if pairs == 0 {
			if !math.IsNaN(got) {
				t.Fatalf("AUC %v without both classes", got)
			}
			return
		}
		if math.Abs(got-won/pairs) > 1e-12 {
			t.Fatalf("AUC %v, pairs won %v", got, won/pairs)
		}
		eer := Rank(classes, scores).EER()
		at := Rank(classes, scores).ROC().At(eer)
		if eer < 0 || eer > 1 || at < 1-eer-1e-9 { // the crossing lies on the polygon, at the upper end of a vertical piece
			t.Fatalf("EER %v, but the true positive rate there is %v", eer, at)
		}
	})
}

func TestDPrimeHasASign(t *testing.T) {
	scores := []float64{0.1, 0.3, 0.7, 0.9}
	right, wrong := DPrime([]int{0, 0, 1, 1}, scores, 1), DPrime([]int{1, 1, 0, 0}, scores, 1)
	if want := 0.6 / math.Sqrt(0.02); math.Abs(right-want) > 1e-12 || right != -wrong {
		t.Errorf("d' of a detector %v, of the same one that is always wrong %v, want %v and its negative", right, wrong, want)
	}
}

func TestEvaluateLeavesOutWhatIsUndefined(t *testing.T) {
	r := Evaluate([]int{1, 1, 1}, []float64{0.9, 0.5, 0.2})
	if r.Images != 3 || r.Synthetic != 3 || r.Real != 0 {
		t.Errorf("counts: %+v", r)
	}
	if len(r.Metrics) != 2 || r.Metrics["accuracy"] != 1.0/3 || r.Metrics["apcer"] != 1.0/3 {
		t.Errorf("metrics of synthetic images alone: %v, want accuracy (a tie is Real) and apcer (0.5 is flagged)", r.Metrics)
	}
	if r := Evaluate(nil, nil); len(r.Metrics) != 0 {
		t.Errorf("metrics of nothing: %v", r.Metrics)
	}
	if r := Evaluate([]int{0, 1}, []float64{math.NaN(), 1}); len(r.Metrics) != 0 {
		t.Errorf("metrics of a NaN score: %v", r.Metrics)
	}
}

func TestVerticalAverage(t *testing.T) {
	steep := Curve{FPR: []float64{0, 0, 1}, TPR: []float64{0, 1, 1}}
	chance := Curve{FPR: []float64{0, 1}, TPR: []float64{0, 1}}
	mean, sd := VerticalAverage([]Curve{steep, chance, {}}, Grid(3))
	for i, want := range [][2]float64{{0.5, math.Sqrt2 / 2}, {0.75, math.Sqrt2 / 4}, {1, 0}} {
		near(t, "mean", mean[i], &want[0])
		near(t, "sd", sd[i], &want[1])
	}
	if mean, _ := VerticalAverage([]Curve{{}}, Grid(3)); mean != nil {
		t.Errorf("mean of no curve: %v", mean)
	}
	if _, sd := VerticalAverage([]Curve{chance}, Grid(3)); sd[1] != 0 {
		t.Errorf("spread of one curve: %v", sd)
	}
}

func TestScoresComeBackAsTheyWere(t *testing.T) {
	rows := []Score{{"a, b.png", "Real", Real, 1.0 / 3}, {"c\"d.png", "Synthetic", Synthetic, 5e-324}, {"e.png", "spoof", Synthetic, 1}}
	var text strings.Builder
	if err := WriteScores(&text, rows); err != nil {
		t.Fatal(err)
	}
	back, err := ParseScores([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if back[i] != rows[i] {
			t.Errorf("row %d: %+v came back as %+v", i, rows[i], back[i])
		}
	}
}

func TestBadScores(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "header",
		"path,score\n":                          "wrong number of fields",
		"a,b,c\n":                               `header "a,b,c", want path,label,score`,
		"path,label,score\na,Real,x\n":          `line 2: score "x" is no finite number`,
		"path,label,score\na,Real,NaN\n":        `line 2: score "NaN" is no finite number`,
		"path,label,score\na,Real,1\nb,Dog,1\n": `line 3: unknown label "Dog"`,
	} {
		if _, err := ParseScores([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func FuzzParseScores(f *testing.F) {
	f.Add("path,label,score\na,Real,0.5\n")
	f.Add("path,label,score\n\"a\nb\",Synthetic,1e-9\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := ParseScores([]byte(text))
		if err != nil {
			return
		}
		r := Evaluate(Split(rows))
		for name, v := range r.Metrics {
			if !(v >= 0 && v <= 1) {
				t.Errorf("%s = %v", name, v)
			}
		}
	})
}

func flat(m [][]float64) (out []float64) {
	for _, row := range m {
		out = append(out, row...)
	}
	return out
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func rates(t *testing.T, name string, got Rates, want goldenRates) {
	t.Helper()
	near(t, name+" apcer", got.APCER, &want.APCER)
	near(t, name+" bpcer", got.BPCER, &want.BPCER)
	near(t, name+" acer", got.ACER(), &want.ACER)
}

// near compares to 12 digits; a missing wanted value stands for an undefined one.
func near(t *testing.T, name string, got float64, want *float64) {
	t.Helper()
	if want == nil {
		if !math.IsNaN(got) {
			t.Errorf("%s: %v, want undefined", name, got)
		}
		return
	}
	if got != *want && !(math.Abs(got-*want) <= 1e-12*math.Max(1, math.Abs(*want))) {
		t.Errorf("%s: %.15g, want %.15g", name, got, *want)
	}
}
