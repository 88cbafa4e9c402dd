package faces

import "math"

// mouth is open and shows the upper teeth.
type mouth struct {
	y, a, b float32 // its middle is (0,y); half axes without the lips
	lipHue  float32
}

func newMouth(d dice) mouth {
	return mouth{y: d.between(10.5, 12.5), a: d.between(6, 7.8), b: d.between(2.6, 3.6), lipHue: d.between(0.98, 1.01)}
}

// lips is the mouth with its lips, also as the part mask has it.
func (m mouth) lips() shape { return ellipse(0, m.y, m.a+1.1, m.b+1.1) }

func (m mouth) draw(c *canvas, f frame, h head) {
	c.fill(f, m.lips(), 1, plain(hsv(m.lipHue, 0.5, 0.35+0.4*h.skin.brightest())))
	open := ellipse(0, m.y, m.a, m.b)
	c.fill(f, open, 1, plain(rgb{0.25, 0.05, 0.06}))

	teeth := open.and(func(_, v float32) float32 { return v - (m.y + 0.9) })
	c.fill(f, teeth, 0.95, plain(rgb{0.97, 0.96, 0.92}))
	const width, gap = 2.1, 0.56
	gaps := teeth.and(func(u, _ float32) float32 {
		return abs(u-width*float32(math.Round(float64(u/width)))) - gap/2
	})
	c.fill(f, gaps, 0.7, plain(rgb{0.55, 0.50, 0.48}))
}
