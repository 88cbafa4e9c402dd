package plot

import "image"

// point is a place in pixels from the top left corner.
type point struct{ x, y float64 }

// paint is a colour by its role: the class that a page's CSS may recolour, and the light colour for everything else.
type paint struct{ class, hex string }

var (
	ink   = paint{"plot-ink", "#1d2129"}
	muted = paint{"plot-muted", "#5b6370"}
	faint = paint{"plot-faint", "#e3e6ea"}
	paper = paint{"plot-paper", "#ffffff"}
)

func series(n int) paint {
	palette := Palette()
	n %= len(palette)
	return paint{"plot-s" + string(rune('0'+n)), palette[n].Light}
}

type stroke struct {
	paint
	width float64
	dash  []float64
}

type anchor int

const (
	start anchor = iota
	middle
	end
)

type label struct {
	at      point // on the baseline of the letters
	text    string
	size    float64
	bold    bool
	anchor  anchor
	upright bool // turned by 90 degrees, to be read from below
	paint
}

// canvas is what figures are drawn on.
type canvas interface {
	line(points []point, s stroke)
	area(points []point, fill paint, opacity float64)
	text(l label)
	picture(img image.Image, at point, side float64) // a square
}

// marker draws series n's sign around a place: circle, square, triangle, diamond and so on.
func marker(c canvas, n int, at point, radius float64, opacity float64) {
	c.area(shape(n, at, radius), series(n), opacity)
}
