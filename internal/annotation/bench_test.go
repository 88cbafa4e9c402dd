package annotation_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
)

// BenchmarkDrawSVG draws a free-hand line of 5,000 places over an image of 1,024 x 1,024 pixels.
func BenchmarkDrawSVG(b *testing.B) {
	var path strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&path, "%c%.1f %.1f", "LM"[max(0, 1-i)], 512+400*math.Sin(float64(i)/97), 512+400*math.Sin(float64(i)/61))
	}
	text := []byte(`<svg width="1024" height="1024"><path d="` + path.String() + `" fill="none" stroke="red" stroke-width="20" stroke-linecap="round" stroke-linejoin="round"/></svg>`)
	for b.Loop() {
		if _, err := annotation.DrawSVG(text, 1024, 1024); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPairs compares 15 viewers' maps of an image of 800 x 600 pixels.
func BenchmarkPairs(b *testing.B) {
	var maps []*annotation.Map
	for k := range 15 {
		maps = append(maps, noise(800, 600, uint64(k)))
	}
	for b.Loop() {
		annotation.Pairs(maps)
	}
}

// BenchmarkSpread makes the map of 150 fixations on an image of 800 x 600 pixels.
func BenchmarkSpread(b *testing.B) {
	var points []annotation.Point
	for k := range 150 {
		points = append(points, annotation.Point{X: float64(5 * k), Y: float64(4 * k % 600), Weight: 1})
	}
	for b.Loop() {
		annotation.NewMap(800, 600).Spread(points, 18)
	}
}
