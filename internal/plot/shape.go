package plot

import "math"

// shape is the outline of series n's marker. All have about the area of a circle of that radius. Where colours come again, each
// has the next shape: 49 series have no pair of both in common.
func shape(n int, at point, radius float64) []point {
	polygon := func(corners int, turn, scale float64) []point {
		out := make([]point, corners)
		for i := range out {
			angle := turn + 2*math.Pi*float64(i)/float64(corners)
			out[i] = point{at.x + radius*scale*math.Sin(angle), at.y - radius*scale*math.Cos(angle)}
		}
		return out
	}
	switch (n + n/7) % 7 {
	case 1:
		return polygon(4, math.Pi/4, 1.25) // square
	case 2:
		return polygon(3, 0, 1.45) // triangle
	case 3:
		return polygon(4, 0, 1.3) // diamond
	case 4:
		return polygon(3, math.Pi, 1.45) // triangle on its tip
	case 5:
		return polygon(5, 0, 1.2) // pentagon
	case 6:
		return polygon(6, math.Pi/6, 1.15) // hexagon
	}
	return polygon(20, 0, 1) // circle
}
