package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

const scipyPaired = `
import sys, json, itertools, numpy as np
from scipy import stats
from scipy.special import gammaln
from statsmodels.stats.multitest import multipletests
def wilcoxon(a, b):
    d = a - b
    d = d[d != 0]
    n = len(d)
    if n == 0: return None, None
    r = stats.rankdata(abs(d))
    if len(set(abs(d))) == n and n == len(a):
        p = stats.wilcoxon(a, b, method="exact" if n <= 100 else "asymptotic", correction=False).pvalue
    elif n <= 12: # SciPy counts all signs out
        p = stats.permutation_test((d,), lambda x, axis=-1: (stats.rankdata(abs(x), axis=axis) * (x > 0)).sum(axis=axis),
            permutation_type="samples", vectorized=True, n_resamples=np.inf).pvalue
    elif n > 100:
        p = stats.wilcoxon(d, method="asymptotic", correction=False).pvalue
    else:
        p = None
    return p, ((r * (d > 0)).sum() - (r * (d < 0)).sum()) / r.sum()
out = []
for a, b in json.load(open(sys.argv[1])):
    a, b = np.array(a), np.array(b)
    d = a - b
    df = 2 * len(a) - 2
    with np.errstate(all="ignore"):
        dz = d.mean() / d.std(ddof=1) if len(set(d)) > 1 else None
        pooled = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2) if len(a) > 1 else 0
        g = (a.mean() - b.mean()) / pooled * np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2) if pooled > 0 else None
    p, rb = wilcoxon(a, b)
    out.append([p, rb, dz, g])
ps = json.loads(sys.argv[2])
print(json.dumps([out, [list(multipletests(p, method="holm")[1]) for p in ps]]))`

// Pairs are whole sixteenths, so that their differences have ties and no rounding.
func TestPairedAgainstSciPyAndStatsmodels(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var pairs [][2][]float64
	for n := 1; n < 130; n += 1 + n/14 {
		for _, levels := range []int{1, 3, 16, 1 << 20} {
			a, b := make([]float64, n), make([]float64, n)
			for i := range a {
				a[i], b[i] = float64(random.IntN(levels))/float64(levels|1<<4), float64(random.IntN(levels))/float64(levels|1<<4)
				if levels < 1<<20 {
					a[i], b[i] = math.Round(a[i]*16)/16, math.Round(b[i]*16)/16
				}
			}
			pairs = append(pairs, [2][]float64{a, b})
		}
	}
	var families [][]float64
	for n := 1; n < 30; n++ {
		family := make([]float64, n)
		for i := range family {
			family[i] = math.Pow(random.Float64(), 4)
			if i > 0 && random.IntN(3) == 0 {
				family[i] = family[i-1]
			}
		}
		families = append(families, family)
	}
	texts := [2]string{file(t, pairs)}
	raw, err := json.Marshal(families)
	if err != nil {
		t.Fatal(err)
	}
	texts[1] = string(raw)
	var out []json.RawMessage
	if err := json.Unmarshal(testenv.RunPython(t, scipyPaired, texts[0], texts[1]), &out); err != nil {
		t.Fatal(err)
	}
	var want [][4]*float64
	var corrected [][]float64
	for i, into := range []any{&want, &corrected} {
		if err := json.Unmarshal(out[i], into); err != nil {
			t.Fatal(err)
		}
	}
	exact := 0
	for i, pair := range pairs {
		a, b := pair[0], pair[1]
		w := Wilcoxon(a, b)
		if want[i][0] != nil {
			equal(t, "Wilcoxon's p", len(a), w.P, want[i][0], 1e-9)
			exact++
		} else if w.N == 0 {
			equal(t, "Wilcoxon's p", len(a), w.P, nil, 0)
		}
		equal(t, "rank-biserial", len(a), w.RankBiserial, want[i][1], 1e-12)
		equal(t, "dz", len(a), CohensDz(a, b), want[i][2], 1e-9)
		equal(t, "g", len(a), HedgesG(a, b), want[i][3], 1e-9)
	}
	if exact < len(pairs)/3 {
		t.Errorf("SciPy judged %d of %d pairs", exact, len(pairs))
	}
	for i, family := range families {
		for k, got := range Holm(family) {
			equal(t, "Holm", i, got, &corrected[i][k], 1e-12)
		}
	}
}

// Ties between 13 and 100 pairs, which SciPy does not count out, by their definition.
func TestWilcoxonCountsSignsOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 14).Draw(t, "pairs")
		d := rapid.SliceOfN(rapid.IntRange(-3, 3), n, n).Draw(t, "differences")
		a, b := make([]float64, n), make([]float64, n)
		var sizes []float64
		for i, v := range d {
			a[i] = float64(v)
			if v != 0 {
				sizes = append(sizes, math.Abs(float64(v)))
			}
		}
		got := Wilcoxon(a, b)
		if got.N != len(sizes) {
			t.Fatalf("%d pairs, want %d", got.N, len(sizes))
		}
		if got.N == 0 {
			return
		}
		far, least := 0, 0
		for signs := range 1 << len(sizes) {
			up, down := 0.0, 0.0
			for i, size := range sizes {
				rank := 0.5
				for _, other := range sizes {
					if other < size {
						rank++
					} else if other == size {
						rank += 0.5
					}
				}
				if signs>>i&1 == 1 {
					up += rank
				} else {
					down += rank
				}
			}
			if math.Abs(up-down) >= math.Abs(got.Up-got.Down) {
				far++
			}
			if up == 0 || down == 0 {
				least++
			}
		}
		if want := float64(least) / float64(int(1)<<len(sizes)); got.Least != want {
			t.Fatalf("the smallest p is %v, want %v", got.Least, want)
		}
		if want := float64(far) / float64(int(1)<<len(sizes)); math.Abs(got.P-want) > 1e-12 {
			t.Fatalf("p = %v, want %v", got.P, want)
		}
	})
}

func TestRoundingMakesNoDifference(t *testing.T) {
	w := Wilcoxon([]float64{0.3, 0.9, 0.5}, []float64{0.1 + 0.2, 0.8, 0.4}) // 0, and .1 twice but for the last digit
	if w.N != 2 || w.Up != 3 || w.P != 0.5 {
		t.Errorf("%+v, want two tied pairs", w)
	}
}

func TestHolmLeavesOutWhatSaysNothing(t *testing.T) {
	got := Holm([]float64{0.02, math.NaN(), 0.03})
	if got[0] != 0.04 || !math.IsNaN(got[1]) || got[2] != 0.04 {
		t.Errorf("%v", got)
	}
}

func equal(t *testing.T, what string, n int, got float64, want *float64, within float64) {
	t.Helper()
	if want == nil {
		if !math.IsNaN(got) {
			t.Errorf("n=%d: %s = %v, want none", n, what, got)
		}
		return
	}
	if !(math.Abs(got-*want) <= within*math.Abs(*want)+1e-15) {
		t.Errorf("n=%d: %s = %.15g, want %.15g", n, what, got, *want)
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

func TestPercentiles(t *testing.T) {
	x := make([]float64, 1001)
	for i := range x {
		x[i] = float64((i * 8) % 1001)
	}
	if low, high := Percentiles(x); low != 25 || high != 975 {
		t.Errorf("%v to %v", low, high)
	}
	if low, high := Percentiles([]float64{1, 0}); low != 0.025 || high != 0.975 {
		t.Errorf("two values: %v to %v", low, high)
	}
	if low, _ := Percentiles(nil); !math.IsNaN(low) {
		t.Errorf("no values: %v", low)
	}
}
