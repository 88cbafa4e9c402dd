package annotation

import "math"

// Degrees says how large a degree of visual angle is on the screen.
type Degrees struct {
	ScreenWidth   float64 // of the screen, in pixels of the image
	ScreenCM      float64 // the same in centimetres
	DistanceCM    float64 // from the eye to the screen
	PixelsPerUnit float64 // in place of the three: pixels per degree, as measured
}

// PixelsPerDegree is the size of one degree in the middle of the screen: 2 d tan(0.5°) centimetres at a distance of d
// (Duchowski, Eye Tracking Methodology, 2007).
func (d Degrees) PixelsPerDegree() float64 {
	if d.PixelsPerUnit > 0 {
		return d.PixelsPerUnit
	}
	if d.ScreenCM <= 0 {
		return 0
	}
	return 2 * d.DistanceCM * math.Tan(math.Pi/360) * d.ScreenWidth / d.ScreenCM
}

// reach is how many sigmas from a point its Gaussian counts; what lies beyond is less than 2e-8 of the peak.
const reach = 6

// Spread adds a Gaussian of that sigma in pixels for each point, weight x exp(-r²/2 sigma²) at the centres of the pixels.
func (m *Map) Spread(points []Point, sigma float64) {
	for _, p := range points {
		x0, gx := profile(p.X, sigma, m.W)
		y0, gy := profile(p.Y, sigma, m.H)
		for j, v := range gy {
			row := m.V[(y0+j)*m.W+x0:]
			v *= p.Weight
			for i, u := range gx {
				row[i] += u * v
			}
		}
	}
}

// profile is exp(-(x - at)²/2 sigma²) at the centres of the pixels from first on, of size pixels in all.
func profile(at, sigma float64, size int) (first int, values []float64) {
	first = int(min(max(math.Floor(at-reach*sigma), 0), float64(size)))
	last := int(min(max(math.Ceil(at+reach*sigma), 0), float64(size)))
	for i := first; i < last; i++ {
		d := (float64(i) + 0.5 - at) / sigma
		values = append(values, math.Exp(-d*d/2))
	}
	return first, values
}

// Smooth is the map under a Gaussian filter of that sigma in pixels, the kernel of a sum of 1 cut off at 4 sigma, the border
// mirrored: scipy.ndimage.gaussian_filter.
func (m *Map) Smooth(sigma float64) *Map {
	radius := int(4*sigma + 0.5)
	kernel, sum := make([]float64, 2*radius+1), 0.0
	for i := range kernel {
		d := float64(i-radius) / sigma
		kernel[i] = math.Exp(-d * d / 2)
		sum += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= sum
	}
	rows := NewMap(m.W, m.H)
	for y := range m.H {
		filter(rows.V[y*m.W:], m.V[y*m.W:], m.W, 1, kernel)
	}
	out := NewMap(m.W, m.H)
	for x := range m.W {
		filter(out.V[x:], rows.V[x:], m.H, m.W, kernel)
	}
	return out
}

func filter(out, in []float64, size, step int, kernel []float64) {
	radius := len(kernel) / 2
	for i := range size {
		sum := 0.0
		for k, w := range kernel {
			sum += w * in[mirror(i+k-radius, size)*step]
		}
		out[i*step] = sum
	}
}

// mirror is the place inside that i outside stands for: d c b a | a b c d | d c b a.
func mirror(i, size int) int {
	i = ((i % (2 * size)) + 2*size) % (2 * size)
	return min(i, 2*size-1-i)
}
