package plot

import (
	"image"
	"image/color"
	"math"
)

// Heat lays a map with values from 0 to 1 half over a photograph; without a map it is the photograph.
//
//	photo [side,side,3]    heat [side,side] or nil
func Heat(photo []byte, heat []float64, side int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		c := color.NRGBA{photo[3*i], photo[3*i+1], photo[3*i+2], 255}
		if heat != nil {
			h := HeatColour(heat[i])
			c = color.NRGBA{mix(c.R, h.R), mix(c.G, h.G), mix(c.B, h.B), 255}
		}
		img.SetNRGBA(i%side, i/side, c)
	}
	return img
}

func mix(a, b uint8) uint8 { return uint8((int(a) + int(b) + 1) / 2) }

// heatStops are the colours of 0 to 1: viridis (van der Walt and Smith, 2015), whose lightness grows evenly.
var heatStops = [...][3]float64{{68, 1, 84}, {72, 40, 120}, {62, 74, 137}, {49, 104, 142}, {38, 130, 142}, {31, 158, 137}, {53, 183, 121}, {110, 206, 88}, {181, 222, 43}, {253, 231, 37}}

// HeatColour is the colour of a value; those outside of 0 to 1 have the colour of the nearer end.
func HeatColour(v float64) color.NRGBA {
	at := math.Max(0, math.Min(1, v)) * float64(len(heatStops)-1)
	low := min(int(at), len(heatStops)-2)
	part := at - float64(low)
	channel := func(i int) uint8 {
		return uint8(math.Round(heatStops[low][i] + (heatStops[low+1][i]-heatStops[low][i])*part))
	}
	return color.NRGBA{channel(0), channel(1), channel(2), 255}
}

// Enlarge brings a grid of h x w cells to side x side pixels, bilinearly between the centres of its cells.
func Enlarge(grid []float64, h, w, side int) []float64 {
	out := make([]float64, side*side)
	for y := range side {
		y0, y1, fy := between(y, h, side)
		for x := range side {
			x0, x1, fx := between(x, w, side)
			top := grid[y0*w+x0]*(1-fx) + grid[y0*w+x1]*fx
			bottom := grid[y1*w+x0]*(1-fx) + grid[y1*w+x1]*fx
			out[y*side+x] = top*(1-fy) + bottom*fy
		}
	}
	return out
}

func between(pixel, cells, side int) (low, high int, part float64) {
	at := (float64(pixel)+0.5)*float64(cells)/float64(side) - 0.5
	at = math.Max(0, math.Min(float64(cells-1), at))
	low = int(at)
	return low, min(low+1, cells-1), at - float64(low)
}
