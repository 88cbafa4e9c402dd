package image

/*
#cgo LDFLAGS: -ldeflate
#include "png.h"
*/
import "C"

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"unsafe"
)

// pass is a part of the picture with rows of its own: the pixels from (x, y) on, every dx-th of every dy-th row.
type pass struct{ x, y, dx, dy int }

var (
	wholePicture = []pass{{0, 0, 1, 1}}
	adam7        = []pass{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
)

func (f *pngFile) passes() []pass {
	if f.interlaced {
		return adam7
	}
	return wholePicture
}

// extent is the size of a pass: its rows and the bytes of each, without the one that names the filter.
func (f *pngFile) extent(p pass) (w, rows, stride int) {
	w, rows = (f.w-p.x+p.dx-1)/p.dx, (f.h-p.y+p.dy-1)/p.dy
	if w <= 0 || rows <= 0 {
		return 0, 0, 0
	}
	return w, rows, (w*f.channels()*f.depth + 7) / 8
}

// pixels are the picture's [h, w, step].
func (f *pngFile) pixels(step int) ([]byte, error) {
	size := 0
	for _, p := range f.passes() {
		_, rows, stride := f.extent(p)
		size += rows * (1 + stride)
	}
	rows, err := f.inflate(size)
	if err != nil {
		return nil, err
	}
	pixel := max(1, f.channels()*f.depth/8) // bytes, to the filters
	_, _, widest := f.extent(pass{0, 0, 1, 1})
	zeros := make([]byte, widest+C.PNG_SLACK)
	if !f.interlaced && f.depth == 8 { // as they stand
		return unfilter(rows, f.h, widest, pixel, zeros)
	}
	pix := make([]byte, f.h*f.w*step)
	for _, p := range f.passes() {
		w, h, stride := f.extent(p)
		part, err := unfilter(rows, h, stride, pixel, zeros)
		if err != nil {
			return nil, err
		}
		for y := range h {
			row, out := part[y*stride:(y+1)*stride], pix[(p.y+y*p.dy)*f.w*step:]
			for x := range w {
				f.put(out[(p.x+x*p.dx)*step:][:step], row, x)
			}
		}
		rows = rows[h*(1+stride):]
	}
	return pix, nil
}

// put converts pixel x of a row.
func (f *pngFile) put(q, row []byte, x int) {
	switch {
	case f.depth == 8, f.depth == 16 && f.colour == pngGrey:
		copy(q, row[x*len(q):])
	case f.depth == 16 && f.colour == pngGreyAlpha:
		grey := row[4*x]
		q[0], q[1], q[2], q[3] = grey, grey, grey, row[4*x+2]
	case f.depth == 16:
		for c := range q {
			q[c] = row[2*(x*len(q)+c)]
		}
	default:
		top := byte(1<<f.depth - 1)
		at := x * f.depth
		q[0] = row[at/8] >> (8 - f.depth - at%8) & top
		if f.colour == pngGrey {
			q[0] *= 255 / top
		}
	}
}

// inflate unpacks the picture into exactly size bytes, with room behind them.
func (f *pngFile) inflate(size int) ([]byte, error) {
	packed := f.picture
	const most = 1032 // bytes that one of Deflate can stand for
	if size/most > len(packed) {
		return nil, errPNGEnds
	}
	out := make([]byte, size+C.PNG_SLACK)[:size]
	status := C.png_inflate((*C.uchar)(unsafe.SliceData(packed)), C.size_t(len(packed)), (*C.uchar)(unsafe.SliceData(out)), C.size_t(size))
	switch status {
	case C.PNG_OK:
		return out, nil
	case C.PNG_TOO_LITTLE:
		return nil, errPNGEnds
	case C.PNG_TOO_MUCH:
		return nil, errPNGTooMuch
	}
	return out, inflateAgain(packed, out)
}

var errPNGTooMuch = fmt.Errorf("%w: there is more of the picture than its size asks for", ErrDamaged)

// inflateAgain has the last word on a stream that libdeflate refuses, because it knows why.
func inflateAgain(packed, out []byte) error {
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err == nil {
		_, err = io.ReadFull(r, out)
	}
	if err == nil { // only the checksum is left
		var n int
		if n, err = io.ReadFull(r, make([]byte, 1)); n > 0 {
			return errPNGTooMuch
		}
		if err == io.EOF {
			return nil
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errPNGEnds
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// unfilter gives the rows of a pass without the bytes that name their filters, in the same memory. zeros are as many as
// the widest row's bytes.
func unfilter(rows []byte, h, stride, pixel int, zeros []byte) ([]byte, error) {
	if h == 0 {
		return nil, nil
	}
	ok := C.png_unfilter((*C.uchar)(unsafe.SliceData(rows)), C.size_t(h), C.size_t(stride), C.int(pixel), (*C.uchar)(unsafe.SliceData(zeros)))
	if ok == 0 {
		return nil, fmt.Errorf("%w: a row of the picture names a filter that there is not", ErrDamaged)
	}
	return rows[: h*stride : h*stride], nil
}
