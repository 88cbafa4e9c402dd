// Package plot draws the figures of a run as SVG and PNG: curves with bands, dots by group, and sheets of pictures.
//
// Terms: a figure is a chart with its title, axes and legend, in units of CSS pixels (1/96 inch). A series is one setting
// (or another thing compared) and has a number; the same number has the same colour and marker in every figure and in the
// report. Series 0 is grey, for the baseline. The colours are those of Okabe and Ito ("Color universal design", 2008),
// which people with any usual colour blindness can tell apart; markers say the same again, and where there are more series than
// colours, other markers and dashed lines tell those of one colour apart.
//
// Figures are values; drawing one has no effect on it, and the same figure gives the same bytes. An SVG stands alone with
// the light colours on white; each of its parts has a class too (plot-ink, plot-s1 ...), so that a page that holds it
// inline may give it other colours by CSS. It has no scripts, no identifiers and no links;
// the pictures of a sheet lie within it.
package plot

import "math"

// Tone is a colour in #rrggbb on a light and on a dark page.
type Tone struct{ Light, Dark string }

// Palette holds the colours of the series; series n has Palette[n % len(Palette)].
func Palette() []Tone {
	return []Tone{
		{"#5f6874", "#a9b2bf"}, // grey
		{"#0072b2", "#56a8e0"}, // blue
		{"#d55e00", "#f28a4b"}, // vermilion
		{"#009e73", "#2fc79b"}, // bluish green
		{"#b65a94", "#e095c3"}, // reddish purple
		{"#b8860b", "#e8c04a"}, // dark yellow
		{"#2aa1c9", "#8fd6f2"}, // sky blue
	}
}

// Numbers gives each setting its series number: 0 to the baseline, the others from 1 in their order.
func Numbers(settings []string, baseline string) map[string]int {
	numbers := map[string]int{}
	next := 1
	for _, s := range settings {
		if _, known := numbers[s]; known {
			continue
		}
		if s == baseline {
			numbers[s] = 0
			continue
		}
		numbers[s] = next
		next++
	}
	return numbers
}

// Range is an axis's extent. The zero Range is taken from the data.
type Range struct{ Low, High float64 }

// ticks are about n round numbers within the range, and how many decimals they need.
func (r Range) ticks(n int) (at []float64, decimals int) {
	span := r.High - r.Low
	if !(span > 0) || math.IsInf(span, 0) {
		return nil, 0
	}
	rough := span / float64(max(n, 1))
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * unit
	for _, m := range []float64{1, 2, 5} {
		if rough <= m*unit*1.0000001 {
			step = m * unit
			break
		}
	}
	for k := math.Ceil(r.Low/step - 1e-9); k*step <= r.High+step*1e-9; k++ {
		at = append(at, k*step)
	}
	return at, max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
}

// covering is the smallest range with all values; a single value gets a margin.
func covering(values ...float64) Range {
	r := Range{math.Inf(1), math.Inf(-1)}
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			r.Low, r.High = math.Min(r.Low, v), math.Max(r.High, v)
		}
	}
	switch {
	case r.Low > r.High:
		return Range{0, 1}
	case r.Low == r.High:
		return Range{r.Low - 0.5, r.High + 0.5}
	}
	return r
}

func (r Range) clip(v float64) float64 { return math.Min(math.Max(v, r.Low), r.High) }

// widened grows the range by a share of its span at both ends, but not beyond the limits.
func (r Range) widened(share float64, limits Range) Range {
	by := share * (r.High - r.Low)
	return Range{math.Max(r.Low-by, limits.Low), math.Min(r.High+by, limits.High)}
}
