package faces

import "math"

// shape is a region with an outline, given by its signed distance: below zero inside, zero on the outline, growing by
// one a unit across it. Distances join into new shapes (and, minus), and a distance divided by the pixel's size is all
// that an even edge needs.
type shape struct {
	distance func(u, v float32) float32
	box      box // the shape lies within
}

// box is an upright rectangle.
type box struct{ u0, v0, u1, v1 float32 }

func (b box) middle() (u, v float32)       { return (b.u0 + b.u1) / 2, (b.v0 + b.v1) / 2 }
func (b box) halves() (half, tall float32) { return (b.u1 - b.u0) / 2, (b.v1 - b.v0) / 2 }

// ellipse has its middle at (x,y) and half axes a and b. Its distance is exact to first order at the
// outline. Neither may be more than four times the other: the soft edge at the tips would reach further than raster
// looks.
func ellipse(x, y, a, b float32) shape {
	ra, rb := 1/a, 1/b
	return shape{box: box{x - a, y - b, x + a, y + b}, distance: func(u, v float32) float32 {
		p, q := (u-x)*ra, (v-y)*rb
		r := hypot(p, q)
		slope := hypot(p*ra, q*rb)
		if slope < 1e-6 {
			return -min(a, b)
		}
		return r * (r - 1) / slope
	}}
}

// circle has its middle at (x,y).
func circle(x, y, r float32) shape { return ellipse(x, y, r, r) }

// stroke is a straight line with round ends.
func stroke(x0, y0, x1, y1, width float32) shape {
	dx, dy, w := x1-x0, y1-y0, width/2
	long := 1 / (dx*dx + dy*dy)
	b := box{min(x0, x1) - w, min(y0, y1) - w, max(x0, x1) + w, max(y0, y1) + w}
	return shape{box: b, distance: func(u, v float32) float32 {
		t := unit(((u-x0)*dx + (v-y0)*dy) * long)
		return hypot(u-x0-t*dx, v-y0-t*dy) - w
	}}
}

// and is what lies in both; other is given by its distance alone.
func (s shape) and(other func(u, v float32) float32) shape {
	inside := s.distance
	s.distance = func(u, v float32) float32 { return max(inside(u, v), other(u, v)) }
	return s
}

// minus is what lies in s and not in other.
func (s shape) minus(other shape) shape {
	return s.and(func(u, v float32) float32 { return -other.distance(u, v) })
}

// frame places a figure: its point (u,v) lies at (x,y) plus (u,v) turned and scaled.
type frame struct{ x, y, cos, sin, scale float32 }

// upright is the frame whose figures are drawn in points.
var upright = frame{cos: 1, scale: 1}

// place is the frame at (x,y) turned by angle (radians, +u towards +v).
func place(x, y, angle, scale float32) frame {
	sin, cos := math.Sincos(float64(angle))
	return frame{x, y, float32(cos), float32(sin), scale}
}

// point is where (u,v) lies.
func (f frame) point(u, v float32) (x, y float32) {
	return f.x + f.scale*(u*f.cos-v*f.sin), f.y + f.scale*(u*f.sin+v*f.cos)
}

// local is the figure's point that lies at (x,y).
func (f frame) local(x, y float32) (u, v float32) {
	dx, dy := (x-f.x)/f.scale, (y-f.y)/f.scale
	return dx*f.cos + dy*f.sin, dy*f.cos - dx*f.sin
}

// magnified is the same frame on a picture that is k times as large.
func (f frame) magnified(k float32) frame {
	return frame{f.x * k, f.y * k, f.cos, f.sin, f.scale * k}
}

// raster visits every pixel of a picture with that side (and the frame in pixels) which the shape covers, row by row:
// its place in row order, its centre in the figure's units, and the share of it that is covered.
func raster(side int, f frame, s shape, visit func(at int, u, v, cover float32)) {
	u, v := s.box.middle()
	x, y := f.point(u, v)
	half, tall := s.box.halves()
	cos, sin := abs(f.cos), abs(f.sin)
	wide, high := f.scale*(half*cos+tall*sin)+1, f.scale*(half*sin+tall*cos)+1
	x0, x1 := max(0, int(x-wide)), min(side, int(x+wide)+1)
	y0, y1 := max(0, int(y-high)), min(side, int(y+high)+1)
	cos, sin = f.cos/f.scale, f.sin/f.scale
	for row := y0; row < y1; row++ {
		dy := float32(row) + 0.5 - f.y
		for column := x0; column < x1; column++ {
			dx := float32(column) + 0.5 - f.x
			u, v := dx*cos+dy*sin, dy*cos-dx*sin
			if cover := 0.5 - s.distance(u, v)*f.scale; cover > 0 {
				visit(row*side+column, u, v, unit(cover))
			}
		}
	}
}

func hypot(x, y float32) float32 { return float32(math.Sqrt(float64(x*x + y*y))) }
func sin(x float32) float32      { return float32(math.Sin(float64(x))) }
func cos(x float32) float32      { return float32(math.Cos(float64(x))) }
func abs(x float32) float32      { return float32(math.Abs(float64(x))) }
func atan2(y, x float32) float32 { return float32(math.Atan2(float64(y), float64(x))) }
