package plot

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func square(side int, c color.Color) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		img.Set(i%side, i/side, c)
	}
	return img
}

// A sheet of one block: what is large is as high as both rows, and every picture is where it belongs, in its colour.
func TestSheet(t *testing.T) {
	red, green, blue := color.RGBA{200, 0, 0, 255}, color.RGBA{0, 160, 0, 255}, color.RGBA{0, 0, 220, 255}
	s := Sheet{Title: "a<b", Note: "below", Blocks: []Block{{Name: "one", Number: 1, Corner: "AUC 0.5", Large: []Picture{{square(500, red), "map"}},
		Rows: [][]Picture{{{square(7, green), "x"}, {nil, "y"}}, {{square(300, blue), "z"}}}}}}
	svg := s.SVG()
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	text := string(svg)
	if strings.Count(text, `href="data:image/jpeg;base64,`) != 3 || strings.Count(text, "href") != 3 || !strings.Contains(text, "none") || !strings.Contains(text, "AUC 0.5") {
		t.Errorf("three pictures within, and a frame for the missing one:\n%.300s", text)
	}
	raw, err := s.PNG()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	w, h := s.size()
	if got := picture.Bounds().Size(); got.X != int(math.Ceil(w*density)) || got.Y != int(math.Ceil(h*density)) {
		t.Errorf("%v pixels for a figure of %v x %v", got, w, h)
	}
	large := s.Blocks[0].inner()
	if large != 2*sheetSide+sheetCaption {
		t.Errorf("the large picture is %v high", large)
	}
	top, left := s.head()+sheetHeading, sheetMargin+large+sheetGap
	for _, c := range []struct {
		x, y float64
		want color.RGBA
	}{
		{sheetMargin + 2, top + 2, red}, {sheetMargin + large - 2, top + large - 2, red},
		{left + 2, top + 2, green}, {left + sheetSide - 2, top + sheetSide - 2, green},
		{left + 2, top + sheetSide + sheetCaption + 2, blue}, {left + sheetSide + sheetGap + 4, top + 4, color.RGBA{227, 230, 234, 255}},
	} {
		if got := color.RGBAModel.Convert(picture.At(int(c.x*density), int(c.y*density))); got != c.want {
			t.Errorf("at %v,%v: %v, want %v", c.x, c.y, got, c.want)
		}
	}
}

// Enlarging keeps the range, the mean of a constant, and what lies at the centres of the cells.
func TestEnlarge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, w := rapid.IntRange(1, 5).Draw(t, "h"), rapid.IntRange(1, 5).Draw(t, "w")
		grid := rapid.SliceOfN(rapid.Float64Range(0, 1), h*w, h*w).Draw(t, "grid")
		side := h * w * 3 // a whole number of pixels a cell, on both axes
		big := Enlarge(grid, h, w, side)
		for _, v := range big {
			if v < 0 || v > 1 || math.IsNaN(v) {
				t.Fatalf("%v out of %v", v, grid)
			}
		}
		ph, pw := side/h, side/w
		if ph%2 == 0 || pw%2 == 0 {
			return // a cell's centre lies between pixels
		}
		for y := range h {
			for x := range w {
				if got := big[(y*ph+ph/2)*side+x*pw+pw/2]; math.Abs(got-grid[y*w+x]) > 1e-9 {
					t.Fatalf("cell %d,%d is %g, want %g", y, x, got, grid[y*w+x])
				}
			}
		}
	})
}
