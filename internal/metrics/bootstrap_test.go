package metrics

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A replicate is what the metrics of the drawn images themselves are, an image as often as it was drawn.
func TestAReplicateIsTheMetricOfTheDrawnImages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(4, 60).Draw(t, "images")
		classes := rapid.SliceOfN(rapid.IntRange(0, 1), n, n).Draw(t, "classes")
		levels := rapid.SliceOfN(rapid.IntRange(0, 9), n, n).Draw(t, "scores")
		copy(classes, []int{Real, Synthetic, Synthetic, Real})
		scores := make([]float64, n)
		for i, l := range levels {
			scores[i] = float64(l) / 9
		}
		grid := Grid(11)
		got, err := Rank(classes, scores).Bootstrap(context.Background(), 3, 7, grid)
		if err != nil {
			t.Fatal(err)
		}
		var places [2][]int
		for i, class := range classes {
			places[class] = append(places[class], i)
		}
		order := append(slices.Clone(places[Real]), places[Synthetic]...)
		for k := range got.AUC {
			counts := make([]uint8, n)
			draw(rand.NewPCG(7, uint64(k)), counts, len(places[Real]))
			var c []int
			var s []float64
			for place, count := range counts {
				for range count {
					c, s = append(c, classes[order[place]]), append(s, scores[order[place]])
				}
			}
			if len(c) != n {
				t.Fatalf("%d images were drawn of %d", len(c), n)
			}
			r := Rank(c, s).ROC()
			if math.Abs(got.AUC[k]-area(r)) > 1e-12 {
				t.Fatalf("AUC %v, want %v", got.AUC[k], area(r))
			}
			for i, fpr := range grid {
				if math.Abs(got.TPR[k][i]-r.At(fpr)) > 1e-9 && !slices.ContainsFunc(r.FPR, func(v float64) bool { return math.Abs(v-fpr) < 1e-12 }) {
					t.Fatalf("TPR at %v: %v, want %v", fpr, got.TPR[k][i], r.At(fpr))
				}
			}
		}
	})
}

func TestTheBootstrapIsTheSameOnAnyNumberOfCoresAndAgreesWithDeLong(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	n := 4000
	classes, scores := make([]int, n), make([]float64, n)
	for i := range n {
		classes[i], scores[i] = i%2, random.NormFloat64()+float64(i%2)
	}
	r := Rank(classes, scores)
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	one, err := r.Bootstrap(context.Background(), 400, 5, Grid(5))
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(3)
	three, err := r.Bootstrap(context.Background(), 400, 5, Grid(5))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(one.AUC, three.AUC) || !slices.EqualFunc(one.TPR, three.TPR, slices.Equal[[]float64]) {
		t.Error("one core and three give different replicates")
	}
	mean, variance := moments(one.AUC, 1)
	e := r.Placements().Estimate()
	if math.Abs(mean-e.Value) > 4*e.SE/20 || math.Abs(math.Sqrt(variance)/e.SE-1) > 0.15 { // the error of 400 replicates is 3.5 %
		t.Errorf("bootstrap %v +- %v, DeLong %v +- %v", mean, math.Sqrt(variance), e.Value, e.SE)
	}
}

