package metrics

import (
	"math"
	"math/bits"
	"slices"
)

// Ranking is one evaluation in the order of its scores, sorted once: every metric that goes by the order is read off it.
// Where a score is NaN there is no order; the ranking is then empty, and all that is read off it undefined.
type Ranking struct {
	Real, Synthetic int // images of each class

	scores []float64 // the distinct ones, highest first
	alarms []uint32  // real images at each of them or above
	hits   []uint32  // synthetic images at each of them or above

	// The images, highest score first: each one's place among the images of its class in the order of the list, real ones
	// counted first, so that places run from 0 to n-1; the highest bit marks the last image of a distinct score.
	places []uint32
}

const last = 1 << 31

// Rank sorts an evaluation in O(n): scores [n], classes [n] 0 or 1, fewer than 2^31 of them.
func Rank[C ~int | ~uint8](classes []C, scores []float64) *Ranking {
	check(classes, scores)
	r := &Ranking{}
	if anyNaN(scores) {
		return r
	}
	for _, class := range classes {
		r.Synthetic += int(class)
	}
	r.Real = len(classes) - r.Synthetic
	items := make([]item, len(scores))
	next := [2]uint32{Synthetic: uint32(r.Real)}
	for i, score := range scores {
		class := classes[i]
		items[i] = item{descending(score), next[class]}
		next[class]++
	}
	items = radixSort(items)
	r.places = make([]uint32, len(items))
	distinct := 0
	for i, it := range items {
		r.places[i] = it.place
		if i+1 == len(items) || items[i+1].key != it.key {
			r.places[i] |= last
			distinct++
		}
	}
	r.corners(items, distinct)
	return r
}

// corners counts both classes down to each distinct score.
func (r *Ranking) corners(items []item, distinct int) {
	r.scores, r.alarms, r.hits = make([]float64, 0, distinct), make([]uint32, 0, distinct), make([]uint32, 0, distinct)
	synthetic := uint32(0)
	for i, place := range r.places {
		if int(place&^last) >= r.Real {
			synthetic++
		}
		if place&last != 0 {
			r.scores = append(r.scores, score(items[i].key))
			r.alarms = append(r.alarms, uint32(i+1)-synthetic)
			r.hits = append(r.hits, synthetic)
		}
	}
}

// both says whether there are images of both classes.
func (r *Ranking) both() bool { return r.Real > 0 && r.Synthetic > 0 }

// at gives the error rates of the threshold that is the i-th distinct score.
func (r *Ranking) at(i int) Rates {
	return Rates{
		APCER: float64(r.Synthetic-int(r.hits[i])) / float64(r.Synthetic),
		BPCER: float64(r.alarms[i]) / float64(r.Real),
	}
}

// ErrorsAt measures both error rates at threshold t, score >= t being flagged as Synthetic.
func (r *Ranking) ErrorsAt(t float64) Rates {
	flagged, _ := slices.BinarySearchFunc(r.scores, t, func(score, t float64) int {
		if score >= t {
			return -1
		}
		return 1
	}) // distinct scores at t or above
	if flagged == 0 {
		return Rates{APCER: share(r.Synthetic, r.Synthetic), BPCER: share(0, r.Real)}
	}
	return Rates{
		APCER: share(r.Synthetic-int(r.hits[flagged-1]), r.Synthetic),
		BPCER: share(int(r.alarms[flagged-1]), r.Real),
	}
}

// share is part/whole; NaN of nothing.
func share(part, whole int) float64 { return float64(part) / float64(whole) }

// item is a score as a whole number that sorts as the scores do, from the highest to the lowest, and its image.
type item struct {
	key   uint64
	place uint32
}

// descending maps a number to bits whose order as whole numbers is the reverse of the numbers' (Herf, "Radix tricks", 2001,
// inverted). Both zeros are the same.
func descending(v float64) uint64 {
	b := math.Float64bits(v + 0) // -0 becomes 0
	if b>>63 != 0 {
		return b
	}
	return ^b &^ (1 << 63)
}

// score is the number that descending mapped.
func score(key uint64) float64 {
	if key>>63 != 0 {
		return math.Float64frombits(key)
	}
	return math.Float64frombits(^key &^ (1 << 63))
}

// radixSort sorts by key, keeping the order of equal ones: 11 bits at a time, from the lowest, leaving out those in which all
// keys agree. It may return either of two buffers, one of which is the argument.
func radixSort(items []item) []item {
	const digit = 11
	var differ uint64
	for _, it := range items {
		differ |= it.key ^ items[0].key
	}
	other := make([]item, len(items))
	for shift := bits.TrailingZeros64(differ); shift < bits.Len64(differ); shift += digit {
		var starts [1 << digit]int
		for _, it := range items {
			starts[it.key>>shift&(1<<digit-1)]++
		}
		sum := 0
		for d, n := range starts {
			starts[d], sum = sum, sum+n
		}
		for _, it := range items {
			d := it.key >> shift & (1<<digit - 1)
			other[starts[d]] = it
			starts[d]++
		}
		items, other = other, items
	}
	return items
}
