package annotation

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// The ways of Average.
const (
	Mean     = "mean"     // of the annotators' values
	Any      = "any"      // the largest of them: what anyone marked
	Majority = "majority" // 1 where more than half of the annotators have 0.5 or more
)

// Average is one map of those of several annotators, all of one size.
func Average(maps []*Map, how string) *Map {
	out := NewMap(maps[0].W, maps[0].H)
	for _, m := range maps {
		switch how {
		case Any:
			for i, v := range m.V {
				out.V[i] = max(out.V[i], v)
			}
		case Majority:
			for i, v := range m.V {
				if v >= 0.5 {
					out.V[i]++
				}
			}
		default:
			floats.AddScaled(out.V, 1/float64(len(maps)), m.V)
		}
	}
	if how == Majority {
		return out.Threshold(float64(len(maps)/2 + 1))
	}
	return out
}

// Scale multiplies all values; by 1/Max the peak becomes 1.
func (m *Map) Scale(by float64) *Map {
	floats.Scale(by, m.V)
	return m
}

// Sum is that of all values.
func (m *Map) Sum() float64 { return floats.Sum(m.V) }

// Threshold makes what is at least level 1, and the rest 0.
func (m *Map) Threshold(level float64) *Map {
	for i, v := range m.V {
		m.V[i] = 0
		if v >= level {
			m.V[i] = 1
		}
	}
	return m
}

// The granularities. Their names are from "Grains of Saliency" (arXiv:2405.00650), whose way to compute them is not published:
// the definitions are ours.
const (
	Features = "features" // the map as it is
	Area     = "area"     // 1 in what is marked and in the holes that it encloses, 0 elsewhere
	Boundary = "boundary" // 1 in the smallest upright box around all that is marked, 0 elsewhere
)

// Grain brings a map to a granularity. Marked is what has at least level, or, where that is 0, half of the map's largest
// value.
func (m *Map) Grain(granularity string, level float64) (*Map, error) {
	switch granularity {
	case Features:
		return m, nil
	case Area, Boundary:
	default:
		return nil, fmt.Errorf("granularity %q; there are: %s, %s, %s", granularity, Boundary, Area, Features)
	}
	if level == 0 {
		level = m.Max() / 2
	}
	out := NewMap(m.W, m.H)
	if m.Empty() {
		return out, nil
	}
	copy(out.V, m.V)
	out.Threshold(level)
	if granularity == Area {
		out.fillHoles()
		return out, nil
	}
	x0, y0, x1, y1 := m.W, m.H, -1, -1
	for i, v := range out.V {
		if v == 1 {
			x0, x1, y0, y1 = min(x0, i%m.W), max(x1, i%m.W), min(y0, i/m.W), max(y1, i/m.W)
		}
	}
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			out.V[y*m.W+x] = 1
		}
	}
	return out, nil
}

// fillHoles makes 1 of the zeros from which no way over zeros, across the sides of pixels, leads out of the picture
// (scipy.ndimage.binary_fill_holes).
func (m *Map) fillHoles() {
	outside := make([]bool, len(m.V))
	var open []int
	visit := func(x, y int) {
		if i := y*m.W + x; x >= 0 && y >= 0 && x < m.W && y < m.H && m.V[i] == 0 && !outside[i] {
			outside[i] = true
			open = append(open, i)
		}
	}
	for x := range m.W {
		visit(x, 0)
		visit(x, m.H-1)
	}
	for y := range m.H {
		visit(0, y)
		visit(m.W-1, y)
	}
	for len(open) > 0 {
		i := open[len(open)-1]
		open = slices.Delete(open, len(open)-1, len(open))
		x, y := i%m.W, i/m.W
		visit(x-1, y)
		visit(x+1, y)
		visit(x, y-1)
		visit(x, y+1)
	}
	for i := range m.V {
		if !outside[i] {
			m.V[i] = 1
		}
	}
}
