package annotation

import (
	"math"
	"math/bits"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Pair is how far two annotators agree on an image; a value is NaN where it is not defined.
type Pair struct {
	CC  float64 // Pearson's correlation of the two maps over the pixels; NaN where one is constant
	IoU float64 // of what the two marked, the share that both did; NaN where neither marked anything
}

// Pairs compares each annotator's map with each later one. Marked is what has at least half of the largest value of its
// map.
func Pairs(maps []*Map) (pairs []Pair) {
	standard := make([][]float64, len(maps)) // of mean 0 and length 1
	marked := make([]bitset, len(maps))
	for k, m := range maps {
		standard[k], marked[k] = standardise(m.V), halfMarked(m)
	}
	for a := range maps {
		for b := a + 1; b < len(maps); b++ {
			p := Pair{CC: math.NaN(), IoU: math.NaN()}
			if standard[a] != nil && standard[b] != nil {
				p.CC = floats.Dot(standard[a], standard[b])
			}
			both, either := 0, 0
			for i, v := range marked[a] {
				both += bits.OnesCount64(v & marked[b][i])
				either += bits.OnesCount64(v | marked[b][i])
			}
			if either > 0 {
				p.IoU = float64(both) / float64(either)
			}
			pairs = append(pairs, p)
		}
	}
	return pairs
}

func standardise(values []float64) []float64 {
	if slices.Max(values) == slices.Min(values) {
		return nil
	}
	out := slices.Clone(values)
	floats.AddConst(-floats.Sum(values)/float64(len(values)), out)
	floats.Scale(1/math.Sqrt(floats.Dot(out, out)), out)
	return out
}

// bitset has a bit for each pixel.
type bitset []uint64

func halfMarked(m *Map) bitset {
	level, out := m.Max()/2, make(bitset, (len(m.V)+63)/64)
	for i, v := range m.V {
		if v > 0 && v >= level {
			out[i/64] |= 1 << (i % 64)
		}
	}
	return out
}

// MeanPair is the mean over pairs, of each value over those where it is defined; NaN where it nowhere is.
func MeanPair(pairs []Pair) (mean Pair) {
	var cc, iou []float64
	for _, p := range pairs {
		cc, iou = append(cc, p.CC), append(iou, p.IoU)
	}
	return Pair{NaNMean(cc), NaNMean(iou)}
}

// NaNMean is the mean of the values that are not NaN; NaN where there are none.
func NaNMean(values []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	return sum / float64(n)
}

// Kappa is Fleiss' kappa (Psychological Bulletin 76, 1971) of answers: counts is, for each image, how many gave each answer.
// Images with fewer than two answers are left out; images may have different numbers of answers, the agreement of each
// then counts the same. It is NaN where all answers are the same, or none are left. Images is how many took part.
func Kappa(counts [][]int) (kappa float64, images int) {
	var totals []float64 // by answer
	all, agreement := 0.0, 0.0
	for _, row := range counts {
		n, same := 0, 0
		for _, c := range row {
			n += c
			same += c * (c - 1)
		}
		if n < 2 {
			continue
		}
		for j, c := range row {
			if j == len(totals) {
				totals = append(totals, 0)
			}
			totals[j] += float64(c)
		}
		all += float64(n)
		agreement += float64(same) / float64(n*(n-1))
		images++
	}
	chance := 0.0
	for _, total := range totals {
		chance += total / all * (total / all)
	}
	if images == 0 || chance == 1 {
		return math.NaN(), images
	}
	return (agreement/float64(images) - chance) / (1 - chance), images
}
