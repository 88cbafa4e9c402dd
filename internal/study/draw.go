package study

import (
	"image"
	"image/color"
	"math"
)

// Draw paints strokes on an image of width x height pixels: 255 where a brush went, 0 elsewhere. A pixel belongs to a
// stroke if its centre is no farther from the stroke's line than half the brush.
func Draw(strokes []Stroke, width, height int) *image.Gray {
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for _, s := range strokes {
		radius := s.Size * float64(width) / 2
		for i := range s.Points {
			from := s.Points[max(0, i-1)]
			paint(picture, scaled(from, width, height), scaled(s.Points[i], width, height), radius)
		}
	}
	return picture
}

type point struct{ x, y float64 }

func scaled(p [2]float64, width, height int) point {
	return point{p[0] * float64(width), p[1] * float64(height)}
}

// paint fills all pixels whose centres are within radius of the segment from a to b.
func paint(picture *image.Gray, a, b point, radius float64) {
	size := picture.Bounds()
	left, right := span(math.Min(a.x, b.x)-radius, math.Max(a.x, b.x)+radius, size.Dx())
	top, bottom := span(math.Min(a.y, b.y)-radius, math.Max(a.y, b.y)+radius, size.Dy())
	for y := top; y < bottom; y++ {
		for x := left; x < right; x++ {
			if distance(point{float64(x) + 0.5, float64(y) + 0.5}, a, b) <= radius {
				picture.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
}

// span is the pixels from low to high, of those that there are.
func span(low, high float64, size int) (from, to int) {
	return max(0, int(math.Floor(low))), min(size, int(math.Ceil(high))+1)
}

// distance is that of p from the segment from a to b.
func distance(p, a, b point) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	along := 0.0
	if length := dx*dx + dy*dy; length > 0 {
		along = math.Min(1, math.Max(0, ((p.x-a.x)*dx+(p.y-a.y)*dy)/length))
	}
	return math.Hypot(p.x-a.x-along*dx, p.y-a.y-along*dy)
}
