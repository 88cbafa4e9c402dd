package faces

import "math"

// backdrop paints what a face stands before, over the whole canvas.
type backdrop func(d dice, c *canvas)

// wall is the quiet colour that every backdrop starts from.
func wall(d dice) rgb { return hsv(d.Float32(), d.between(0.03, 0.3), d.between(0.35, 0.85)) }

// gradient runs from one colour to a neighbour in any direction.
func gradient(d dice, c *canvas) {
	base, second := wall(d), hsv(d.Float32(), 0.2, 0.3)
	turn := place(points/2, points/2, d.angle(), 0.7*points)
	c.wash(func(x, y float32) rgb {
		return base.plus(second.times(((x-turn.x)*turn.cos + (y-turn.y)*turn.sin) / turn.scale))
	})
}

// noise is a smooth mottle: light, and a little colour, on a coarse grid with straight lines between.
func noise(d dice, c *canvas) {
	const cells = 5
	var grid [cells + 1][cells + 1]rgb
	base := wall(d)
	for i := range grid {
		for j := range grid[i] {
			light := d.around(0, 0.13)
			grid[i][j] = base.plus(rgb{d.around(light, 0.04), d.around(light, 0.04), d.around(light, 0.04)})
		}
	}
	c.wash(func(x, y float32) rgb {
		x, y = x*cells/points, y*cells/points
		i, j := int(y), int(x)
		y, x = y-float32(i), x-float32(j)
		above, below := grid[i][j].towards(grid[i][j+1], x), grid[i+1][j].towards(grid[i+1][j+1], x)
		return above.towards(below, y)
	})
}

// bokeh is a wall with lights out of focus.
func bokeh(d dice, c *canvas) {
	c.wash(plain(wall(d)))
	for range d.count(11, 22) {
		light := circle(d.between(0, points), d.between(0, points), d.between(3, 9))
		colour := hsv(d.Float32(), d.between(0.05, 0.35), d.between(0.3, 1))
		c.fill(upright, light, d.between(0.3, 0.6), plain(colour))
	}
}

// bars is a wall with broad bars, soft at their edges.
func bars(d dice, c *canvas) {
	base, turn := wall(d), d.between(0, math.Pi)
	period, phase := d.between(14, 26), d.angle()
	kx, ky := 2*math.Pi/period*cos(turn), 2*math.Pi/period*sin(turn)
	c.wash(func(x, y float32) rgb {
		return base.plus(grey(0.12 * min(max(4*sin(kx*x+ky*y+phase), -1), 1)))
	})
}
