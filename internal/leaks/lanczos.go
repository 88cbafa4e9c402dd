package leaks

import "math"

// Pillow's resampling works in whole numbers of 1/2^22 and rounds each pass to 8 bits (Resample.c).
const (
	lanczosBits    = 22
	lanczosSupport = 3.0
)

// lanczos resizes grey [h, w] to [toH, toW] as Pillow's resize((toW, toH), LANCZOS) does, bit for bit.
func lanczos(pix []byte, w, h, toW, toH int) []byte {
	rows := func(pix []byte, w, h, to int) []byte {
		out := make([]byte, h*to)
		for i, window := range lanczosWindows(w, to) {
			for y := range h {
				sum := int32(1 << (lanczosBits - 1))
				for k, p := range pix[y*w+window.from:][:len(window.weights)] {
					sum += int32(p) * window.weights[k]
				}
				out[y*to+i] = clip8(sum)
			}
		}
		return out
	}
	columns := func(pix []byte, w, h, to int) []byte {
		out, sums := make([]byte, to*w), make([]int32, w)
		for i, window := range lanczosWindows(h, to) {
			for x := range sums {
				sums[x] = 1 << (lanczosBits - 1)
			}
			for k, weight := range window.weights {
				for x, p := range pix[(window.from+k)*w:][:w] {
					sums[x] += int32(p) * weight
				}
			}
			for x, sum := range sums {
				out[i*w+x] = clip8(sum)
			}
		}
		return out
	}
	switch {
	case w == toW && h == toH:
		return pix
	case w == toW:
		return columns(pix, w, h, toH)
	case h == toH:
		return rows(pix, w, h, toW)
	case h > toH && h-toH > 2*(w-toW): // as since Pillow 13
		return rows(columns(pix, w, h, toH), w, toH, toW)
	}
	return columns(rows(pix, w, h, toW), toW, h, toH)
}

func clip8(sum int32) byte { return byte(min(max(sum>>lanczosBits, 0), 255)) }

type lanczosWindow struct {
	from    int
	weights []int32
}

// lanczosWindows are the input pixels that each output pixel is made of. The conversions keep a compiler from rounding a
// product and a sum at once.
func lanczosWindows(in, out int) []lanczosWindow {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	support := float64(lanczosSupport * stretch)
	windows := make([]lanczosWindow, out)
	for i := range windows {
		center := float64((float64(i) + 0.5) * scale)
		from := max(0, int(center-support+0.5))
		to := min(in, int(center+support+0.5))
		exact, total := make([]float64, to-from), 0.0
		for k := range exact {
			exact[k] = lanczosWeight(float64((float64(k+from) - center + 0.5) * (1 / stretch)))
			total += exact[k]
		}
		weights := make([]int32, len(exact))
		for k, w := range exact {
			if total != 0 {
				w /= total
			}
			weights[k] = int32(math.Copysign(0.5, w) + float64(w*(1<<lanczosBits)))
		}
		windows[i] = lanczosWindow{from, weights}
	}
	return windows
}

func lanczosWeight(x float64) float64 {
	if x < -lanczosSupport || x >= lanczosSupport {
		return 0
	}
	return sinc(x) * sinc(x/lanczosSupport)
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}
