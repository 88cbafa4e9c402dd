// Package pack is a data set ready to train on: images decoded and resized once, with their labels and saliency maps,
// in one file that is mapped into memory.
//
// Terms: a row is one image of the set, in the order of its CSV. The side is the images' height and width in pixels.
// The grid is the size of the class activation map that saliency maps are compared with; every map is kept twice, as
// that grid (for the loss) and, where an image has one, at the images' size (for pictures).
//
// The file, little-endian:
//
//	0      8 bytes   magic "CYBPACK\n"
//	8      uint32    version, 1
//	12     uint32    length of the header in bytes
//	16     32 bytes  SHA-256 of the header
//	48     header    JSON: the Header
//	       blocks    each starts at a multiple of 4096: the pixels [rows, side, side, 3]; then for each map, in the
//	                 header's order, the grids [rows, h, w] and the full maps [rows that have one, side, side]
//
// All values are uint8. Sizes and places of the blocks follow from the header, so that the same rows and bytes always
// give the same file. Map cells of an image without a map are zeros.
package pack

import (
	"fmt"
	"math"
)

// Header is what a pack says about itself.
type Header struct {
	Side  int       `json:"side"`   // pixels, 1 to 32768
	GridH int       `json:"grid_h"` // cells, 1 to 32768
	GridW int       `json:"grid_w"`
	Rows  []Row     `json:"rows"`
	Maps  []MapInfo `json:"maps,omitempty"`
	Notes []string  `json:"notes,omitempty"` // what a reader of results must know of this data, such as simulated maps
}

// Row is one image.
type Row struct {
	Path  string `json:"path"`  // as in the CSV
	Label string `json:"label"` // as in the CSV
	Class int    `json:"class"` // 0 Real, 1 Synthetic
}

// MapInfo declares one named saliency map and which images have it.
type MapInfo struct {
	Name      string `json:"name"`
	Simulated bool   `json:"simulated,omitempty"` // made by a program that plays the annotator
	Source    string `json:"source,omitempty"`    // where it came from, in words
	Has       Bits   `json:"has"`                 // one bit a row
}

const (
	magic     = "CYBPACK\n"
	version   = 1
	preamble  = 8 + 4 + 4 + 32
	alignment = 4096
	maxSide   = 1 << 15
)

// layout is where the blocks of a header lie.
type layout struct {
	pixels span
	maps   []mapSpans
	size   int64 // of the file
}

type mapSpans struct {
	grid span
	full span
	slot []int32 // by row: its place among the full maps, -1 without
}

type span struct{ at, len int64 }

// plan checks a header and computes where its blocks lie.
func plan(h Header, headerLen int) (layout, error) {
	var l layout
	for _, d := range []struct {
		name  string
		value int
	}{{"side", h.Side}, {"grid_h", h.GridH}, {"grid_w", h.GridW}} {
		if d.value < 1 || d.value > maxSide {
			return l, fmt.Errorf("%s %d is not between 1 and %d", d.name, d.value, maxSide)
		}
	}
	for i, r := range h.Rows {
		if r.Class < -1 || r.Class > 1 {
			return l, fmt.Errorf("row %d (%s) is of class %d; there are 0 and 1, and -1 for none", i, r.Path, r.Class)
		}
	}
	seen := make(map[string]bool, len(h.Maps))
	for _, m := range h.Maps {
		if m.Name == "" || seen[m.Name] {
			return l, fmt.Errorf("map %q: names must be given and differ", m.Name)
		}
		seen[m.Name] = true
		if m.Has.Len() != len(h.Rows) {
			return l, fmt.Errorf("map %q: says of %d images whether they have it, there are %d", m.Name, m.Has.Len(), len(h.Rows))
		}
	}
	l.size = preamble + int64(headerLen)
	square := int64(h.Side) * int64(h.Side)
	var err error
	next := func(count int, each int64) span {
		l.size = (l.size + alignment - 1) / alignment * alignment
		if each > 0 && int64(count) > (math.MaxInt64/4-l.size)/each {
			err = fmt.Errorf("%d blocks of %d bytes are more than a file can hold", count, each)
			return span{}
		}
		s := span{l.size, int64(count) * each}
		l.size += s.len
		return s
	}
	l.pixels = next(len(h.Rows), 3*square)
	for _, m := range h.Maps {
		slot, full := make([]int32, len(h.Rows)), 0
		for i := range slot {
			slot[i] = -1
			if m.Has.Get(i) {
				slot[i] = int32(full)
				full++
			}
		}
		grid := next(len(h.Rows), int64(h.GridH)*int64(h.GridW))
		l.maps = append(l.maps, mapSpans{grid, next(full, square), slot})
	}
	return l, err
}
