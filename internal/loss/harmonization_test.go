package loss_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
)

// levelsOf is the pyramid of one map by its definition, cell by cell.
func levelsOf(m [][]float64) [][][]float64 {
	mean, squares, count := 0.0, 0.0, float64(len(m)*len(m[0]))
	each := func(f func(v *float64)) {
		for y := range m {
			for x := range m[y] {
				f(&m[y][x])
			}
		}
	}
	each(func(v *float64) { mean += *v / count })
	each(func(v *float64) { squares += (*v - mean) * (*v - mean) / count })
	each(func(v *float64) { *v = math.Max(0, (*v-mean)/math.Sqrt(squares)) })
	all := [][][]float64{m}
	for len(all) < 5 && (len(m) > 1 || len(m[0]) > 1) {
		next := make([][]float64, (len(m)+1)/2)
		for y := range next {
			next[y] = make([]float64, (len(m[0])+1)/2)
			for x := range next[y] {
				sum, weights := 0.0, 0.0
				for dy, a := range []float64{1, 4, 6, 4, 1} {
					for dx, b := range []float64{1, 4, 6, 4, 1} {
						if r, c := 2*y+dy-2, 2*x+dx-2; r >= 0 && r < len(m) && c >= 0 && c < len(m[0]) {
							sum += a * b * m[r][c]
							weights += a * b
						}
					}
				}
				next[y][x] = sum / weights
			}
		}
		m = next
		all = append(all, m)
	}
	return all
}

func TestHarmonization(t *testing.T) {
	n := newNetwork(rand.New(rand.NewPCG(17, 18)), false)
	got, _, _ := n.evaluate(t, loss.Loss{{Name: "harmonization", Weight: 1, Map: "human", Class: loss.True, Tap: "pooled"}})
	const cells = netHeight * netWidth
	grid := func(cell func(i int) float64) [][]float64 {
		m := make([][]float64, netHeight)
		for i := range cells {
			m[i/netWidth] = append(m[i/netWidth], cell(i))
		}
		return m
	}
	want := 0.0
	for image, label := range map[int]int{0: 0, 1: 1, 3: 0} { // the third has no map
		cam := levelsOf(grid(func(i int) (sum float64) {
			for c := range netChannels {
				sum += n.weight[label*netChannels+c] * n.features[(image*netChannels+c)*cells+i]
			}
			return sum
		}))
		human := levelsOf(grid(func(i int) float64 { return n.human[image*cells+i] }))
		if len(cam) != 4 { // 4x5, 2x3, 1x2, 1x1
			t.Fatalf("%d levels", len(cam))
		}
		for l := range cam {
			sum, count := 0.0, 0.0
			for y := range cam[l] {
				for x := range cam[l][y] {
					sum += (cam[l][y][x] - human[l][y][x]) * (cam[l][y][x] - human[l][y][x])
					count++
				}
			}
			want += sum / count / float64(len(cam)) / 3
		}
	}
	near(t, "value", []float64{got}, []float64{want})
}
