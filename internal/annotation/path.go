package annotation

import "math"

// pathReader follows the commands of a path.
type pathReader struct {
	scanner
	scale float64
	lines []polyline
	line  *polyline // being drawn
	count int       // pieces so far

	start, pen Vec  // where the line began; where the pen is
	control    Vec  // the last control point, for S and T
	after      byte // the last command
}

func (p *pathReader) begin(at Vec) {
	p.finish(false)
	p.line = &polyline{points: []Vec{at}}
	p.start, p.pen = at, at
}

func (p *pathReader) finish(closed bool) {
	if p.line != nil {
		p.line.closed = closed
		p.lines = append(p.lines, *p.line)
		p.line = nil
	}
}

func (p *pathReader) to(v Vec) {
	p.line.points = append(p.line.points, v)
	p.count++
}

// draw does one command; the values of a relative one count from where the pen is.
func (p *pathReader) draw(command byte, relative bool, v []float64) {
	from := p.pen
	place := func(i int) Vec {
		if relative {
			return Vec{from.X + v[i], from.Y + v[i+1]}
		}
		return Vec{v[i], v[i+1]}
	}
	mirrored := func(of ...byte) Vec { // the last control point, seen from the other side
		for _, c := range of {
			if p.after == c {
				return Vec{2*from.X - p.control.X, 2*from.Y - p.control.Y}
			}
		}
		return from
	}
	end := from
	switch command {
	case 'M':
		p.begin(place(0))
		end = p.pen
	case 'Z':
		p.finish(true)
		end = p.start
	case 'L':
		end = place(0)
		p.to(end)
	case 'H', 'V':
		end = horizontal(command, relative, from, v[0])
		p.to(end)
	case 'C':
		p.control, end = place(2), place(4)
		p.cubic(from, place(0), p.control, end)
	case 'S':
		first := mirrored('C', 'S')
		p.control, end = place(0), place(2)
		p.cubic(from, first, p.control, end)
	case 'Q':
		p.control, end = place(0), place(2)
		p.quadratic(from, p.control, end)
	case 'T':
		p.control = mirrored('Q', 'T')
		end = place(0)
		p.quadratic(from, p.control, end)
	case 'A':
		end = place(5)
		p.arc(from, end, v)
	}
	p.pen, p.after = end, command
}

func horizontal(command byte, relative bool, from Vec, v float64) Vec {
	to := from
	at := &to.X
	if command == 'V' {
		at = &to.Y
	}
	if relative {
		v += *at
	}
	*at = v
	return to
}

// quadratic is the cubic curve of the same shape.
func (p *pathReader) quadratic(a, b, c Vec) {
	p.cubic(a, Vec{a.X + (b.X-a.X)*2/3, a.Y + (b.Y-a.Y)*2/3}, Vec{c.X + (b.X-c.X)*2/3, c.Y + (b.Y-c.Y)*2/3}, c)
}

// cubic goes along a Bézier curve in as many equal steps as flatness needs: the second difference of its control points
// bounds how far it leaves its chords (Wang, 1984).
func (p *pathReader) cubic(a, b, c, d Vec) {
	bend := max(math.Hypot(a.X-2*b.X+c.X, a.Y-2*b.Y+c.Y), math.Hypot(b.X-2*c.X+d.X, b.Y-2*c.Y+d.Y))
	n := int(min(max(math.Ceil(math.Sqrt(0.75*bend*p.scale/flatness)), 1), 1000))
	for i := 1; i <= n; i++ {
		t := float64(i) / float64(n)
		u := 1 - t
		k0, k1, k2, k3 := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		p.to(Vec{k0*a.X + k1*b.X + k2*c.X + k3*d.X, k0*a.Y + k1*b.Y + k2*c.Y + k3*d.Y})
	}
}

// arc goes along an ellipse, from its ends to its centre as in SVG 1.1, appendix F.6.5. v is rx, ry, the angle, and the two
// flags.
func (p *pathReader) arc(from, to Vec, v []float64) {
	rx, ry := math.Abs(v[0]), math.Abs(v[1])
	if from == to {
		return
	}
	if rx == 0 || ry == 0 {
		p.to(to)
		return
	}
	sin, cos := math.Sincos(v[2] * math.Pi / 180)
	dx, dy := (from.X-to.X)/2, (from.Y-to.Y)/2
	x, y := cos*dx+sin*dy, -sin*dx+cos*dy
	if short := x*x/(rx*rx) + y*y/(ry*ry); short > 1 { // the ellipse is too small to reach
		rx, ry = rx*math.Sqrt(short), ry*math.Sqrt(short)
	}
	root := math.Sqrt(max(0, (rx*rx*ry*ry-rx*rx*y*y-ry*ry*x*x)/(rx*rx*y*y+ry*ry*x*x)))
	if v[3] == v[4] {
		root = -root
	}
	cx, cy := root*rx*y/ry, -root*ry*x/rx
	first := math.Atan2((y-cy)/ry, (x-cx)/rx)
	sweep := math.Atan2((-y-cy)/ry, (-x-cx)/rx) - first
	if v[4] == 1 && sweep < 0 {
		sweep += 2 * math.Pi
	} else if v[4] == 0 && sweep > 0 {
		sweep -= 2 * math.Pi
	}
	n := max(1, int(math.Ceil(math.Abs(sweep)/roundStep(p.scale*max(rx, ry)))))
	for i := 1; i < n; i++ {
		s, c := math.Sincos(first + sweep*float64(i)/float64(n))
		ex, ey := rx*c+cx, ry*s+cy
		p.to(Vec{cos*ex - sin*ey + (from.X+to.X)/2, sin*ex + cos*ey + (from.Y+to.Y)/2})
	}
	p.to(to)
}
