package image

/*
#cgo CFLAGS: -O2
#include "resize.h"
*/
import "C"

import "unsafe"

// alongRows3 is alongRow3 for many rows at once, by the processor's vectors. It leaves the last rows undone that it
// cannot do, and says how many rows it did.
func alongRows3(out, in []byte, w int, windows []window) (rows int) {
	taps := 0
	for _, window := range windows {
		taps = max(taps, len(window.weights))
	}
	taps += taps % 2
	rows = (len(in) - 1) / (3 * w) // a byte after them is read
	if taps > w || rows < 1 {
		return 0
	}
	from, weights := make([]int32, len(windows)), make([]uint32, taps*len(windows))
	for i, window := range windows {
		first := min(window.from, w-taps) // so that all taps lie in the row; those outside the window weigh nothing
		from[i] = int32(first)
		for k, weight := range window.weights {
			k += window.from - first
			half, pair := k%2*16, weights[i*taps+k&^1:]
			pair[0] |= weight & (1<<15 - 1) << half
			pair[1] |= weight >> 15 << half
		}
	}
	C.resize_rows3((*C.uchar)(unsafe.SliceData(in)), C.size_t(w), (*C.uchar)(unsafe.SliceData(out)), C.size_t(len(windows)),
		C.size_t(rows), (*C.int32_t)(unsafe.SliceData(from)), (*C.uint32_t)(unsafe.SliceData(weights)), C.size_t(taps))
	return rows
}
