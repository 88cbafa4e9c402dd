package metrics

import (
	"fmt"
	"math"
)

// The measures below are the usual ones of saliency benchmarks (Bylinskii et al., "What do different evaluation metrics
// tell us about saliency models?", TPAMI 2019), the pointing game (Zhang et al., "Top-down Neural Attention by Excitation
// Backprop", ECCV 2016) and the entropy of a map. Maps are flat, row by row, and of the same size. Points are the flat
// indices of cells that people marked or fixated.

// MapNames are the measures of one CAM, in the order in which tables show them. All but the entropy compare it with a
// human map.
var MapNames = []string{"cc", "sim", "kl", "nss", "auc_judd", "entropy", "pointing"}

// CompareMaps computes MapNames, in their order, of a CAM in unit range and the human map of the same cells, which is
// brought to unit range here; points are its cells from share of that range on (see Marked). human is nil where the image
// has none. What is undefined is NaN: everything for a constant CAM, all but the entropy without a human map or for a
// constant one.
func CompareMaps(cam, human []float64, share float64) []float64 {
	values := make([]float64, len(MapNames))
	for i := range values {
		values[i] = math.NaN()
	}
	if constant(cam) {
		return values
	}
	values[5] = Entropy(cam)
	if h := UnitRange(human); h != nil {
		points := Marked(h, share)
		values[0], values[1], values[2] = Correlation(cam, h), Similarity(cam, h), KL(cam, h)
		values[3], values[4], values[6] = NSS(cam, points), AUCJudd(cam, points), Pointing(cam, points)
	}
	return values
}

// Marked are the cells of a map whose value is at least that share of the way from its minimum to its maximum, share in
// (0,1]: the points that a human map stands for where no clicks or fixations are at hand. The definition is ours. A constant
// map has none.
func Marked(m []float64, share float64) (points []int) {
	for i, v := range UnitRange(m) {
		if v >= share {
			points = append(points, i)
		}
	}
	return points
}

// Correlation is Pearson's linear correlation of two maps, in [-1,1]; NaN where one of them is constant.
func Correlation(a, b []float64) float64 {
	sameSize(a, b)
	ma, va := moments(a, 0)
	mb, vb := moments(b, 0)
	if constant(a) || constant(b) {
		return math.NaN()
	}
	sum := 0.0
	for i := range a {
		sum += (a[i] - ma) * (b[i] - mb)
	}
	return sum / float64(len(a)) / math.Sqrt(va*vb)
}

// Similarity (SIM) is the histogram intersection of two maps, each scaled to [0,1] and then to sum 1: in [0,1], 1 for
// equal maps; NaN where one of them is constant.
func Similarity(a, b []float64) float64 {
	sameSize(a, b)
	p, q := unitSum(UnitRange(a)), unitSum(UnitRange(b))
	if p == nil || q == nil {
		return math.NaN()
	}
	sum := 0.0
	for i := range p {
		sum += math.Min(p[i], q[i])
	}
	return sum
}

// KL is the divergence of a map from the human one, sum q ln(e + q/(p+e)) with both scaled to sum 1, q the human map's
// and e = 2^-52, in nats. NaN where a map has a negative cell or sums to nothing.
func KL(m, human []float64) float64 {
	sameSize(m, human)
	const epsilon = 0x1p-52
	p, q := unitSum(m), unitSum(human)
	if p == nil || q == nil {
		return math.NaN()
	}
	sum := 0.0
	for i := range p {
		sum += q[i] * math.Log(epsilon+q[i]/(p[i]+epsilon))
	}
	return sum
}

// NSS (normalised scanpath saliency) is the mean at the fixated cells of the map scaled to mean 0 and population standard
// deviation 1. Fixations are flat indices; a cell fixated twice counts twice. NaN where the map is constant or nothing is
// fixated.
func NSS(m []float64, fixations []int) float64 {
	mean, variance := moments(m, 0)
	if constant(m) || len(fixations) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, cell := range fixations {
		sum += (m[cell] - mean) / math.Sqrt(variance)
	}
	return sum / float64(len(fixations))
}

// AUCJudd is the area under the ROC of a map's cells, those with points against all others (Judd et al., "Learning to
// predict where humans look", ICCV 2009), a tie counting one half: what the random jitter of other programs comes to on
// average. It is the exact area; code that joins the thresholds of the points alone by straight lines gives up to half a
// point's share more, which is much where there are few cells. NaN where the map is constant, no cell has a point or all do.
func AUCJudd(m []float64, points []int) float64 {
	if constant(m) {
		return math.NaN()
	}
	classes := make([]int, len(m))
	for _, cell := range points {
		classes[cell] = 1
	}
	return Rank(classes, m).AUC()
}

// Pointing is the pointing game on one map: 1 where its largest cell has a point, else 0, without the margin in pixels that
// the paper allows around a region. Of several largest cells it is the share that has one. NaN where the map is constant or
// there are no points.
func Pointing(m []float64, points []int) float64 {
	if constant(m) || len(points) == 0 {
		return math.NaN()
	}
	_, high := extent(m)
	marked := map[int]bool{}
	for _, cell := range points {
		marked[cell] = true
	}
	largest, hits := 0.0, 0.0
	for cell, v := range m {
		if v != high {
			continue
		}
		largest++
		if marked[cell] {
			hits++
		}
	}
	return hits / largest
}

// Entropy is Shannon's of a map scaled to sum 1, -sum p ln p, in nats: from 0 (one cell has all) to ln(cells) (a constant
// map). NaN where the map has a negative cell or sums to nothing.
func Entropy(m []float64) float64 {
	p := unitSum(m)
	if p == nil {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range p {
		if v > 0 {
			sum -= v * math.Log(v)
		}
	}
	return sum
}

// unitSum scales a map to sum 1; nil where it has a negative cell, a NaN, or sums to nothing.
func unitSum(m []float64) []float64 {
	sum := 0.0
	for _, v := range m {
		if !(v >= 0) {
			return nil
		}
		sum += v
	}
	if !(sum > 0) || math.IsInf(sum, 1) {
		return nil
	}
	out := make([]float64, len(m))
	for i, v := range m {
		out[i] = v / sum
	}
	return out
}

func constant(m []float64) bool {
	low, high := extent(m)
	return !(high > low)
}

func sameSize(a, b []float64) {
	if len(a) != len(b) {
		panic(fmt.Sprintf("metrics: maps of %d and %d cells", len(a), len(b)))
	}
}

// UnitRange scales values to [0,1]; nil where all are equal.
func UnitRange(values []float64) []float64 {
	low, high := extent(values)
	if !(high > low) {
		return nil
	}
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = (v - low) / (high - low)
	}
	return out
}

func extent(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	return low, high
}
