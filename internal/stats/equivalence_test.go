package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

const scipyEquivalence = `
import sys, json, numpy as np
from scipy import stats
out = []
for a, b, m in json.loads(sys.argv[1]):
    a, b = np.array(a), np.array(b)
    low = stats.ttest_ind(a + m, b, equal_var=False, alternative='greater').pvalue
    high = stats.ttest_ind(a - m, b, equal_var=False, alternative='less').pvalue
    out.append(float(max(low, high)))
print(json.dumps(out))`

func TestEquivalentAgainstSciPy(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var cases [][3]any
	for n := 2; n < 40; n++ {
		a, b := make([]float64, n), make([]float64, 2+random.IntN(20))
		for i := range a {
			a[i] = 0.9 + 0.02*random.NormFloat64()
		}
		for i := range b {
			b[i] = 0.9 + 0.01*random.NormFloat64()
		}
		cases = append(cases, [3]any{a, b, 0.05 * random.Float64()})
	}
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	var want []float64
	if err := json.Unmarshal(testenv.RunPython(t, scipyEquivalence, string(input)), &want); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		got := Equivalent(c[0].([]float64), c[1].([]float64), c[2].(float64)).P
		if math.Abs(got-want[i]) > 1e-9*want[i] {
			t.Errorf("n=%d: p = %.15g, SciPy %.15g", i+2, got, want[i])
		}
	}
}

func TestEquivalentWithoutSpread(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{{[]float64{1, 1}, []float64{1.01, 1.01}, 0}, {[]float64{1, 1}, []float64{1.1, 1.1}, 1}} {
		if got := Equivalent(c.a, c.b, 0.05).P; got != c.want {
			t.Errorf("%v and %v: p = %v, want %v", c.a, c.b, got, c.want)
		}
	}
	if got := Equivalent([]float64{1}, []float64{1, 2}, 0.05).P; !math.IsNaN(got) {
		t.Errorf("one value: p = %v", got)
	}
}
