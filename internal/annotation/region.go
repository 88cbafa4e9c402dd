package annotation

import (
	"cmp"
	"math"
	"slices"
)

// Vec is a place in the plane.
type Vec struct{ X, Y float64 }

// Region is an area of an image within closed lines.
type Region struct {
	Lines   [][]Vec // each is closed from its last place to its first
	EvenOdd bool    // what lies within an even number of lines is outside; else what winds around is inside (non-zero rule)
	Runs    *Runs   // in place of lines: pixels themselves
	W, H    int     // the size of the image that it was marked on; 0: the file does not say
}

// Box is the region of a rectangle.
func Box(x, y, w, h float64) Region {
	return Region{Lines: [][]Vec{{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}}}
}

// Scaled is a region of lines over an image of w x h pixels, of which it covers the same part as of the one that it was marked on.
func (r Region) Scaled(w, h int) Region {
	out := Region{EvenOdd: r.EvenOdd, W: w, H: h}
	for _, line := range r.Lines {
		scaled := make([]Vec, len(line))
		for i, v := range line { // the product first, so that the edge comes to lie on the edge
			scaled[i] = Vec{v.X * float64(w) / float64(r.W), v.Y * float64(h) / float64(r.H)}
		}
		out.Lines = append(out.Lines, scaled)
	}
	return out
}

// Leaves tells whether a part of it lies outside of an image of w x h pixels. Less than a sixteenth of a pixel is rounding.
func (r Region) Leaves(w, h int) bool {
	const slack = 1.0 / subrows
	for _, line := range r.Lines {
		for _, v := range line {
			if v.X < -slack || v.Y < -slack || v.X > float64(w)+slack || v.Y > float64(h)+slack {
				return true
			}
		}
	}
	return false
}

// Runs is a mask in COCO's run lengths: pixels column by column, in turn outside and inside.
type Runs struct {
	W, H   int
	Counts []int
}

// slices of a pixel's height at which a region is looked at; across, coverage is exact.
const subrows = 16

// Draw marks a region: where it covers a pixel by a and the map has v, the map gets v + opacity a (1 - v).
func (m *Map) Draw(r Region, opacity float64) {
	blend := func(i int, a float64) { m.blend(i, opacity*a) }
	if r.Runs != nil {
		r.Runs.each(func(x, y int) {
			if x < m.W && y < m.H {
				blend(y*m.W+x, 1)
			}
		})
		return
	}
	edges := edgesOf(r.Lines)
	row := make([]float64, m.W+2)
	var active []edge
	var crossings []crossing
	next := 0
	for y := range m.H {
		if len(active) == 0 && (next == len(edges) || edges[next].top >= float64(y+1)) {
			continue
		}
		clear(row)
		drawn := false
		for s := range subrows {
			at := float64(y) + (float64(s)+0.5)/subrows
			active = slices.DeleteFunc(active, func(e edge) bool { return e.bottom <= at })
			for ; next < len(edges) && edges[next].top <= at; next++ {
				if edges[next].bottom > at {
					active = append(active, edges[next])
				}
			}
			crossings = crossings[:0]
			for _, e := range active {
				crossings = append(crossings, crossing{e.x + (at-e.top)*e.slope, e.winding})
			}
			slices.SortFunc(crossings, func(a, b crossing) int { return cmp.Compare(a.x, b.x) })
			winding := 0
			for i, c := range crossings {
				if i > 0 && (r.EvenOdd && winding%2 != 0 || !r.EvenOdd && winding != 0) {
					cover(row, crossings[i-1].x, c.x, m.W)
					drawn = true
				}
				winding += c.winding
			}
		}
		if !drawn {
			continue
		}
		sum := 0.0 // row holds differences
		for x := range m.W {
			if sum += row[x]; sum > 0 {
				blend(y*m.W+x, min(sum/subrows, 1))
			}
		}
	}
}

// Lay marks what a picture of the map's size does in grey levels, 255 for fully.
func (m *Map) Lay(pix []byte) {
	for i, v := range pix {
		m.blend(i, float64(v)/255)
	}
}

func (m *Map) blend(i int, a float64) { m.V[i] += a * (1 - m.V[i]) }

// cover adds one to what lies between a and b, as differences: the value of a pixel is the sum up to it.
func cover(row []float64, a, b float64, w int) {
	a, b = min(max(a, 0), float64(w)), min(max(b, 0), float64(w))
	if b <= a {
		return
	}
	// The integral of a step at a is 1 - frac in its pixel and 1 from the next one on.
	i, f := math.Modf(a)
	row[int(i)] += 1 - f
	row[int(i)+1] += f
	i, f = math.Modf(b)
	row[int(i)] -= 1 - f
	row[int(i)+1] -= f
}

type crossing struct {
	x       float64
	winding int
}

// edge is a line from its upper to its lower end.
type edge struct {
	top, bottom float64
	x, slope    float64 // at the top; by y
	winding     int
}

// edgesOf are the edges of closed lines by their tops.
func edgesOf(lines [][]Vec) (edges []edge) {
	for _, line := range lines {
		for i, a := range line {
			b, winding := line[(i+1)%len(line)], 1
			if a.Y == b.Y {
				continue
			}
			if a.Y > b.Y {
				a, b, winding = b, a, -1
			}
			edges = append(edges, edge{a.Y, b.Y, a.X, (b.X - a.X) / (b.Y - a.Y), winding})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Compare(a.top, b.top) })
	return edges
}

// Bytes is the mask in grey levels, 255 inside.
func (r *Runs) Bytes() []byte {
	out := make([]byte, r.W*r.H)
	r.each(func(x, y int) { out[y*r.W+x] = 255 })
	return out
}

// each visits the pixels inside.
func (r *Runs) each(visit func(x, y int)) {
	at, inside := 0, false
	for _, n := range r.Counts {
		for range n {
			if at >= r.W*r.H {
				return
			}
			if inside {
				visit(at/r.H, at%r.H)
			}
			at++
		}
		inside = !inside
	}
}
