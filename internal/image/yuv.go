package image

import stdimage "image"

// rgbOfYUV is a lossy WebP picture in RGB, as libwebp makes it: each chroma sample covers two by two pixels, and between
// samples they are weighed 9:3:3:1 by nearness ("fancy upsampling", src/dsp/upsampling.c).
func rgbOfYUV(m *stdimage.YCbCr) []byte {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	pix := make([]byte, 3*w*h)
	cw, ch := (w+1)/2, (h+1)/2
	u, v := make([]byte, w), make([]byte, w)
	for y := range h {
		near := y / 2
		far := min(max(near-1+2*(y&1), 0), ch-1)
		upsample(u, m.Cb[near*m.CStride:near*m.CStride+cw], m.Cb[far*m.CStride:far*m.CStride+cw])
		upsample(v, m.Cr[near*m.CStride:near*m.CStride+cw], m.Cr[far*m.CStride:far*m.CStride+cw])
		luma, out := m.Y[y*m.YStride:y*m.YStride+w], pix[3*y*w:3*(y+1)*w]
		for x := range luma {
			q := out[3*x : 3*x+3]
			q[0], q[1], q[2] = yuvToRGB(int32(luma[x]), int32(u[x]), int32(v[x]))
		}
	}
	return pix
}

// upsample spreads a row of chroma over pixels; far is the row at the other side of the pixels' row.
func upsample(out, near, far []byte) {
	n := len(out)
	out[0] = byte((3*int(near[0]) + int(far[0]) + 2) >> 2)
	for x := 1; x <= (n-1)/2; x++ {
		left, right := int(near[x-1]), int(near[x])
		farLeft, farRight := int(far[x-1]), int(far[x])
		all := left + right + farLeft + farRight + 8
		// Rounding in two steps is part of the result.
		out[2*x-1] = byte(((all+2*(right+farLeft))>>3 + left) >> 1)
		out[2*x] = byte(((all+2*(left+farRight))>>3 + right) >> 1)
	}
	if n%2 == 0 {
		last := n/2 - 1
		out[n-1] = byte((3*int(near[last]) + int(far[last]) + 2) >> 2)
	}
}

// yuvToRGB is ITU-R 601 of video levels (16 to 235) in fixed point, as in libwebp's src/dsp/yuv.h.
func yuvToRGB(y, u, v int32) (r, g, b byte) {
	y = y * 19077 >> 8
	return clip6(y + v*26149>>8 - 14234), clip6(y - u*6419>>8 - v*13320>>8 + 8708), clip6(y + u*33050>>8 - 17685)
}

// clip6 drops six bits below the point.
func clip6(v int32) byte { return byte(min(max(v>>6, 0), 255)) }
