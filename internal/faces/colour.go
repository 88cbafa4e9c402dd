package faces

import "math"

// rgb is a colour; 0 is dark and 1 is full. Values outside of that are kept until the picture is developed.
type rgb struct{ r, g, b float32 }

var (
	black = rgb{}
	white = rgb{1, 1, 1}
)

func grey(v float32) rgb { return rgb{v, v, v} }

// hsv is the colour with that hue (turns, any number), saturation and value.
func hsv(hue, saturation, value float32) rgb {
	hue -= float32(math.Floor(float64(hue)))
	sector := int(hue * 6)
	f := hue*6 - float32(sector)
	p, q, t := value*(1-saturation), value*(1-saturation*f), value*(1-saturation*(1-f))
	switch sector % 6 {
	case 0:
		return rgb{value, t, p}
	case 1:
		return rgb{q, value, p}
	case 2:
		return rgb{p, value, t}
	case 3:
		return rgb{p, q, value}
	case 4:
		return rgb{t, p, value}
	}
	return rgb{value, p, q}
}

// tone is a colour by hue, saturation and value, for palettes.
type tone struct{ hue, saturation, value float32 }

// varied is the tone's colour with normal jitter in hue, saturation and value.
func (t tone) varied(d dice, hue, saturation, value float32) rgb {
	return hsv(d.around(t.hue, hue), unit(d.around(t.saturation, saturation)), unit(d.around(t.value, value)))
}

func (c rgb) times(k float32) rgb { return rgb{c.r * k, c.g * k, c.b * k} }
func (c rgb) plus(d rgb) rgb      { return rgb{c.r + d.r, c.g + d.g, c.b + d.b} }
func (c rgb) filter(d rgb) rgb    { return rgb{c.r * d.r, c.g * d.g, c.b * d.b} }
func (c rgb) brightest() float32  { return max(c.r, c.g, c.b) }
func (c rgb) clamped() rgb        { return rgb{unit(c.r), unit(c.g), unit(c.b)} }

// towards is c moved to d by the share t.
func (c rgb) towards(d rgb, t float32) rgb {
	return rgb{c.r + (d.r-c.r)*t, c.g + (d.g-c.g)*t, c.b + (d.b-c.b)*t}
}

// unit clamps to [0,1]. It runs for every channel of every pixel, where min and max, which mind NaN, cost more.
func unit(v float32) float32 {
	if v > 1 {
		return 1
	}
	if v < 0 {
		return 0
	}
	return v
}
