package saliency

import (
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
)

// check says what does not go together, each with the parameter that is to be changed.
func (p *Params) check(wrong func(param, format string, args ...any)) (sound bool) {
	sound = true
	say := func(bad bool, param, format string, args ...any) {
		if bad {
			sound = false
			wrong(param, format, args...)
		}
	}
	var given []string
	for _, source := range []struct{ param, value string }{
		{"drawings", p.Drawings}, {"boxes", p.Boxes}, {"polygons", p.Polygons}, {"clicks", p.Clicks}, {"fixations", p.Fixations},
	} {
		if source.value != "" {
			given = append(given, source.param)
		}
	}
	if len(given) != 1 {
		say(true, "", "one of drawings, boxes, polygons, clicks and fixations is needed; given: %s", strings.Join(append(given, "none")[:max(1, len(given))], ", "))
		return false
	}
	points := p.Points()
	say(points && p.Sigma.InPixels() <= 0, "sigma",
		"%s need a width: sigma: {degrees: 1, pixels_per_degree: 24}, or with screen_pixels, screen_cm and distance_cm, or {pixels: 20}", given[0])
	say(p.Sigma.Pixels > 0 && p.Sigma.Degrees > 0, "sigma", "sigma is given in pixels and in degrees; give one")
	say(!points && p.Sigma != (Sigma{}), "sigma", "sigma is for clicks and fixations; what smooths %s is smooth", given[0])
	say(!points && p.Average == "pooled", "average", "pooled is for clicks and fixations; %s have mean, any and majority", given[0])
	say(points && (p.Average == annotation.Any || p.Average == annotation.Majority), "average", "%s is for drawings, boxes and polygons; %s have mean and pooled", p.Average, given[0])
	say(p.DropFirst && p.Fixations == "", "drop_first", "drop_first is for fixations")
	say(len(p.Categories) > 0 && !strings.HasSuffix(p.Boxes+p.Polygons, ".json"), "categories", "categories are those of COCO's JSON")
	return sound
}

// Points tells whether the annotations are points.
func (p *Params) Points() bool { return p.Clicks != "" || p.Fixations != "" }

// InPixels is the width in pixels; 0 where it is not given in full.
func (s Sigma) InPixels() float64 {
	if s.Degrees == 0 {
		return s.Pixels
	}
	return s.Degrees * annotation.Degrees{
		ScreenWidth: s.ScreenPixels, ScreenCM: s.ScreenCM, DistanceCM: s.DistanceCM, PixelsPerUnit: s.PixelsPerDegree,
	}.PixelsPerDegree()
}
