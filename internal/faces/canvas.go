package faces

// points is the side of every picture in points.
const points = 96

// canvas is a square picture in the making.
type canvas struct {
	side  int
	scale float32 // pixels a point
	pix   []rgb   // row by row
	spare []rgb   // as large, for what cannot be done in place
}

func newCanvas(side int) *canvas {
	n := side * side
	return &canvas{side: side, scale: float32(side) / points, pix: make([]rgb, n), spare: make([]rgb, n)}
}

// paint is a colour that may change from place to place.
type paint func(u, v float32) rgb

func plain(c rgb) paint { return func(_, _ float32) rgb { return c } }

// wash lays paint, given in points, over the whole canvas.
func (c *canvas) wash(p paint) {
	point := 1 / c.scale
	for at := range c.pix {
		c.pix[at] = p((float32(at%c.side)+0.5)*point, (float32(at/c.side)+0.5)*point)
	}
}

// fill paints a shape that stands in the frame; opacity 1 hides what is below.
func (c *canvas) fill(f frame, s shape, opacity float32, p paint) {
	raster(c.side, f.magnified(c.scale), s, func(at int, u, v, cover float32) {
		c.pix[at] = c.pix[at].towards(p(u, v), cover*opacity)
	})
}

// brighten adds light to all three channels inside the shape; below zero it takes some.
func (c *canvas) brighten(f frame, s shape, light func(u, v float32) float32) {
	raster(c.side, f.magnified(c.scale), s, func(at int, u, v, cover float32) {
		c.pix[at] = c.pix[at].plus(grey(cover * light(u, v)))
	})
}

// mean is the mean colour below the shape.
func (c *canvas) mean(f frame, s shape) rgb {
	var sum rgb
	var weight float32
	raster(c.side, f.magnified(c.scale), s, func(at int, _, _, cover float32) {
		sum, weight = sum.plus(c.pix[at].times(cover)), weight+cover
	})
	return sum.times(1 / max(weight, 1))
}

// cover writes 255 where one of the shapes covers more than half of a pixel and leaves the rest.
func cover(mask []byte, side int, f frame, shapes ...shape) {
	f = f.magnified(float32(side) / points)
	for _, s := range shapes {
		raster(side, f, s, func(at int, _, _, cover float32) {
			if cover > 0.5 {
				mask[at] = 255
			}
		})
	}
}
