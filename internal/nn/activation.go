package nn

// ReLU is max(x, 0).
type ReLU struct{ elementwise }

// SiLU is x sigmoid(x) (Elfwing et al., 2018, arXiv:1702.03118).
type SiLU struct{ elementwise }

// GELU is x times the normal distribution function at x (Hendrycks and Gimpel, 2016, arXiv:1606.08415), without
// approximation.
type GELU struct{ elementwise }

// Sigmoid is 1 / (1 + exp(-x)).
type Sigmoid struct{ elementwise }

func (r ReLU) flatten(g *Graph, _ string, x Value) Value    { return g.append("", r, x) }
func (r SiLU) flatten(g *Graph, _ string, x Value) Value    { return g.append("", r, x) }
func (r GELU) flatten(g *Graph, _ string, x Value) Value    { return g.append("", r, x) }
func (r Sigmoid) flatten(g *Graph, _ string, x Value) Value { return g.append("", r, x) }
