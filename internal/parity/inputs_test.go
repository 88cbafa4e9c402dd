//go:build slow

package parity

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// row is a line of an authors' list: split, label, path.
type row struct{ split, label, path string }

func rows(t *testing.T, list string) []row {
	t.Helper()
	raw, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	var all []row
	for line := range strings.Lines(string(raw)) {
		cells := strings.SplitN(strings.TrimRight(line, "\r\n"), ",", 3)
		if len(cells) != 3 {
			t.Fatalf("%s: %q is no row", list, line)
		}
		all = append(all, row{cells[0], cells[1], cells[2]})
	}
	return all
}

// alternate is n rows of a split, real and synthetic in turn.
func alternate(t *testing.T, list, split string, n int) []row {
	t.Helper()
	byLabel := map[string][]row{}
	for _, r := range rows(t, list) {
		if r.split == split {
			byLabel[r.label] = append(byLabel[r.label], r)
		}
	}
	var picked []row
	for i := range n {
		label := []string{"Real", "Synthetic"}[i%2]
		if i/2 >= len(byLabel[label]) {
			t.Fatalf("%s: %d rows of %s alone cannot be taken", list, n, split)
		}
		picked = append(picked, byLabel[label][i/2])
	}
	return picked
}

func (w *world) write(name string, rows []row) {
	w.t.Helper()
	var text strings.Builder
	for _, r := range rows {
		text.WriteString(r.split + "," + r.label + "," + r.path + "\n")
	}
	w.put(name, text.String())
}

// simulateMaps draws one soft spot on each image's map. Every seventh image has no map, and one map is constant: the term
// leaves out the former and takes the latter as zeros.
func (w *world) simulateMaps(rows []row) {
	w.t.Helper()
	if err := os.Mkdir(w.path("maps"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i, r := range rows {
		if i%7 == 6 {
			continue
		}
		x, y, spread := 20+88*random.Float64(), 20+88*random.Float64(), 12+16*random.Float64()
		if i == 3 {
			spread = math.Inf(1)
		}
		w.draw(filepath.Join("maps", strings.TrimSuffix(path.Base(r.path), path.Ext(r.path))+".png"), x, y, spread)
	}
}

// draw writes a grey picture of 128 x 128 pixels, the photographs' size, with a Gaussian spot.
func (w *world) draw(name string, x, y, spread float64) {
	w.t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 128, 128))
	for v := range 128 {
		for u := range 128 {
			d := (math.Pow(float64(u)-x, 2) + math.Pow(float64(v)-y, 2)) / (2 * spread * spread)
			picture.SetGray(u, v, color.Gray{Y: uint8(math.Round(255 * math.Exp(-d)))})
		}
	}
	file, err := os.Create(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := png.Encode(file, picture); err != nil {
		w.t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		w.t.Fatal(err)
	}
}
