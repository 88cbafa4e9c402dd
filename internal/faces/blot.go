package faces

// blot is the fault of a synthetic face: a lobed patch of a wrong colour with a pattern of light and dark.
type blot struct {
	u, v     float32 // middle, on the head
	radius   float32 // without the lobes
	lobes    float32 // 3 to 5
	turn     float32 // of the lobes, radians
	squeeze  float32 // height against width
	odd      rgb     // the colour that the local one is moved to
	severity float32 // how far, and how strong the pattern is
	pattern  pattern

	frequency, phase, second float32 // of the pattern; second is another phase or a direction
}

// pattern is the light of a blot, within [-1.4, 1.4], at (u,v) from its middle.
type pattern func(b blot, u, v float32) float32

func ring(b blot, u, v float32) float32 { return sin(1.3*b.frequency*b.reach(u, v) + b.phase) }

func checker(b blot, u, v float32) float32 {
	return 1.4 * sin(b.frequency*u+b.phase) * sin(b.frequency*v+b.second)
}

func wave(b blot, u, v float32) float32 {
	return sin(b.frequency*(u*cos(b.second)+v*sin(b.second)) + 2*sin(0.5*b.frequency*u+b.phase))
}

// newBlots plants one blot, or two in 35 of 100 faces, anywhere on the head but apart from each other.
func newBlots(d dice, s style, h head) []blot {
	const twice, within, apart = 0.35, 0.95, 12.2
	severity := d.between(0.4, 1)
	n := 1
	if d.chance(twice) {
		n = 2
	}
	blots := make([]blot, 0, n)
	for len(blots) < n {
		u, v := d.between(-1, 1), d.between(-1, 1)
		if hypot(u, v) > within {
			continue
		}
		u, v = u*h.a, v*h.b
		if len(blots) > 0 && hypot(u-blots[0].u, v-blots[0].v) < apart {
			continue
		}
		blots = append(blots, blot{
			u: u, v: v, radius: d.between(4.5, 6.5), lobes: float32(d.count(3, 5)), turn: d.angle(),
			squeeze: d.between(0.8, 1.25), severity: severity,
			odd:     hsv(d.between(0.74, 0.92), d.between(0.3, 0.7), d.between(0.4, 0.9)),
			pattern: pick(d, s.patterns), frequency: d.in(s.frequency), phase: d.angle(), second: d.angle(),
		})
	}
	return blots
}

// reach is the distance from the middle, measured so that the outline is everywhere one radius away.
func (b blot) reach(u, v float32) float32 {
	return hypot(u, v*b.squeeze) / (1 + 0.22*sin(b.lobes*atan2(v, u)+b.turn))
}

func (b blot) outline() shape {
	r := 1.22 * b.radius
	tall := r / min(b.squeeze, 1)
	return shape{box: box{b.u - r, b.v - tall, b.u + r, b.v + tall}, distance: func(u, v float32) float32 {
		return b.reach(u-b.u, v-b.v) - b.radius
	}}
}

func (b blot) draw(c *canvas, f frame) {
	area := b.outline()
	c.fill(f, area, 0.9, plain(c.mean(f, area).towards(b.odd, 0.9*b.severity)))
	strength := 0.25 * (0.5 + 0.5*b.severity)
	c.brighten(f, area, func(u, v float32) float32 { return strength * b.pattern(b, u-b.u, v-b.v) })
}