// What looks exact for want of images has no interval.
func TestNoIntervalWithoutSpread(t *testing.T) {
	for name, c := range map[string]struct {
		classes    []int
		scores     []float64
		replicates int
	}{
		"one real image":      {[]int{0, 1, 1, 1}, []float64{0.5, 0.2, 0.6, 0.7}, 0},
		"one synthetic image": {[]int{0, 0, 0, 1}, []float64{0.5, 0.2, 0.6, 0.55}, 0},
		"one of each":         {[]int{0, 1}, []float64{0.1, 0.2}, 0},
		"a perfect detector":  {[]int{0, 0, 1, 1}, []float64{0.1, 0.2, 0.8, 0.9}, 5},
		"always wrong":        {[]int{1, 1, 0, 0}, []float64{0.1, 0.2, 0.8, 0.9}, 5},
	} {
		r := Rank(c.classes, c.scores)
		e := r.Placements().Estimate()
		if low, high := e.Interval(); !math.IsNaN(low) || !math.IsNaN(high) || !math.IsNaN(e.P()) {
			t.Errorf("%s: AUC %v from %v to %v", name, e.Value, low, high)
		}
		drawn, err := r.Bootstrap(context.Background(), 5, 1, Grid(3))
		if err != nil || len(drawn.AUC) != c.replicates {
			t.Errorf("%s: %d replicates, want %d: %v", name, len(drawn.AUC), c.replicates, err)
		}
	}
}

func TestEveryImageIsDrawnAlike(t *testing.T) {
	counts, sums := make([]uint8, 10), make([]float64, 10)
	for k := range 20000 {
		draw(rand.NewPCG(3, uint64(k)), counts, 3)
		for i, c := range counts {
			sums[i] += float64(c)
		}
	}
	for i, sum := range sums { // mean 1, variance near 1: 4 standard errors are .03
		if math.Abs(sum/20000-1) > 0.03 {
			t.Errorf("image %d was drawn %v times a replicate", i, sum/20000)
		}
	}
}

// Sorting goes by the numbers, whatever their signs and sizes.
func TestRankSortsNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rapid.SliceOf(rapid.Float64()).Draw(t, "scores")
		scores = append(scores, 0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1))
		want := slices.Clone(scores)
		slices.Sort(want)
		slices.Reverse(want)
		want = slices.Compact(want)
		if got := Rank(make([]int, len(scores)), scores).scores; !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func FuzzPlainFieldsAreThoseOfAnyCSV(f *testing.F) {
	for _, text := range []string{"path,label,score\na,Real,1\r\n\nb,Spoof,0.5", "path,label,score\r\n,,1\n", "a,b\n", "path,label,score\n\r\na,b,c,d\n", "\r", "a,b,c\r\r\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, `"`) {
			return
		}
		type row struct {
			line    int
			a, b, c string
		}
		read := func(split func([]byte, func(int, []byte, []byte, []byte) error) error) (rows []row, failed bool) {
			err := split([]byte(text), func(line int, a, b, c []byte) error {
				rows = append(rows, row{line, string(a), string(b), string(c)})
				return nil
			})
			return rows, err != nil
		}
		plain, plainFailed := read(plainFields)
		any, anyFailed := read(quotedFields)
		if !slices.Equal(plain, any) || plainFailed != anyFailed {
			t.Errorf("%q: %v (failed: %v), encoding/csv %v (%v)", text, plain, plainFailed, any, anyFailed)
		}
	})
}

func TestPoolCountsSharedImagesOnce(t *testing.T) {
	real := Columns{Paths: []uint64{1, 2}, Classes: []uint8{0, 0}, Scores: []float64{0.1, 0.4}}
	with := func(c Columns, path uint64, score float64) Columns {
		return Columns{append(slices.Clone(c.Paths), path), append(slices.Clone(c.Classes), 1), append(slices.Clone(c.Scores), score)}
	}
	a, b := with(real, 10, 0.9), with(real, 11, 0.8)
	b.Scores[0] += 1e-6 // another batch
	if got := Pool([]Columns{a, b}); !slices.Equal(got.Paths, []uint64{1, 2, 10, 11}) {
		t.Errorf("pooled images %v", got.Paths)
	}
	b.Scores[1] = 0.9 // an image of another folder with the same name
	if got := Pool([]Columns{a, b}); len(got.Paths) != 6 {
		t.Errorf("pooled images %v, want all six", got.Paths)
	}
	if a.List() == b.List() || a.List() != with(real, 10, 0.3).List() {
		t.Error("lists are told apart by paths and classes alone")
	}
}
