package report

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// npy is a float32 array [h,w] as NumPy writes it.
func npy(h, w int, values ...float32) []byte {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }\n", h, w)
	raw := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
	raw = append(raw, header...)
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return raw
}

// solid is a picture of one grey.
func solid(t testing.TB, side int, grey uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, side, side))
	for i := range img.Pix {
		img.Pix[i] = grey
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// told is a run of two settings with two seeds each, on a real and a synthetic image, and a second set of maps beside.
func told(t testing.TB) (*results.Summary, fstest.MapFS) {
	t.Helper()
	s := &results.Summary{Compare: "loss", Repeat: "seed", Metric: "auc", Settings: []string{"plain", "cyborg"}}
	files := fstest.MapFS{}
	add := func(node, setting string, seed int, mapName string, score float64, cells ...float32) {
		folder := "cams/" + node
		files[folder+"/p.png"] = &fstest.MapFile{Data: solid(t, 16, 100)}
		files[folder+"/m.png"] = &fstest.MapFile{Data: solid(t, 16, 50)}
		files[folder+"/c.npy"] = &fstest.MapFile{Data: npy(2, 2, cells...)}
		cam := results.CAM{Node: node, Axes: map[string]string{"loss": setting, "seed": fmt.Sprint(seed)}, Setting: setting, Folder: folder, MapName: mapName}
		for _, label := range []string{"Real", "Synthetic"} {
			cam.Images = append(cam.Images, results.CAMImage{Path: label + ".png", Label: label, Score: score, Picture: "p.png", Human: "m.png", Grid: "c.npy"})
		}
		s.Maps = append(s.Maps, cam)
	}
	add("a1", "plain", 1, "human (simulated)", 0.2, 0, 1, 1, 1)
	add("a2", "plain", 2, "human (simulated)", 0.8, 5, 5, 5, 7) // in unit range 0 0 0 1
	add("b1", "cyborg", 1, "human (simulated)", 0.9, 3, 3, 3, 3)
	add("b2", "cyborg", 2, "human (simulated)", 0.7, 3, 3, 3, 3)
	add("b1-head", "cyborg", 1, "head (simulated)", 0.9, 3, 3, 3, 3)
	return s, files
}

func TestStory(t *testing.T) {
	s, files := told(t)
	got := newStory(s, files)
	if got == nil || len(got.Rows) != 2 || got.Rows[0].Label != "Synthetic" {
		t.Fatalf("%+v, want a synthetic and a real row", got)
	}
	got.bands = newBands(s.Groups(), got.names())
	if fmt.Sprint(got.Maps, got.Settings, got.Width()) != "[human (simulated) head (simulated)] [{plain 2} {cyborg 2}] 5" {
		t.Errorf("columns %v, %v: %d", got.Maps, got.Settings, got.Width())
	}
	for _, row := range got.Rows {
		right := map[string]int{"Synthetic": 1, "Real": 1}[row.Label]
		if c := row.Cells[0]; math.Abs(c.Score-0.5) > 1e-12 || c.N != 2 || c.Right != right {
			t.Errorf("%s by plain: %+v, want the score 0.5, %d of 2 right", row.Label, c, right)
		}
		right = map[string]int{"Synthetic": 2, "Real": 0}[row.Label]
		if c := row.Cells[1]; math.Abs(c.Score-0.8) > 1e-12 || c.N != 2 || c.Right != right {
			t.Errorf("%s by cyborg: %+v, want the score 0.8, %d of 2 right, the second map of seed 1 left out", row.Label, c, right)
		}
		if row.Picture == "" || row.Maps[0] == "" || row.Maps[1] == "" {
			t.Errorf("%s: a picture is missing", row.Label)
		}
	}
}

// TestStoryAveragesUnitRanges looks at the corners of an overlay: the mean of (0 1 1 1) and (0 0 0 1), and a CAM without
// range, which counts as zeros.
func TestStoryAveragesUnitRanges(t *testing.T) {
	s, files := told(t)
	row := newStory(s, files).Rows[0]
	corner := func(url template.URL, x, y int) color.Color {
		t.Helper()
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(url), "data:image/png;base64,"))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		return img.At(x, y)
	}
	off := func(a, b uint32) bool { return max(a, b)-min(a, b) > 0x101 } // more than one of 255
	under := func(v float64) color.Color {                               // grey 100 below the value's colour
		return plot.Heat([]byte{100, 100, 100}, []float64{v}, 1).At(0, 0)
	}
	for _, c := range []struct {
		setting, x, y int
		want          float64
	}{{0, 0, 0, 0}, {0, 15, 0, 0.5}, {0, 0, 15, 0.5}, {0, 15, 15, 1}, {1, 15, 15, 0}} {
		got, want := corner(row.Cells[c.setting].Overlay, c.x, c.y), under(c.want)
		r, g, b, _ := got.RGBA()
		r2, g2, b2, _ := want.RGBA()
		if off(r, r2) || off(g, g2) || off(b, b2) {
			t.Errorf("setting %d at (%d,%d): %v, want %v", c.setting, c.x, c.y, got, want)
		}
	}
}

