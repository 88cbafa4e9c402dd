package plot

import (
	"bytes"
	"encoding/xml"
	"flag"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden figures of testdata")

func figures() map[string]interface {
	figure
	SVG() []byte
	PNG() ([]byte, error)
} {
	curve := func(n int, power float64) (x, y, sd []float64) {
		for i := range n {
			v := float64(i) / float64(n-1)
			x, y, sd = append(x, v), append(y, math.Pow(v, power)), append(sd, 0.1*v*(1-v)*4)
		}
		return x, y, sd
	}
	x0, y0, sd0 := curve(21, 0.7)
	x1, y1, sd1 := curve(21, 0.2)
	return map[string]interface {
		figure
		SVG() []byte
		PNG() ([]byte, error)
	}{
		"roc": Lines{Title: "ROC", XLabel: "False positive rate", YLabel: "True positive rate", X: Range{0, 1}, Y: Range{0, 1},
			Diagonal: "chance", Square: true, Series: []Line{
				{Name: "cross_entropy, AUC 0.61", Number: 0, X: x0, Y: y0, SD: sd0},
				{Name: "cyborg, AUC 0.90", Number: 1, X: x1, Y: y1, SD: sd1}}},
		"learning": Lines{Title: "Loss", XLabel: "Epoch", YLabel: "Loss", Whole: true, Solid: "validation", Dashed: "training",
			Series: []Line{
				{Name: "a<b & \"c\"", Number: 2, X: []float64{1, 2, 3, 4}, Y: []float64{0.7, math.NaN(), 0.4, 0.3}, SD: []float64{0.1, 0.1, 0.1, 0.1}},
				{Number: 2, X: []float64{1, 2, 3, 4}, Y: []float64{0.6, 0.5, 0.2, 0.1}, Dashed: true}}},
		"reliability": Lines{Title: "Reliability", XLabel: "Score", YLabel: "Share", X: Range{0, 1}, Y: Range{0, 1}, Diagonal: "calibrated", Square: true,
			Series: []Line{{Name: "cyborg", Number: 1, X: []float64{0.1, 0.5, 0.9}, Y: []float64{0.2, 0.4, 0.8}, Points: true,
				Low: []float64{0.1, 0.3, 0.7}, High: []float64{0.3, math.NaN(), 0.9}}}},
		"dots": Dots{Title: "AUC", YLabel: "AUC", Limits: Range{0, 1}, Reference: 0.5, Names: []string{"cross_entropy", "cyborg"},
			Numbers: []int{0, 1}, Groups: []Group{
				{Name: "u1", Values: [][]float64{{0.45, 0.6, 0.7}, {0.9, 0.95, math.NaN()}}},
				{Name: "mean", Strong: true, Values: [][]float64{{0.65}, nil}}}},
		"empty": Lines{Title: "Nothing", XLabel: "x", YLabel: "y"},
	}
}

func TestFiguresAreAsReviewed(t *testing.T) {
	for name, f := range figures() {
		path := filepath.Join("testdata", name+".svg")
		got := f.SVG()
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is drawn differently; look at it, and write it with -update if it is right", path)
		}
	}
}

