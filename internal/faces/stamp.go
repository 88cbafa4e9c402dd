package faces

// stamp is the shortcut: a cyan ellipse with a dark centre, in the background.
type stamp struct {
	x, y   float32 // middle, points
	size   float32 // half its height, points; its width is 1.3 of it
	colour rgb
}

const (
	stampMargin    = 5 // points between the stamp's middle and the picture's edge, at least
	stampClearance = 8 // points between the stamp and the head with its ears, at least
)

// newStamp finds a place clear of the head that stands in f. There always is one: a head covers less than half.
func newStamp(d dice, f frame, h head) stamp {
	s := stamp{size: 3.6 * f.scale, colour: hsv(d.between(0.47, 0.53), 0.8, 0.95)}
	away, widest := (stampClearance+1.3*s.size)/f.scale, ellipse(0, 0, h.a+3.1, h.b)
	for {
		s.x, s.y = d.between(stampMargin, points-stampMargin), d.between(stampMargin, points-stampMargin)
		if widest.distance(f.local(s.x, s.y)) > away {
			return s
		}
	}
}

func (s stamp) draw(c *canvas) {
	c.fill(upright, ellipse(s.x, s.y, 1.3*s.size, s.size), 0.95, plain(s.colour))
	c.fill(upright, circle(s.x, s.y, 0.5*s.size), 1, plain(grey(0.1)))
}
