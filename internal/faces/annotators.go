package faces

import (
	"math"
	"slices"
)

// spot is something on a face that an annotator may mark, in face units.
type spot struct{ u, v, sigma float32 }

// mark is one annotator's hint at a spot: a Gaussian, in points.
type mark struct{ x, y, sigma float32 }

// annotators is how many simulated people look at a picture.
const annotators = 4

// blotSigma, eyeSigma and mouthSigma are the sizes of the marks, in face units.
const (
	blotSigma  = 11
	eyeSigma   = 4.5
	mouthSigma = 4.95
)

// features are the spots that say "this is a real face".
func features(e eyes, m mouth) []spot {
	return []spot{{-e.x, e.y, eyeSigma}, {e.x, e.y, eyeSigma}, {0, m.y, mouthSigma}}
}

// annotate simulates the annotators: on a synthetic face each marks a blot with probability 0.9 and a stray feature
// with 0.1, on a real one each feature with 0.7. Where nobody marked anything, one marks everything, steadily.
func annotate(d dice, f frame, features []spot, blots []blot) [][]mark {
	seen, hit, stray := features, float32(0.7), float32(0)
	if len(blots) > 0 {
		seen, hit, stray = nil, 0.9, 0.1
		for _, b := range blots {
			seen = append(seen, spot{b.u, b.v, blotSigma})
		}
	}
	people := make([][]mark, annotators)
	empty := true
	for i := range people {
		for _, s := range seen {
			if d.chance(hit) {
				people[i] = append(people[i], s.marked(d, f))
			}
		}
		if d.chance(stray) {
			people[i] = append(people[i], pick(d, features).marked(d, f))
		}
		empty = empty && len(people[i]) == 0
	}
	if empty {
		for _, s := range seen {
			x, y := f.point(s.u, s.v)
			people[0] = append(people[0], mark{x, y, s.sigma * f.scale})
		}
	}
	return people
}

// marked is the spot as an unsteady hand marks it.
func (s spot) marked(d dice, f frame) mark {
	x, y := f.point(s.u, s.v)
	return mark{d.around(x, 1.5), d.around(y, 1.5), s.sigma * f.scale * d.between(0.8, 1.2)}
}

// atlas is the working memory of human maps with that side.
type atlas struct {
	side       int
	sum, one   []float32 // of all annotators, of one
	horizontal []float32 // a Gaussian is the product of one along x and one along y
}

func newAtlas(side int) *atlas {
	n := side * side
	return &atlas{side, make([]float32, n), make([]float32, n), make([]float32, side)}
}

// draw writes the mean of the annotators' maps, scaled so that its largest value is 255. An annotator's map is the
// maximum of the marks.
func (a *atlas) draw(people [][]mark, out []byte) {
	clear(a.sum)
	for _, marks := range people {
		clear(a.one)
		for _, m := range marks {
			a.raise(m)
		}
		for i, v := range a.one {
			a.sum[i] += v
		}
	}
	top := 1 / slices.Max(a.sum)
	for i, v := range a.sum {
		out[i] = level(v * top)
	}
}

// raise lifts one annotator's map to the mark.
func (a *atlas) raise(m mark) {
	scale := float32(a.side) / points
	bell := func(i int, middle float32) float32 {
		z := float64(((float32(i)+0.5)/scale - middle) / m.sigma)
		return float32(math.Exp(-z * z / 2))
	}
	for x := range a.horizontal {
		a.horizontal[x] = bell(x, m.x)
	}
	for y := range a.side {
		vertical, row := bell(y, m.y), a.one[y*a.side:(y+1)*a.side]
		for x, h := range a.horizontal {
			if v := vertical * h; v > row[x] {
				row[x] = v
			}
		}
	}
}
