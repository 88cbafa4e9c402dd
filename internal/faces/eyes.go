package faces

// eyes are both eyes with their brows; the same but for the side.
type eyes struct {
	x, y, a, b   float32 // middle of the right one (the left one's x is -x), half axes
	iris         rgb
	radius       float32 // of the iris
	gazeX, gazeY float32
	glintX       float32 // highlight, from the pupil's middle
	glintY       float32

	browRise, browTilt, browWidth float32 // brow: height above the eye's middle, tilt, thickness
}

func newEyes(d dice) eyes {
	glint := d.between(-2.6, -0.5)
	return eyes{
		x: d.between(7.2, 8.6), y: d.between(-5, -3), a: d.between(4.6, 5.4), b: d.between(2.9, 3.7),
		iris:   pick(d, irises).varied(d, 0.01, 0.05, 0.05),
		radius: d.between(2.4, 2.9),
		gazeX:  d.between(-0.9, 0.9), gazeY: d.between(-0.3, 0.3),
		glintX: 1.15 * cos(glint), glintY: 1.15 * sin(glint),
		browRise: d.between(4.8, 6.2), browTilt: d.between(-1, 1), browWidth: d.between(1.1, 1.9),
	}
}

func (e eyes) draw(c *canvas, f frame, h head) {
	for _, side := range [...]float32{-1, 1} {
		x, y := side*e.x, e.y
		ball := ellipse(x, y, e.a, e.b)
		c.fill(f, ellipse(x, y-0.5, e.a+0.5, e.b+0.5), 1, plain(h.skin.times(0.5)))
		c.fill(f, ball, 1, plain(rgb{0.96, 0.95, 0.93}))

		gx, gy := x+e.gazeX, y+e.gazeY
		c.fill(f, circle(gx, gy, e.radius).and(ball.distance), 1, plain(e.iris))
		c.fill(f, circle(gx, gy, 1.25).and(ball.distance), 1, plain(grey(0.04)))
		c.fill(f, circle(gx+e.glintX, gy+e.glintY, 0.85).and(ball.distance), 1, plain(white))

		brow := y - e.browRise + 0.5
		rise := 0.6 * e.browTilt
		c.fill(f, stroke(x-4*side, brow+rise, x+4*side, brow-rise, e.browWidth), 0.9, plain(h.hair.colour.times(0.8)))
	}
}

// areas are eyes and brows as the part mask has them.
func (e eyes) areas() []shape {
	brow := e.y - e.browRise + 0.5
	return []shape{
		ellipse(-e.x, e.y, e.a+0.5, e.b+0.5), ellipse(-e.x, brow, 4.5, 1.3),
		ellipse(e.x, e.y, e.a+0.5, e.b+0.5), ellipse(e.x, brow, 4.5, 1.3),
	}
}
