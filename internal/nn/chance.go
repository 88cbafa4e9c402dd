package nn

// Dropout zeroes each value with probability P while training and scales the others by 1/(1-P).
type Dropout struct {
	elementwise
	P float64
}

// StochasticDepth zeroes whole images of a batch with probability P while training and scales the others by 1/(1-P): in
// a residual branch, those images skip it (Huang et al., 2016, arXiv:1603.09382).
type StochasticDepth struct {
	elementwise
	P float64
}

func (d Dropout) flatten(g *Graph, _ string, x Value) Value         { return g.append("", d, x) }
func (d StochasticDepth) flatten(g *Graph, _ string, x Value) Value { return g.append("", d, x) }
