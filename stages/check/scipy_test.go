package check

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// scipyGate reads metrics.csv as specs/science.yaml means it: for each seed the mean over the sets u1, u2 and u3, and of
// those the tests of cyborg against cross_entropy.
const scipyGate = `
import csv, json, sys
import numpy as np
from scipy import stats
values = {}
for row in csv.DictReader(open(sys.argv[1])):
    if row["set"] in ("u1", "u2", "u3") and row["metric"] == "auc":
        values.setdefault((row["loss"], int(row["seed"])), []).append(float(row["value"]))
seeds = sorted({seed for _, seed in values})
x, y = ([np.mean(values[loss, seed]) for seed in seeds] for loss in ("cyborg", "cross_entropy"))
print(json.dumps([np.mean(x) - np.mean(y), stats.ttest_rel(x, y).pvalue, stats.ttest_ind(x, y, equal_var=False).pvalue]))
`

// TestGateAgainstSciPy holds the functions of the science gate to SciPy, from the same table.
func TestGateAgainstSciPy(t *testing.T) {
	random, dir := rand.New(rand.NewPCG(3, 5)), t.TempDir()
	var table strings.Builder
	table.WriteString("node,loss,seed,set,metric,value\n")
	for loss, mean := range map[string]float64{"cyborg": 0.8, "cross_entropy": 0.7} {
		for seed := range 8 {
			for _, set := range []string{"u1", "u2", "u3", "s"} {
				fmt.Fprintf(&table, "n,%s,%d,%s,auc,%.17g\n", loss, seed, set, mean+0.1*random.NormFloat64())
				fmt.Fprintf(&table, "n,%s,%d,%s,eer,%.17g\n", loss, seed, set, random.Float64())
			}
		}
	}
	summary, err := json.Marshal(results.Summary{Repeat: "seed", Mean: []string{"u1", "u2", "u3"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"metrics.csv": table.String(), "summary.json": string(summary)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var want [3]float64
	if err := json.Unmarshal(testenv.RunPython(t, scipyGate, filepath.Join(dir, "metrics.csv")), &want); err != nil {
		t.Fatal(err)
	}
	r, err := readRows(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, function := range []string{"difference", "paired_p", "welch_p"} {
		a := r.hold(function + "(auc, loss == 'cyborg' && set in mean_sets, loss == 'cross_entropy' && set in mean_sets) < 1")
		if len(a.Values) != 1 || math.Abs(a.Values[0].Value-want[i]) > 1e-9*math.Abs(want[i]) {
			t.Errorf("%+v, SciPy: %.12g", a, want[i])
		}
	}
}
