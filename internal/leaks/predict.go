package leaks

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Prediction is how well one fact alone predicts the label.
type Prediction struct {
	Set  string  `json:"set"` // with the sets that it is scored with
	Fact string  `json:"fact"`
	AUC  float64 `json:"auc"`    // mean over the folds, of images that the tree was not grown on
	SD   float64 `json:"chance"` // the standard deviation of an AUC by chance, around 0.5
	Real int     `json:"real"`
	Syn  int     `json:"synthetic"`
}

// folds of the cross-validation, and the fewest images of a class that are split into them.
const (
	folds    = 5
	fewest   = 10
	seed     = 1
	surprise = 4 // standard deviations above 0.5 that are no chance: one of 30,000 facts gets there by chance
)

// column is one fact of the images of both classes: its different values, and how often each is there by fold and class.
type column struct {
	fact   *Fact
	words  []string  // one of the two
	values []float32 // ascending
	counts [][folds][2]int32
	n      [2]int
	which  []int32 // by image of the view: its value, -1 where none is known
}

// view is the images that are scored together.
type view struct {
	name   string
	images []*Image
	fold   []uint8 // by image
}

// newView deals the images of each class over the folds, by a fixed seed.
func newView(name string, images []*Image) *view {
	v := &view{name: name, fold: make([]uint8, len(images))}
	var places [2][]int
	for _, m := range images {
		if m.Class == 0 || m.Class == 1 {
			places[m.Class] = append(places[m.Class], len(v.images))
			v.images = append(v.images, m)
		}
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for _, of := range places {
		random.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		for i, place := range of {
			v.fold[place] = uint8(i % folds)
		}
	}
	return v
}

func (v *view) column(f *Fact) *column {
	c := &column{fact: f, which: make([]int32, len(v.images))}
	words, numbers := map[string]int32{}, map[float32]int32{}
	for i, m := range v.images {
		c.which[i] = -1
		if f.word != nil {
			if word, ok := f.word(m); ok {
				c.which[i] = number(words, word, &c.words)
			}
		} else if value, ok := f.number(m); ok && !math.IsNaN(float64(value)) {
			c.which[i] = number(numbers, value, &c.values)
		}
	}
	c.sort()
	c.counts = make([][folds][2]int32, max(len(c.words), len(c.values)))
	for i, m := range v.images {
		if k := c.which[i]; k >= 0 {
			c.counts[k][v.fold[i]][m.Class]++
			c.n[m.Class]++
		}
	}
	return c
}

// number is the place of a value among the different ones.
func number[T comparable](known map[T]int32, value T, all *[]T) int32 {
	k, ok := known[value]
	if !ok {
		k = int32(len(*all))
		known[value] = k
		*all = append(*all, value)
	}
	return k
}

// sort brings numbers into their order.
func (c *column) sort() {
	if c.fact.word != nil {
		return
	}
	order := make([]int32, len(c.values))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(c.values[a], c.values[b]) })
	sorted, place := make([]float32, len(order)), make([]int32, len(order))
	for i, from := range order {
		sorted[i], place[from] = c.values[from], int32(i)
	}
	c.values = sorted
	for i, k := range c.which {
		if k >= 0 {
			c.which[i] = place[k]
		}
	}
}

// predict is the fact's mean AUC over the folds; false where it has one value alone, or a class has too few images.
func (c *column) predict() (auc float64, ok bool) {
	if len(c.counts) < 2 || c.n[0] < fewest || c.n[1] < fewest {
		return 0.5, false
	}
	for fold := range folds {
		train, test := c.split(fold)
		auc += treeAUC(growTree(train, 2), test) / folds
	}
	return auc, true
}

// split is the bins of training and of the held-out fold, each without empty ones. A word's value is how often its training
// images are Synthetic, so that a threshold parts words as well as any grouping could (Breiman and others, 1984); one image
// of the average is added to each, so that a rare word does not count for sure.
func (c *column) split(fold int) (train, test []bin) {
	values := c.values
	if c.fact.word != nil {
		values = c.encode(fold)
	}
	order := make([]int32, len(values))
	for i := range order {
		order[i] = int32(i)
	}
	if c.fact.word != nil {
		slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(values[a], values[b]) })
	}
	for _, k := range order {
		counts := &c.counts[k]
		var rest [2]int
		for f := range folds {
			if f != fold {
				rest[0] += int(counts[f][0])
				rest[1] += int(counts[f][1])
			}
		}
		held := [2]int{int(counts[fold][0]), int(counts[fold][1])}
		train, test = collect(train, values[k], rest), collect(test, values[k], held)
	}
	return train, test
}

func collect(bins []bin, value float32, n [2]int) []bin {
	switch last := len(bins) - 1; {
	case n[0]+n[1] == 0:
		return bins
	case last >= 0 && bins[last].value == value:
		bins[last].n[0] += n[0]
		bins[last].n[1] += n[1]
		return bins
	}
	return append(bins, bin{value, n})
}

func (c *column) encode(fold int) []float32 {
	var all [2]int
	rest := make([][2]int, len(c.counts))
	for k, counts := range c.counts {
		for f := range folds {
			if f != fold {
				rest[k][0] += int(counts[f][0])
				rest[k][1] += int(counts[f][1])
			}
		}
		all[0] += rest[k][0]
		all[1] += rest[k][1]
	}
	average := float64(all[1]) / float64(all[0]+all[1])
	values := make([]float32, len(rest))
	for k, n := range rest {
		values[k] = float32((float64(n[1]) + average) / float64(n[0]+n[1]+1))
	}
	return values
}

// chance is the standard deviation of an AUC whose scores know nothing (Hanley and McNeil, 1982).
func chance(n [2]int) float64 {
	a, b := float64(n[0]), float64(n[1])
	return math.Sqrt((a + b + 1) / (12 * a * b))
}
