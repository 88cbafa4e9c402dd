//go:build slow

package examples_test

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// simulatedMaps makes a map for every image of the training list: a soft spot where a face's eyes and nose would be.
func simulatedMaps(t *testing.T, faces string) string {
	t.Helper()
	dir := t.TempDir()
	raw, err := os.ReadFile(filepath.Join(faces, "csvs", "train.csv"))
	if err != nil {
		t.Fatal(err)
	}
	spot := image.NewGray(image.Rect(0, 0, 128, 128))
	for y := range 128 {
		for x := range 128 {
			dx, dy := float64(x-64), float64(y-60)
			spot.SetGray(x, y, color.Gray{Y: uint8(math.Round(255 * math.Exp(-(dx*dx+dy*dy)/(2*24*24))))})
		}
	}
	for _, line := range strings.Fields(string(raw)) {
		path := line[strings.LastIndex(line, ",")+1:]
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) + ".png"
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(file, spot); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
