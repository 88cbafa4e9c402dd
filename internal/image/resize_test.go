package image_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// The golden values of the Python reference: Pillow's resize of one small picture and one small map.
func TestGolden(t *testing.T) {
	raw, err := os.ReadFile(testenv.Shared(t, "reference/golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Pixels map[string]json.RawMessage }
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	read := func(name string, into any) {
		if err := json.Unmarshal(golden.Pixels[name], into); err != nil {
			t.Fatal(name, err)
		}
	}
	var picture, want [][][3]int
	read("image", &picture)
	rgb := &image.RGB{W: len(picture[0]), H: len(picture), Pix: flatten(picture)}
	for _, side := range []int{4, 7, 12} {
		read(fmt.Sprintf("resized_%d", side), &want)
		if d := cmp.Diff(flatten(want), rgb.Resize(side, side, image.Bilinear).Pix); d != "" {
			t.Errorf("resized_%d: %s", side, d)
		}
	}
	var drawn [][]int
	read("human_map", &drawn)
	grey := &image.Grey{W: len(drawn[0]), H: len(drawn), Pix: flatten1(drawn)}
	for _, side := range []int{7, 10} {
		var want struct{ Bytes [][]int }
		read(fmt.Sprintf("human_map_%d", side), &want)
		if d := cmp.Diff(flatten1(want.Bytes), grey.Resize(side, side, image.Bilinear).Pix); d != "" {
			t.Errorf("human_map_%d: %s", side, d)
		}
	}
}

func flatten(rows [][][3]int) (out []byte) {
	for _, row := range rows {
		for _, p := range row {
			out = append(out, byte(p[0]), byte(p[1]), byte(p[2]))
		}
	}
	return out
}

func flatten1(rows [][]int) (out []byte) {
	for _, row := range rows {
		for _, v := range row {
			out = append(out, byte(v))
		}
	}
	return out
}

// What holds for any size and filter: a plain picture stays plain, three channels are three times one channel, and
// no value leaves the range of the input.
func TestResizeProperties(t *testing.T) {
	size := rapid.IntRange(1, 70)
	rapid.Check(t, func(t *rapid.T) {
		w, h, toW, toH := size.Draw(t, "w"), size.Draw(t, "h"), size.Draw(t, "toW"), size.Draw(t, "toH")
		filter := rapid.SampledFrom([]image.Filter{image.Bilinear, image.Box}).Draw(t, "filter")
		low := rapid.Byte().Draw(t, "low")
		high := rapid.ByteRange(low, 255).Draw(t, "high")
		rgb := &image.RGB{W: w, H: h, Pix: rapid.SliceOfN(rapid.ByteRange(low, high), 3*w*h, 3*w*h).Draw(t, "pixels")}
		got := rgb.Resize(toW, toH, filter)
		if got.W != toW || got.H != toH || len(got.Pix) != 3*toW*toH {
			t.Fatalf("%d x %d, %d bytes", got.W, got.H, len(got.Pix))
		}
		for _, v := range got.Pix {
			if v < low || v > high {
				t.Fatalf("%d is outside of %d to %d", v, low, high)
			}
		}
		for c := range 3 {
			channel := &image.Grey{W: w, H: h, Pix: every3rd(rgb.Pix, c)}
			if d := cmp.Diff(channel.Resize(toW, toH, filter).Pix, every3rd(got.Pix, c)); d != "" {
				t.Fatalf("channel %d alone: %s", c, d)
			}
		}
	})
}

func every3rd(pix []byte, c int) (out []byte) {
	for i := c; i < len(pix); i += 3 {
		out = append(out, pix[i])
	}
	return out
}

// The box filter is the mean of whole cells, rounded once along the rows and once along the columns.
func TestBoxIsTheMean(t *testing.T) {
	grey := &image.Grey{W: 96, H: 96, Pix: make([]byte, 96*96)}
	for i := range grey.Pix {
		grey.Pix[i] = byte(i * 31 / 7)
	}
	got := grey.Resize(12, 12, image.Box).Pix
	for y := range 12 {
		for x := range 12 {
			sum := 0.0
			for i := range 64 {
				sum += float64(grey.Pix[(8*y+i/8)*96+8*x+i%8])
			}
			if d := math.Abs(sum/64 - float64(got[12*y+x])); d > 1 {
				t.Errorf("cell %d,%d: %d, the mean is %.3f", y, x, got[12*y+x], sum/64)
			}
		}
	}
}

// Pillow 13's own bytes at the border where its two passes change places: the height shrinks by 4 pixels and by 5, the
// width by 2. In the other order, each would be one level off somewhere.
func TestPassOrder(t *testing.T) {
	for h, want := range map[int][]byte{
		7: {102, 143, 128, 152, 132, 129, 148, 146, 188},
		8: {109, 140, 124, 157, 139, 145, 126, 131, 195},
	} {
		grey := &image.Grey{W: 5, H: h, Pix: make([]byte, 5*h)}
		for i := range grey.Pix {
			grey.Pix[i] = byte((i*i*37 + i*11) % 251)
		}
		if d := cmp.Diff(want, grey.Resize(3, 3, image.Bilinear).Pix); d != "" {
			t.Errorf("height %d: %s", h, d)
		}
	}
}
