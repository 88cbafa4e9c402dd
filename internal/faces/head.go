package faces

// head is everything of a face but eyes and mouth.
type head struct {
	a, b  float32 // half axes
	skin  rgb
	light float32 // direction that the light comes from, radians
	nose  float32 // height of the nostrils
	ring  *rgb    // earrings, in two of five

	hair hair
}

func newHead(d dice) head {
	h := head{
		a: d.between(16, 18.5), b: d.between(20, 22.5),
		skin:  pick(d, skins).varied(d, 0.006, 0.03, 0.03),
		light: d.angle(), nose: d.between(4.5, 6),
	}
	jewel := pick(d, jewels)
	if metal := hsv(jewel.hue, jewel.saturation, jewel.value); d.chance(0.4) {
		h.ring = &metal
	}
	h.hair = newHair(d)
	return h
}

func (h head) outline() shape { return ellipse(0, 0, h.a, h.b) }

// ear is the ear on that side (-1, +1) where the head does not hide it.
func (h head) ear(side float32) shape {
	return ellipse(side*(h.a+0.5), 0, 2.6, 4.4).minus(h.outline())
}

// shaded is the skin, lighter towards the light.
func (h head) shaded() paint {
	x, y := 0.16/20*cos(h.light), 0.16/20*sin(h.light)
	return func(u, v float32) rgb { return h.skin.times(1 + x*u + y*v) }
}

func (h head) draw(c *canvas, f frame) {
	h.hair.drawBehind(c, f, h)
	skin := h.shaded()
	for _, side := range [...]float32{-1, 1} {
		c.fill(f, ellipse(side*(h.a+0.5), 0, 2.6, 4.4), 1, skin)
		c.fill(f, ellipse(side*(h.a+0.8), 0, 1.2, 2.6), 1, plain(h.skin.times(0.7)))
		if h.ring != nil {
			c.fill(f, circle(side*(h.a+1), 5.2, 1.4), 1, plain(*h.ring))
		}
	}
	c.fill(f, h.outline(), 1, skin)
	h.hair.drawFringe(c, f, h)

	c.fill(f, stroke(0.3, -1, 1.2*cos(h.light), h.nose-1, 1.3), 0.7, plain(h.skin.times(0.82)))
	for _, side := range [...]float32{-1, 1} {
		c.fill(f, ellipse(side*1.6, h.nose, 1, 0.8), 1, plain(h.skin.times(0.45)))
	}
}

// noseArea is the nose as the part mask has it.
func (h head) noseArea() shape { return ellipse(0, 3, 2.6, 4.5) }

// hair is a larger ellipse behind the head and a wavy fringe before it.
type hair struct {
	colour       rgb
	strands      span    // frequency and phase of the strands
	y            float32 // middle of the ellipse behind
	edgeA, edgeB float32 // how far its dark edge may reach beyond the head

	fringe, slope, phase float32 // the fringe's edge: height against its usual place, tilt, phase of its waves
}

func newHair(d dice) hair {
	return hair{
		colour:  pick(d, hairs).varied(d, 0.01, 0.04, 0.03),
		strands: span{d.between(0.9, 1.5), d.angle()},
		y:       d.between(-6, 4),
		edgeA:   d.between(2, 4.5), edgeB: d.between(0, 2),
		fringe: d.between(-2, 1.5), slope: d.between(-0.25, 0.25), phase: d.angle(),
	}
}

func (h hair) stranded() paint {
	return func(u, v float32) rgb {
		return h.colour.times(1 + 0.1*sin(h.strands.lo*u+2*sin(0.2*v+h.strands.hi))).clamped()
	}
}

func (h hair) drawBehind(c *canvas, f frame, of head) {
	c.fill(f, ellipse(0, h.y, of.a+max(h.edgeA, 3), of.b+max(h.edgeB, 1)), 1, plain(black))
	c.fill(f, ellipse(0, h.y, of.a+3.2, of.b+1.2), 1, h.stranded())
}

func (h hair) drawFringe(c *canvas, f frame, of head) {
	area := ellipse(0, 0, of.a+0.5, of.b+0.5)
	area.box.v1 = -0.55*of.b + h.fringe + abs(h.slope)*area.box.u1 + 1
	c.fill(f, area.and(func(u, v float32) float32 { return v - h.edge(of, u) }), 1, h.stranded())
}

func (h hair) edge(of head, u float32) float32 {
	return -0.55*of.b + h.fringe + h.slope*u + sin(0.7*u+h.phase)
}
