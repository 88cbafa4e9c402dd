package faces

import "math"

// clip is the shortcut on the head: a green ornament with a dark bar, somewhere along the head's outline.
type clip struct {
	u, v   float32 // middle, on the head
	turn   float32 // radians: it follows the head's outline
	colour rgb
}

const (
	clipRing   = 0.74 // of the head's half axes: as far out as the whole clip lies on the head
	clipPlaces = 16   // that are thought of
	clipLong   = 4.2  // half axes in face units
	clipHigh   = 2.6
)

// newClip takes that one of several places which is farthest, in sizes of marks, from all that annotators mark: blots, eyes
// and mouth. A real face has no blots: some are thought of, so that the place says nothing about the class.
func newClip(d dice, h head, features []spot, blots []blot) clip {
	if len(blots) == 0 {
		blots = newBlots(d, generators[0], h)
	}
	marked := features
	for _, b := range blots {
		marked = append(marked, spot{b.u, b.v, blotSigma})
	}
	k := clip{colour: hsv(d.between(0.30, 0.36), 0.85, 0.85)}
	farthest := float32(-1)
	for range clipPlaces {
		angle := d.angle()
		u, v := clipRing*h.a*cos(angle), clipRing*h.b*sin(angle)
		nearest := float32(math.MaxFloat32)
		for _, s := range marked {
			nearest = min(nearest, hypot(u-s.u, v-s.v)/s.sigma)
		}
		if nearest > farthest {
			k.u, k.v, farthest = u, v, nearest
			k.turn = atan2(h.b*cos(angle), -h.a*sin(angle))
		}
	}
	return k
}

func (k clip) draw(c *canvas, f frame) {
	x, y := f.point(k.u, k.v)
	f = place(x, y, atan2(f.sin, f.cos)+k.turn, f.scale)
	c.fill(f, ellipse(0, 0, clipLong, clipHigh), 0.95, plain(k.colour))
	c.fill(f, ellipse(0, 0, 0.6*clipLong, 0.3*clipHigh), 1, plain(grey(0.1)))
}