func TestStorySaysWhoseCAMs(t *testing.T) {
	for want, cams := range map[string][]results.CAM{
		"": {{}},
		" of the true class, read at the tap pooled":                                      {{Class: "true", Tap: "pooled"}, {Class: "true", Tap: "pooled"}},
		" of the predicted class and the class Real, read at the taps pooled and authors": {{Class: "predicted", Tap: "pooled"}, {Class: "real", Tap: "authors"}},
	} {
		if got := reading(cams); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	in := small(t, "")
	for i := range in.Summary.Maps {
		in.Summary.Maps[i].Class, in.Summary.Maps[i].Tap = "true", "pooled"
	}
	if n := strings.Count(write(t, in), " of the true class, read at the tap pooled"); n != 3 {
		t.Errorf("the page says %d times whose CAMs it shows, want 3: all repeats, one repeat, the average", n)
	}
}

func TestStoryIsLeftOut(t *testing.T) {
	for name, spoil := range map[string]func(s *results.Summary, files fstest.MapFS){
		"where every setting has one repeat": func(s *results.Summary, _ fstest.MapFS) { s.Maps = []results.CAM{s.Maps[0], s.Maps[2]} },
		"where no CAM was made":              func(s *results.Summary, _ fstest.MapFS) { s.Maps = nil },
		"where a grid is missing":            func(_ *results.Summary, files fstest.MapFS) { delete(files, "cams/a2/c.npy") },
		"where a grid is no array":           func(_ *results.Summary, files fstest.MapFS) { files["cams/a2/c.npy"].Data = []byte("no") },
		"where grids differ in size":         func(_ *results.Summary, files fstest.MapFS) { files["cams/a2/c.npy"].Data = npy(1, 1, 3) },
		"where a picture is none":            func(_ *results.Summary, files fstest.MapFS) { files["cams/a1/p.png"].Data = []byte("\x89PNG") },
		"where a model lacks the images":     func(s *results.Summary, _ fstest.MapFS) { s.Maps[1].Images = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s, files := told(t)
			spoil(s, files)
			if got := newStory(s, files); got != nil {
				t.Errorf("%+v", got)
			}
		})
	}
	s, _ := told(t)
	if got := newStory(s, nil); got != nil {
		t.Errorf("without files: %+v", got)
	}
}

// FuzzNPY: what is taken for an array has as many finite values as it says.
func FuzzNPY(f *testing.F) {
	f.Add(npy(2, 3, 1, 2, 3, 4, 5, 6))
	f.Add(npy(1, 1, float32(math.NaN())))
	f.Add(npy(2, 2, 1))
	f.Add([]byte("\x93NUMPY\x01\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		values, h, w, ok := parseNPY(raw)
		if ok != (values != nil) || len(values) != h*w && ok {
			t.Errorf("%v: %d x %d with %d values", ok, h, w, len(values))
		}
		for _, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("value %v", v)
			}
		}
	})
}
