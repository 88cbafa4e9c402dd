package leaks

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// sklearnAUC is the mean over folds of the AUC of scikit-learn's tree, for each column: by fold the values and classes that
// it is grown on, and those that it scores.
const sklearnAUC = `
import json, sys, numpy
from sklearn.tree import DecisionTreeClassifier
from sklearn.metrics import roc_auc_score
out = []
for column in json.load(open(sys.argv[1])):
    aucs = []
    for fold in column:
        x, y, u, v = (numpy.array(fold[k]) for k in ("x", "y", "u", "v"))
        tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(x.astype(numpy.float32)[:, None], y)
        aucs.append(roc_auc_score(v, tree.predict_proba(u.astype(numpy.float32)[:, None])[:, 1]))
    out.append(float(numpy.mean(aucs)))
print(json.dumps(out))`

type sklearnFold struct {
	X []float32 `json:"x"`
	Y []int     `json:"y"`
	U []float32 `json:"u"`
	V []int     `json:"v"`
}

func unroll(bins []bin) (values []float32, classes []int) {
	for _, b := range bins {
		for class, n := range b.n {
			for range n {
				values, classes = append(values, b.value), append(classes, class)
			}
		}
	}
	return values, classes
}

// The AUC of every kind of column is that of scikit-learn's DecisionTreeClassifier(max_depth=2) on the same folds.
func TestAUCEqualsScikitLearn(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	number := func(of func(class int) float64) Fact {
		return Fact{Name: "number", number: func(m *Image) (float32, bool) { return float32(of(m.Class)), true }}
	}
	facts := []Fact{
		number(func(int) float64 { return random.NormFloat64() }),
		number(func(class int) float64 { return random.NormFloat64() + float64(class) }),
		number(func(class int) float64 { return float64(random.IntN(4) + class) }),
		number(func(class int) float64 { return math.Abs(random.NormFloat64()) * float64(1+3*class) }),
		number(func(class int) float64 { return 1 + 1e-6*float64(random.IntN(3)+class) }), // hardly more than a float32 tells
		number(func(class int) float64 { return float64(class) }),
		number(func(class int) float64 { return float64(random.IntN(2)) }),
		{Name: "word", word: func(m *Image) (string, bool) { return fmt.Sprint(random.IntN(40 + 20*m.Class)), true }},
		{Name: "word", word: func(m *Image) (string, bool) { return fmt.Sprint(random.IntN(3)), true }},
		{Name: "word", word: func(m *Image) (string, bool) { return fmt.Sprint((random.IntN(3) + m.Class) % 5), true }},
	}
	var columns [][]sklearnFold
	var ours []float64
	for _, size := range []int{60, 201, 2000} {
		for _, f := range facts {
			images := make([]*Image, size)
			for i := range images {
				images[i] = &Image{Class: min(random.IntN(3), 1)}
			}
			c := newView("", images).column(&f)
			auc, ok := c.predict()
			if !ok {
				t.Fatalf("%d images: no AUC", size)
			}
			var byFold []sklearnFold
			for k := range folds {
				var s sklearnFold
				train, test := c.split(k)
				s.X, s.Y = unroll(train)
				s.U, s.V = unroll(test)
				byFold = append(byFold, s)
			}
			columns, ours = append(columns, byFold), append(ours, auc)
		}
	}
	file := filepath.Join(t.TempDir(), "columns.json")
	raw, err := json.Marshal(columns)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	var theirs []float64
	if err := json.Unmarshal(testenv.RunPython(t, sklearnAUC, file), &theirs); err != nil {
		t.Fatal(err)
	}
	for i, want := range theirs {
		if math.Abs(ours[i]-want) > 1e-12 {
			t.Errorf("column %d: AUC %v, scikit-learn's %v", i, ours[i], want)
		}
	}
}

// Folds hold every class evenly, and every image once.
func TestFoldsAreStratified(t *testing.T) {
	var images []*Image
	for i := range 103 {
		images = append(images, &Image{Class: i%3 - 1})
	}
	v := newView("", images)
	var counts [folds][2]int
	for i, m := range v.images {
		counts[v.fold[i]][m.Class]++
	}
	for _, n := range counts {
		for class := range n {
			if n[class] < 6 || n[class] > 7 { // 35 and 34 images
				t.Errorf("folds: %v", counts)
			}
		}
	}
}
