package faces

// style is how a generator draws: what its faces stand before, what its blots look like, what its pictures suffer.
type style struct {
	name      string
	backdrops []backdrop
	patterns  []pattern
	frequency span    // of the pattern, radians a face unit
	cast      rgb     // factor on each channel
	blur      float32 // added to every picture's own
}

// generators is all that sets the generators apart. G0 makes the training set; the others are unseen.
var generators = [...]style{
	{"G0", everywhere, []pattern{ring, checker}, span{1.3, 2.0}, rgb{1, 1, 1}, 0},
	{"U1", []backdrop{gradient}, []pattern{wave}, span{1.3, 2.0}, rgb{1.04, 1, 0.96}, 0},
	{"U2", []backdrop{noise, bokeh}, []pattern{checker}, span{1.6, 2.4}, rgb{1, 1, 1}, 0.1},
	{"U3", everywhere, []pattern{ring, wave}, span{1.0, 1.5}, rgb{0.97, 1, 1.03}, 0},
}

// reality is the style of real faces; they are the same world whatever set they are in.
var reality = style{name: "real", backdrops: everywhere, cast: white}

var everywhere = []backdrop{gradient, noise, bokeh, bars}

// Palettes of the faces, by hue, saturation and value.
var (
	skins  = []tone{{0.060, 0.30, 0.95}, {0.065, 0.40, 0.85}, {0.060, 0.50, 0.70}, {0.055, 0.55, 0.50}, {0.050, 0.58, 0.38}}
	hairs  = []tone{{0.08, 0.70, 0.15}, {0.07, 0.60, 0.35}, {0.11, 0.60, 0.75}, {0.04, 0.75, 0.45}, {0.60, 0.08, 0.55}}
	irises = []tone{{0.07, 0.65, 0.35}, {0.08, 0.60, 0.50}, {0.58, 0.55, 0.70}, {0.33, 0.35, 0.50}, {0.55, 0.20, 0.55}}
	jewels = []tone{{0.13, 0.60, 0.90}, {0.60, 0.10, 0.90}} // gold, silver
)

// Generators lists the names that Options.Generator may have.
func Generators() []string {
	names := make([]string, len(generators))
	for i, g := range generators {
		names[i] = g.name
	}
	return names
}
