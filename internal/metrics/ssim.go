package metrics

import "math"

// Constants of SSIM for maps in [0,1]: (K1 L)^2 and (K2 L)^2 with K1 = .01, K2 = .03 and L = 1.
const (
	ssimC1 = 0.01 * 0.01
	ssimC2 = 0.03 * 0.03
)

// ssimWindow is the side of SSIM's window in cells; a smaller map has the largest odd one that fits.
const ssimWindow = 7

// Structure is a map with what SSIM needs to know of it, so that many pairs cost little. It keeps no reference to the map.
type Structure struct {
	h, w, side     int
	cells          []float64
	mean, variance []float64 // of each window that lies within the map
}

// NewStructure prepares a map of h x w cells in [0,1], row by row.
func NewStructure(m []float64, h, w int) Structure {
	side := min(ssimWindow, h, w)
	side -= 1 - side%2
	s := Structure{h: h, w: w, side: side, cells: append([]float64(nil), m...)}
	squares := make([]float64, len(m))
	for i, v := range m {
		squares[i] = v * v
	}
	s.mean, s.variance = s.windows(m), s.windows(squares)
	for i, mean := range s.mean {
		s.variance[i] = s.sample(s.variance[i] - mean*mean)
	}
	return s
}

// SSIM is the structural similarity of two maps in [0,1] of the same size, in [-1,1], 1 for equal ones (Wang et al., "Image
// quality assessment: from error visibility to structural similarity", IEEE TIP 2004): the mean over all windows of 7x7
// cells that lie within the maps, each cell of a window weighing the same, with the sample's variances, as scikit-image
// computes it by default. On a grid of 7x7 cells there is one window.
func (a Structure) SSIM(b Structure) float64 {
	if a.h != b.h || a.w != b.w {
		sameSize(a.cells, b.cells)
		panic("metrics: maps of different shapes")
	}
	products := make([]float64, len(a.cells))
	for i, v := range a.cells {
		products[i] = v * b.cells[i]
	}
	sum := 0.0
	joint := a.windows(products)
	for i, mean := range joint {
		ma, mb := a.mean[i], b.mean[i]
		covariance := a.sample(mean - ma*mb)
		sum += (2*ma*mb + ssimC1) * (2*covariance + ssimC2) / ((ma*ma + mb*mb + ssimC1) * (a.variance[i] + b.variance[i] + ssimC2))
	}
	return sum / float64(len(joint))
}

// sample turns a window's population moment into the sample's; a window of one cell has none.
func (a Structure) sample(moment float64) float64 {
	n := float64(a.side * a.side)
	return moment * n / math.Max(n-1, 1)
}

// windows are the means of a map's windows, row by row, by a table of sums.
func (a Structure) windows(m []float64) []float64 {
	row := a.w + 1
	sums := make([]float64, (a.h+1)*row)
	for y := range a.h {
		line := 0.0
		for x := range a.w {
			line += m[y*a.w+x]
			sums[(y+1)*row+x+1] = sums[y*row+x+1] + line
		}
	}
	out := make([]float64, 0, (a.h-a.side+1)*(a.w-a.side+1))
	for y := a.side; y <= a.h; y++ {
		for x := a.side; x <= a.w; x++ {
			sum := sums[y*row+x] - sums[(y-a.side)*row+x] - sums[y*row+x-a.side] + sums[(y-a.side)*row+x-a.side]
			out = append(out, sum/float64(a.side*a.side))
		}
	}
	return out
}