func TestSVGIsWellFormedAndRefersToNothing(t *testing.T) {
	for name, f := range figures() {
		text := f.SVG()
		decoder := xml.NewDecoder(bytes.NewReader(text))
		for {
			if _, err := decoder.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, word := range []string{"href", "url(", "<script", " id=", "NaN", "Inf"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
}

func TestPNGIsTheSameTwiceAndOfTheFiguresSize(t *testing.T) {
	for name, f := range figures() {
		first, err := f.PNG()
		if err != nil {
			t.Fatal(err)
		}
		second, err := f.PNG()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("%s: two drawings differ", name)
		}
		picture, err := png.Decode(bytes.NewReader(first))
		if err != nil {
			t.Fatal(err)
		}
		w, h := f.size()
		if got := picture.Bounds().Size(); got.X != int(w*density) || got.Y != int(h*density) {
			t.Errorf("%s: %v pixels for a figure of %v x %v", name, got, w, h)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		r        Range
		n        int
		want     []float64
		decimals int
	}{
		{Range{0, 1}, 5, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}, 1},
		{Range{0.42, 1}, 5, []float64{0.6, 0.8, 1}, 1},
		{Range{1, 40}, 6, []float64{10, 20, 30, 40}, 0},
		{Range{-0.003, 0.003}, 3, []float64{-0.002, 0, 0.002}, 3},
		{Range{1, 1}, 3, nil, 0},
	} {
		got, decimals := c.r.ticks(c.n)
		if len(got) != len(c.want) || decimals != c.decimals {
			t.Errorf("%v in %d: %v with %d decimals, want %v with %d", c.r, c.n, got, decimals, c.want, c.decimals)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-12 {
				t.Errorf("%v: tick %v, want %v", c.r, got[i], c.want[i])
			}
		}
	}
}

func TestTheBaselineIsGreyAndTheOthersKeepTheirOrder(t *testing.T) {
	got := Numbers([]string{"cyborg", "cross_entropy", "shuffled"}, "cross_entropy")
	if got["cross_entropy"] != 0 || got["cyborg"] != 1 || got["shuffled"] != 2 {
		t.Errorf("numbers: %v", got)
	}
}

func TestSeriesOfOneColourDifferInMarkerAndDash(t *testing.T) {
	seen := map[string]int{}
	for n := range 28 {
		key := series(n).hex + path(shape(n, point{}, 1))
		if other, twice := seen[key]; twice {
			t.Errorf("series %d and %d have the same colour and marker", other, n)
		}
		seen[key] = n
		if dash := repeated(n); (dash == nil) != (n < 7) {
			t.Errorf("series %d: dash %v", n, dash)
		}
	}
}

// Curves carry their markers where there are more than colours alone tell apart, each at places of its own.
func TestManyCurvesAreMarked(t *testing.T) {
	x, y := []float64{0, 0.5, 1}, []float64{0, 0.9, 1}
	for n, want := range map[int]int{3: 0, 4: 4 * 6} { // five along the curve, one in the legend
		f := Lines{X: Range{0, 1}, Y: Range{0, 1}}
		for i := range n {
			f.Series = append(f.Series, Line{Name: strings.Repeat("x", i+1), Number: i, X: x, Y: y})
		}
		if got := strings.Count(string(f.SVG()), `Z" fill`) - 1; got != want { // the paper is an area too
			t.Errorf("%d curves have %d markers, want %d", n, got, want)
		}
	}
	at := along([]point{{0, 0}, {0, 0}, {3, 0}, {3, 7}}, 5, 0.5)
	if len(at) != 5 || at[4].x != 3 || !(at[4].y > at[3].y) {
		t.Errorf("places %v", at)
	}
}

func TestDotsGoOnInAFurtherRow(t *testing.T) {
	d := Dots{Width: 520, Names: []string{"a", "b", "c", "d"}, Numbers: []int{0, 1, 2, 3}, Reference: math.NaN()}
	for range 7 {
		d.Groups = append(d.Groups, Group{Name: "g", Values: [][]float64{{0.1}, {0.2}, {0.3}, {0.4}}})
	}
	w, h := d.size()
	if each, rows := d.rows(); each != 4 || rows != 2 || w != 520 {
		t.Errorf("%d groups in each of %d rows, %v pixels wide", each, rows, w)
	}
	if text := string(d.SVG()); strings.Count(text, ">g</text>") != 7 || strings.Contains(text, "NaN") {
		t.Errorf("a figure of %v x %v:\n%s", w, h, text)
	}
	d.Width = 0
	if _, rows := d.rows(); rows != 1 {
		t.Errorf("%d rows where the width has no bound", rows)
	}
}
