package image

import "math"

// Filter is how a picture's pixels are weighed into those of another size. When shrinking, both filters widen with the
// scale, so that every pixel counts (antialiasing).
type Filter string

// The filters, by Pillow's names.
const (
	Bilinear Filter = "bilinear" // a triangle over two pixels
	Box      Filter = "box"      // the plain mean of the pixels covered
)

// Resize is Pillow's resize((w, h), filter), bit for bit. The aspect ratio is not kept. w and h are at least 1.
func (m *RGB) Resize(w, h int, f Filter) *RGB {
	return &RGB{w, h, resize(m.Pix, m.W, m.H, 3, w, h, f)}
}

// Resize is as that of RGB.
func (m *Grey) Resize(w, h int, f Filter) *Grey {
	return &Grey{w, h, resize(m.Pix, m.W, m.H, 1, w, h, f)}
}

// resize works as Pillow's two passes on 8-bit channels (Resample.c), each rounded to 8 bits: along the rows and along the
// columns. The columns come first where the height shrinks by more than twice the pixels that the width does, as since
// Pillow 13; the order changes the last bit. A pass that would not change the size is left out.
func resize(pix []byte, w, h, channels, toW, toH int, f Filter) []byte {
	switch {
	case w == toW && h == toH:
		return append([]byte(nil), pix...)
	case w == toW:
		return columnPass(pix, w*channels, f.windows(h, toH))
	case h == toH:
		return rowPass(pix, w, h, channels, f.windows(w, toW), 0, h)
	case h > toH && h-toH > 2*(w-toW):
		return rowPass(columnPass(pix, w*channels, f.windows(h, toH)), w, toH, channels, f.windows(w, toW), 0, toH)
	}
	// Rows that no output row reads need no work.
	columns := f.windows(h, toH)
	last := columns[toH-1]
	narrow := rowPass(pix, w, h, channels, f.windows(w, toW), columns[0].from, last.from+len(last.weights))
	return columnPass(narrow, toW*channels, columns)
}

// rowPass makes rows of len(windows) pixels of those from first up to last; the others stay black.
func rowPass(pix []byte, w, h, channels int, windows []window, first, last int) []byte {
	toW := len(windows)
	out := make([]byte, h*toW*channels)
	if channels == 3 {
		first += alongRows3(out[first*toW*3:], pix[first*w*3:last*w*3], w, windows)
	}
	for y := first; y < last; y++ {
		from, to := pix[y*w*channels:(y+1)*w*channels], out[y*toW*channels:(y+1)*toW*channels]
		if channels == 3 {
			alongRow3(to, from, windows)
		} else {
			alongRow1(to, from, windows)
		}
	}
	return out
}

// columnPass makes len(windows) rows, each of stride bytes.
func columnPass(pix []byte, stride int, windows []window) []byte {
	out, sum := make([]byte, len(windows)*stride), make([]uint32, stride)
	for y, window := range windows {
		alongColumn(out[y*stride:(y+1)*stride], pix[window.from*stride:], sum, window.weights)
	}
	return out
}

// window is the stretch of input pixels that one output pixel is made of.
type window struct {
	from    int
	weights []uint32 // in units of 1/2^22; they sum to about one
}

// Weights have 22 bits below the point: 32 less 8 for the pixel and 2 to spare.
const (
	precision = 32 - 8 - 2
	half      = 1 << (precision - 1)
)

// windows computes the windows of one pass. The explicit float64 conversions keep a compiler from fusing a product and
// a sum, which rounds once instead of twice.
func (f Filter) windows(in, out int) []window {
	support, weight := 1.0, triangle
	if f == Box {
		support, weight = 0.5, box
	}
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	support = float64(support * stretch)
	windows := make([]window, out)
	exact := make([]float64, 2*int(math.Ceil(support))+1)
	for i := range windows {
		center := float64((float64(i) + 0.5) * scale)
		from := max(0, int(center-support+0.5))
		to := min(in, int(center+support+0.5))
		total := 0.0
		for k := range to - from {
			exact[k] = weight(float64((float64(k+from) - center + 0.5) * (1 / stretch)))
			total += exact[k]
		}
		weights := make([]uint32, to-from)
		for k := range weights {
			w := exact[k]
			if total != 0 {
				w /= total
			}
			weights[k] = uint32(0.5 + float64(w*(1<<precision)))
		}
		windows[i] = window{from, weights}
	}
	return windows
}

func triangle(x float64) float64 { return max(0, 1-math.Abs(x)) }

func box(x float64) float64 {
	if -0.5 < x && x <= 0.5 {
		return 1
	}
	return 0
}

// alongRow3 and alongColumn take four weights at a time: the loops are bound by multiplications, not by counting.
func alongRow3(out, in []byte, windows []window) {
	for i := range windows {
		weights := windows[i].weights
		p := in[3*windows[i].from:]
		r, g, b := uint32(half), uint32(half), uint32(half)
		for len(weights) >= 4 && len(p) >= 12 {
			w0, w1, w2, w3 := weights[0], weights[1], weights[2], weights[3]
			r += uint32(p[0])*w0 + uint32(p[3])*w1 + uint32(p[6])*w2 + uint32(p[9])*w3
			g += uint32(p[1])*w0 + uint32(p[4])*w1 + uint32(p[7])*w2 + uint32(p[10])*w3
			b += uint32(p[2])*w0 + uint32(p[5])*w1 + uint32(p[8])*w2 + uint32(p[11])*w3
			weights, p = weights[4:], p[12:]
		}
		for len(weights) >= 1 && len(p) >= 3 {
			w := weights[0]
			r += uint32(p[0]) * w
			g += uint32(p[1]) * w
			b += uint32(p[2]) * w
			weights, p = weights[1:], p[3:]
		}
		q := out[3*i : 3*i+3]
		q[0], q[1], q[2] = clip(r), clip(g), clip(b)
	}
}

func alongRow1(out, in []byte, windows []window) {
	for i := range windows {
		from, weights := windows[i].from, windows[i].weights
		v := uint32(half)
		p := in[from : from+len(weights)]
		for k, w := range weights {
			v += uint32(p[k]) * w
		}
		out[i] = clip(v)
	}
}

// alongColumn weighs len(weights) rows, which follow each other in `in`, into one. sum is room to work in.
func alongColumn(out, in []byte, sum []uint32, weights []uint32) {
	for x := range sum {
		sum[x] = half
	}
	n := len(sum)
	for len(weights) >= 4 {
		w0, w1, w2, w3 := weights[0], weights[1], weights[2], weights[3]
		p0, p1, p2, p3 := in[:n], in[n:2*n], in[2*n:3*n], in[3*n:4*n]
		for x := range sum {
			sum[x] += uint32(p0[x])*w0 + uint32(p1[x])*w1 + uint32(p2[x])*w2 + uint32(p3[x])*w3
		}
		weights, in = weights[4:], in[4*n:]
	}
	for k, w := range weights {
		row := in[k*n : (k+1)*n]
		for x, v := range row {
			sum[x] += uint32(v) * w
		}
	}
	for x, v := range sum {
		out[x] = clip(v)
	}
}

func clip(v uint32) byte { return byte(min(v>>precision, 255)) }
