package faces

// photometry is what happens to a picture between the scene and the file.
type photometry struct {
	gain, offset float32
	cast         rgb
	blur         float32 // share of a pixel that its neighbours give it, in each direction
	grain        float32 // standard deviation of the noise in luminance
}

// chroma is the standard deviation of the noise in each channel.
const chroma = 0.008

func newPhotometry(d dice, s style) photometry {
	return photometry{
		gain: d.between(0.85, 1.12), offset: d.between(-0.04, 0.04), cast: s.cast,
		blur: d.between(0, 0.25) + s.blur, grain: d.between(0.005, 0.02),
	}
}

// develop turns the canvas into bytes, 3 a pixel. The noise is the only chance left.
func (p photometry) develop(d dice, c *canvas, out []byte) {
	blur(c.spare, c.pix, c.side, 1, p.blur)
	blur(c.pix, c.spare, 1, c.side, p.blur)
	filter, lift := p.cast.times(p.gain), p.cast.times(p.offset)
	for at, v := range c.pix {
		grain := d.around(0, p.grain)
		v = v.filter(filter).plus(lift)
		out[3*at] = level(d.around(v.r+grain, chroma))
		out[3*at+1] = level(d.around(v.g+grain, chroma))
		out[3*at+2] = level(d.around(v.b+grain, chroma))
	}
}

// blur mixes every pixel of from with the two beside it in one direction: a line's pixels are step apart, and lines are
// stride apart. At its ends a line goes on as it ended.
func blur(to, from []rgb, stride, step int, share float32) {
	side := max(stride, step)
	for line := range side {
		first, last := line*stride, line*stride+(side-1)*step
		for at := first; at <= last; at += step {
			beside := from[max(at-step, first)].plus(from[min(at+step, last)])
			to[at] = from[at].times(1 - share).plus(beside.times(share / 2))
		}
	}
}

// level is the byte for v, which it clamps to [0,1].
func level(v float32) byte { return byte(unit(v)*255 + 0.5) }
