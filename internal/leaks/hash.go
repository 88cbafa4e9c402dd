package leaks

import (
	"math"
	"slices"
)

// Pixels is what a decoded image tells.
type Pixels struct {
	Mean  [3]float32 `json:"mean"`           // of red, green and blue, 0 to 255
	PHash uint64     `json:"phash"`          // by the cosine transform
	DHash uint64     `json:"dhash"`          // by differences of neighbours
	Flat  bool       `json:"flat,omitempty"` // too even for a hash to say anything
}

// flatBelow is the standard deviation in grey levels, of a picture shrunk to 32 x 32, below which its hashes are noise.
const flatBelow = 2.0

// Look measures an image: its colours [h, w, 3] and its grey [h, w], both as Pillow converts them.
func Look(rgb, grey []byte, w, h int) Pixels {
	var sums [3]uint64
	for i := 0; i+2 < len(rgb); i += 3 {
		sums[0] += uint64(rgb[i])
		sums[1] += uint64(rgb[i+1])
		sums[2] += uint64(rgb[i+2])
	}
	var p Pixels
	for c, sum := range sums {
		p.Mean[c] = float32(float64(sum) / float64(w*h))
	}
	small := lanczos(grey, w, h, transformed, transformed)
	p.PHash = pHash(small)
	p.DHash = dHash(lanczos(grey, w, h, 9, 8))
	p.Flat = deviation(small) < flatBelow
	return p
}

func deviation(pix []byte) float64 {
	sum, squares := 0.0, 0.0
	for _, v := range pix {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(pix))
	return math.Sqrt(max(0, squares/n-sum/n*sum/n))
}

// transformed is the side of the grey picture that pHash transforms.
const transformed = 32

// cosines are the first eight rows of the cosine transform of 32 values (DCT-II, as SciPy scales it).
var cosines = func() (c [8][transformed]float64) {
	for k := range c {
		for n := range c[k] {
			c[k][n] = 2 * math.Cos(math.Pi*float64(k)*float64(2*n+1)/(2*transformed))
		}
	}
	return c
}()

// pHash is phash of the Python package ImageHash, after Zauner, "Implementation and benchmarking of perceptual image hash
// functions" (2010): of a picture of 32 x 32, the lowest 8 x 8 coefficients of its cosine transform, each a bit that says
// whether it is above their median. The first bit is the highest.
func pHash(small []byte) uint64 {
	var down [8][transformed]float64 // transformed along the columns
	for k := range down {
		for y := range transformed {
			weight := cosines[k][y]
			for x, v := range small[y*transformed : (y+1)*transformed] {
				down[k][x] += weight * float64(v)
			}
		}
	}
	var low [64]float64
	for k := range down {
		for j := range 8 {
			sum := 0.0
			for x, v := range down[k] {
				sum += cosines[j][x] * v
			}
			low[8*k+j] = sum
		}
	}
	sorted := low
	slices.Sort(sorted[:])
	median := (sorted[31] + sorted[32]) / 2
	var hash uint64
	for _, v := range low {
		hash <<= 1
		if v > median {
			hash |= 1
		}
	}
	return hash
}

// dHash is dhash of ImageHash: of a picture of 9 x 8 pixels, whether each is darker than the one to its right.
func dHash(small []byte) uint64 {
	var hash uint64
	for y := range 8 {
		for x := range 8 {
			hash <<= 1
			if small[9*y+x+1] > small[9*y+x] {
				hash |= 1
			}
		}
	}
	return hash
}
