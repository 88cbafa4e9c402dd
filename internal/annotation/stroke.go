package annotation

import "math"

// pen is how a line is drawn, by SVG's names and defaults.
type pen struct {
	width      float64
	linecap    string // butt, round, square
	linejoin   string // miter, round, bevel
	miterLimit float64
}

// stroke is the region that a pen covers along lines, in the coordinates of the lines: a rectangle for each piece, and a
// figure for each join and end. All wind in the same direction, so that the non-zero rule unites them. step is the largest
// angle between the corners of what is round.
func (p pen) stroke(lines []polyline, step float64) (r Region) {
	for _, line := range lines {
		if len(line.points) < 2 && !line.closed {
			continue // a move alone
		}
		points := line.distinct()
		if len(points) == 1 {
			p.dot(&r, points[0], step)
			continue
		}
		pieces := len(points) - 1
		if line.closed {
			pieces++
		}
		for i := range pieces {
			a, b := points[i], points[(i+1)%len(points)]
			n := normal(a, b, p.width/2)
			r.add(Vec{a.X + n.X, a.Y + n.Y}, Vec{b.X + n.X, b.Y + n.Y}, Vec{b.X - n.X, b.Y - n.Y}, Vec{a.X - n.X, a.Y - n.Y})
			if line.closed || i+1 < pieces {
				p.join(&r, a, b, points[(i+2)%len(points)], step)
			}
		}
		if !line.closed {
			p.end(&r, points[1], points[0], step)
			p.end(&r, points[len(points)-2], points[len(points)-1], step)
		}
	}
	return r
}

// polyline is a run of straight pieces.
type polyline struct {
	points []Vec
	closed bool
}

// distinct leaves out points that repeat the one before.
func (l polyline) distinct() []Vec {
	out := l.points[:1:1]
	for _, p := range l.points[1:] {
		if p != out[len(out)-1] {
			out = append(out, p)
		}
	}
	if l.closed && len(out) > 1 && out[0] == out[len(out)-1] {
		out = out[:len(out)-1]
	}
	return out
}

// normal is the vector of that length at a right angle to the way from a to b.
func normal(a, b Vec, length float64) Vec {
	dx, dy := b.X-a.X, b.Y-a.Y
	l := length / math.Hypot(dx, dy)
	return Vec{dy * l, -dx * l}
}

// add takes in a polygon, turned if it winds the other way.
func (r *Region) add(corners ...Vec) {
	area := 0.0
	for i, a := range corners {
		b := corners[(i+1)%len(corners)]
		area += a.X*b.Y - b.X*a.Y
	}
	if area < 0 {
		for i, j := 0, len(corners)-1; i < j; i, j = i+1, j-1 {
			corners[i], corners[j] = corners[j], corners[i]
		}
	}
	r.Lines = append(r.Lines, corners)
}

func (r *Region) circle(at Vec, radius, step float64) {
	corners := make([]Vec, max(8, int(math.Ceil(2*math.Pi/step))))
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(corners)))
		corners[i] = Vec{at.X + radius*cos, at.Y + radius*sin}
	}
	r.add(corners...)
}

// dot is a line of no length: round and square ends show, butt ones do not.
func (p pen) dot(r *Region, at Vec, step float64) {
	switch h := p.width / 2; p.linecap {
	case "round":
		r.circle(at, h, step)
	case "square":
		r.add(Vec{at.X - h, at.Y - h}, Vec{at.X + h, at.Y - h}, Vec{at.X + h, at.Y + h}, Vec{at.X - h, at.Y + h})
	}
}

// end is the cap at b of a line that comes from a.
func (p pen) end(r *Region, a, b Vec, step float64) {
	switch p.linecap {
	case "round":
		r.circle(b, p.width/2, step)
	case "square":
		n := normal(a, b, p.width/2)
		r.add(Vec{b.X + n.X, b.Y + n.Y}, Vec{b.X + n.X - n.Y, b.Y + n.Y + n.X}, Vec{b.X - n.X - n.Y, b.Y - n.Y + n.X}, Vec{b.X - n.X, b.Y - n.Y})
	}
}

// join fills the gap at b between the pieces a b and b c, on its outer side.
func (p pen) join(r *Region, a, b, c Vec, step float64) {
	n, m := normal(a, b, p.width/2), normal(b, c, p.width/2)
	cross := n.X*m.Y - n.Y*m.X
	if cross < 0 { // else the outer side is that of the normals
		n, m = Vec{-n.X, -n.Y}, Vec{-m.X, -m.Y}
	}
	if cross == 0 && n == m {
		return
	}
	corners := []Vec{b, {b.X + n.X, b.Y + n.Y}, {b.X + m.X, b.Y + m.Y}}
	h := p.width / 2
	if p.linejoin == "round" {
		turn := math.Atan2(n.X*m.Y-n.Y*m.X, n.X*m.X+n.Y*m.Y)
		corners = corners[:2]
		for k, pieces := 1, max(1, int(math.Ceil(math.Abs(turn)/step))); k <= pieces; k++ {
			sin, cos := math.Sincos(turn * float64(k) / float64(pieces))
			corners = append(corners, Vec{b.X + cos*n.X - sin*n.Y, b.Y + sin*n.X + cos*n.Y})
		}
		r.add(corners...)
		return
	}
	// cos² of half the angle between the normals; a miter is 1 / cos of it as long as the pen is wide.
	if cos2 := (1 + (n.X*m.X+n.Y*m.Y)/(h*h)) / 2; p.linejoin == "miter" && cos2 > 0 && 1 <= p.miterLimit*p.miterLimit*cos2 {
		tip := Vec{b.X + (n.X+m.X)/(2*cos2), b.Y + (n.Y+m.Y)/(2*cos2)}
		corners = []Vec{b, corners[1], tip, corners[2]}
	}
	r.add(corners...)
}
