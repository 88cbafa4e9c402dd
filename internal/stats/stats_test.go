package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

func TestMeanOfEqualValuesIsTheValue(t *testing.T) {
	if got := Mean([]float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1}); got != 0.1 {
		t.Errorf("mean of six times 0.1 is %v", got)
	}
	if got := SD([]float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1}); got != 0 {
		t.Errorf("standard deviation of equal values is %v", got)
	}
}

// The numbers are worked by hand: differences 1, 2, 3 have mean 2 and standard error 1/sqrt(3).
func TestPairedByHand(t *testing.T) {
	got := Paired([]float64{2, 4, 6}, []float64{1, 2, 3})
	near(t, "difference", got.Difference, 2)
	near(t, "t", got.T, 2*math.Sqrt(3))
	near(t, "p", got.P, 0.0741799) // 1 - t/sqrt(t^2+2), df 2
	near(t, "low", got.Low, 2-4.3026527/math.Sqrt(3))
	near(t, "high", got.High, 2+4.3026527/math.Sqrt(3))
}

func TestUndefined(t *testing.T) {
	for name, got := range map[string]Test{
		"one pair":        Paired([]float64{1}, []float64{0}),
		"no pair":         Paired(nil, nil),
		"no spread":       Paired([]float64{0.3, 0.4, 0.5}, []float64{0.1, 0.2, 0.3}),
		"equal samples":   Paired([]float64{0.3, 0.4}, []float64{0.3, 0.4}),
		"welch one value": Welch([]float64{1}, []float64{0, 2}),
		"welch no spread": Welch([]float64{1, 1}, []float64{0, 0}),
	} {
		if !math.IsNaN(got.P) || !math.IsNaN(got.T) || !math.IsNaN(got.Low) || !math.IsNaN(got.High) {
			t.Errorf("%s: %+v, want no p and no interval", name, got)
		}
	}
}

const scipy = `
import sys, json, numpy as np
from scipy import stats
out = []
for a, b in json.loads(sys.argv[1]):
    p, w = stats.ttest_rel(a, b), stats.ttest_ind(a, b, equal_var=False)
    ci, cw = p.confidence_interval(0.95), w.confidence_interval(0.95)
    out.append([float(v) for v in (np.mean(a), np.std(a, ddof=1), p.statistic, p.df, p.pvalue, ci.low, ci.high,
                w.statistic, w.df, w.pvalue, cw.low, cw.high)])
print(json.dumps(out))`

func TestAgainstSciPy(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var samples [][2][]float64
	for n := 2; n < 30; n++ {
		a, b := make([]float64, n), make([]float64, n)
		shift := math.Exp(4*random.NormFloat64() - 3) // from nothing to p < 1e-30
		for i := range a {
			b[i] = random.Float64()
			a[i] = b[i] + shift + 0.1*random.NormFloat64()
		}
		samples = append(samples, [2][]float64{a, b})
	}
	input, err := json.Marshal(samples)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]float64
	if err := json.Unmarshal(testenv.RunPython(t, scipy, string(input)), &want); err != nil {
		t.Fatal(err)
	}
	names := []string{"mean", "sd", "paired t", "paired df", "paired p", "paired low", "paired high",
		"welch t", "welch df", "welch p", "welch low", "welch high"}
	for k, s := range samples {
		p, w := Paired(s[0], s[1]), Welch(s[0], s[1])
		got := []float64{Mean(s[0]), SD(s[0]), p.T, p.DF, p.P, p.Low, p.High, w.T, w.DF, w.P, w.Low, w.High}
		for i := range got {
			if math.Abs(got[i]-want[k][i]) > 1e-9*math.Abs(want[k][i])+1e-12*math.Abs(p.High) {
				t.Errorf("n=%d: %s %.15g, SciPy %.15g", len(s[0]), names[i], got[i], want[k][i])
			}
		}
	}
}

func near(t *testing.T, name string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6 {
		t.Errorf("%s: %.9g, want %.9g", name, got, want)
	}
}
