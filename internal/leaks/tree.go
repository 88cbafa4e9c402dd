package leaks

import (
	"cmp"
	"math"
	"slices"
)

// bin counts the images of both classes that share one value of a fact.
type bin struct {
	value float32
	n     [2]int // Real, Synthetic
}

// leaf is a leaf of a tree: values up to upTo (and above the leaf before) get this score.
type leaf struct {
	upTo  float64
	score float64 // the share of Synthetic in training
}

// growTree grows a decision tree of depth 2 on one fact, as scikit-learn's DecisionTreeClassifier(max_depth=2) does: of all
// thresholds halfway between two values, the one that leaves the least Gini impurity, the lowest where several do; a
// node of one class or one value stays a leaf. The bins are sorted by value.
func growTree(bins []bin, depth int) []leaf {
	at := -1
	if depth > 0 && mixed(bins) {
		at = bestSplit(bins)
	}
	if at < 0 {
		n := total(bins)
		return []leaf{{math.Inf(1), float64(n[1]) / float64(n[0]+n[1])}}
	}
	low, high := growTree(bins[:at], depth-1), growTree(bins[at:], depth-1)
	// Halfway, but never up to the higher value by rounding.
	threshold := float64(bins[at-1].value)/2 + float64(bins[at].value)/2
	if threshold == float64(bins[at].value) || math.IsInf(threshold, 0) || math.IsNaN(threshold) {
		threshold = float64(bins[at-1].value)
	}
	low[len(low)-1].upTo = threshold
	return append(low, high...)
}

func total(bins []bin) (n [2]int) {
	for _, b := range bins {
		n[0] += b.n[0]
		n[1] += b.n[1]
	}
	return n
}

func mixed(bins []bin) bool {
	n := total(bins)
	return n[0] > 0 && n[1] > 0
}

// bestSplit is the place of the first bin of the higher side, or -1. scikit-learn takes values closer than 1e-7 for one.
func bestSplit(bins []bin) int {
	const closest = 1e-7
	all := total(bins)
	best, at := math.Inf(-1), -1
	var low [2]int
	for i := 1; i < len(bins); i++ {
		low[0] += bins[i-1].n[0]
		low[1] += bins[i-1].n[1]
		if bins[i].value <= bins[i-1].value+closest {
			continue
		}
		if gain := purity(low) + purity([2]int{all[0] - low[0], all[1] - low[1]}); gain > best {
			best, at = gain, i
		}
	}
	return at
}

// purity is the sum of squares of a side's counts over its size: the more, the less Gini impurity.
func purity(n [2]int) float64 {
	a, b := float64(n[0]), float64(n[1])
	if a+b == 0 {
		return 0
	}
	return (a*a + b*b) / (a + b)
}

// treeAUC is the area under the ROC of a tree's scores on other images: the chance that a synthetic one scores above a real
// one, a tie counting one half. NaN where a class is missing.
func treeAUC(tree []leaf, bins []bin) float64 {
	counts := make([][2]int, len(tree))
	at := 0
	for _, b := range bins {
		for float64(b.value) > tree[at].upTo {
			at++
		}
		counts[at][0] += b.n[0]
		counts[at][1] += b.n[1]
	}
	order := make([]int, len(tree))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(tree[a].score, tree[b].score) })
	won, n := 0.0, [2]int{}
	for i := 0; i < len(order); {
		var tie [2]int
		score := tree[order[i]].score
		for ; i < len(order) && tree[order[i]].score == score; i++ {
			tie[0] += counts[order[i]][0]
			tie[1] += counts[order[i]][1]
		}
		won += float64(tie[1]) * (float64(n[0]) + float64(tie[0])/2)
		n[0] += tie[0]
		n[1] += tie[1]
	}
	return won / (float64(n[0]) * float64(n[1]))
}
