// Package packtest makes packed data sets for tests.
package packtest

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/pack"
)

// Noise packs count images of noise, Real and Synthetic in turn, with maps of these names on a grid of grid x grid cells;
// every third image has none. Synthetic images are brighter, so that there is something to learn. It returns the file.
func Noise(t testing.TB, seed uint64, count, side, grid int, maps ...string) string {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	h := pack.Header{Side: side, GridH: grid, GridW: grid}
	has := make([]bool, count)
	for i := range count {
		label := []string{"Real", "Synthetic"}[i%2]
		h.Rows = append(h.Rows, pack.Row{Path: fmt.Sprintf("images/%d_%03d.png", seed, i), Label: label, Class: i % 2})
		has[i] = i%3 != 2
	}
	for _, name := range maps {
		h.Maps = append(h.Maps, pack.MapInfo{Name: name, Simulated: true, Has: pack.BitsOf(has)})
	}
	path := filepath.Join(t.TempDir(), "data.pack")
	w, err := pack.Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	noise := func(n, from, width int) []byte {
		out := make([]byte, n)
		for i := range out {
			out[i] = byte(from + random.IntN(width))
		}
		return out
	}
	for i := range count {
		if err := w.WriteImage(i, noise(side*side*3, 60*(i%2), 190)); err != nil {
			t.Fatal(err)
		}
		for _, name := range maps {
			if !has[i] {
				continue
			}
			if err := w.WriteMap(name, i, noise(grid*grid, 0, 256), noise(side*side, 0, 256)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return path
}
