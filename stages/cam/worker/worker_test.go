package worker

import (
	"encoding/binary"
	"encoding/json"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/pack/packtest"
	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/internal/trained/trainedtest"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/cam"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

var small = trainedtest.Small()

func weights(t *testing.T) string {
	t.Helper()
	path, _ := trainedtest.Save(t)
	return path
}

// explain makes the CAMs of a packed data set in an attempt folder and returns that of its outputs.
func explain(t *testing.T, weights, data string, params cam.Params) (dir string, index results.CAM) {
	t.Helper()
	raw, err := json.Marshal(cam.Job{Params: params, Trained: experiment.Trained{Model: small, Precision: "float32", ChannelsLast: true}})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	tk, err := (&task.Task{Node: "maps[seed=1]", Kind: "cam", Axes: map[string]string{"seed": "1"}, Params: raw, Device: "cpu", Threads: 1,
		Inputs: map[string][]task.Input{"model": {{Path: weights}}, "data": {{Path: data}}}}).In(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), tk); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(folder, "out", "cams")
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	return dir, index
}

// byHand is the CAM of one class for one image: the sum over channels of weight x feature, in float64 and in Go.
func byHand(t *testing.T, weights string, set *pack.Set, i, class int) (grid []float64, predicted int) {
	t.Helper()
	net, err := trained.Open(weights, experiment.Trained{Model: small, Precision: "float64"}, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	var features, head, logits []float64
	var shape []int
	if err := torch.Do(func(s *torch.Scope) error {
		s.InferenceMode(func() {
			pixels := s.FromBytes(set.Image(i), torch.Uint8, 1, set.Side(), set.Side(), 3)
			out := net.Forward(s, net.Normalise(s, pixels), model.Eval, "pooled")
			shape = out.Features["pooled"].Shape()
			features = torch.Slice[float64](s.Contiguous(out.Features["pooled"], torch.Contiguous))
			head = torch.Slice[float64](net.Head())
			logits = torch.Slice[float64](out.Logits)
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if logits[metrics.Synthetic] > logits[metrics.Real] {
		predicted = metrics.Synthetic
	}
	if class < 0 {
		class = predicted
	}
	channels, cells := shape[1], shape[2]*shape[3]
	grid = make([]float64, cells)
	for c := range channels {
		for k := range cells {
			grid[k] += head[class*channels+c] * features[c*cells+k]
		}
	}
	return grid, predicted
}

// readNPY reads a float32 array as NumPy writes it.
func readNPY(t *testing.T, path string) (header string, values []float64) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw[:8]) != "\x93NUMPY\x01\x00" {
		t.Fatalf("%s begins with %q", path, raw[:8])
	}
	length := int(binary.LittleEndian.Uint16(raw[8:]))
	header = string(raw[10 : 10+length])
	if (10+length)%64 != 0 || !strings.HasSuffix(header, "\n") {
		t.Errorf("a header of %d bytes is not aligned, or has no end", length)
	}
	for raw = raw[10+length:]; len(raw) > 0; raw = raw[4:] {
		values = append(values, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
	}
	return header, values
}

// The grids are the CAMs of the class that was asked for, and the index names each picture, which is there.
func TestRun(t *testing.T) {
	final, data := weights(t), packtest.Noise(t, 1, 9, 32, 4, "human")
	set, err := pack.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	for name, class := range map[string]func(i int) int{
		"predicted": func(int) int { return -1 },
		"true":      func(i int) int { return set.Rows()[i].Class },
		"real":      func(int) int { return metrics.Real },
		"synthetic": func(int) int { return metrics.Synthetic },
	} {
		t.Run(name, func(t *testing.T) {
			dir, index := explain(t, final, data, cam.Params{Images: 5, Class: name, Tap: "pooled", Map: "human", Batch: 4})
			if index.Class != name || index.Tap != "pooled" || index.Node+index.Folder != "" || index.MapName != "human (simulated)" || len(index.Images) != 5 {
				t.Fatalf("%+v", index)
			}
			place := map[string]int{}
			for i, row := range set.Rows() {
				place[row.Path] = i
			}
			humans := 0
			for _, image := range index.Images {
				i, ok := place[image.Path]
				if !ok {
					t.Fatalf("%s is none of the images", image.Path)
				}
				header, got := readNPY(t, filepath.Join(dir, image.Grid))
				if !strings.HasPrefix(header, "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 4), }") {
					t.Errorf("header %q", header)
				}
				want, predicted := byHand(t, final, set, i, class(i))
				for k := range want {
					if math.Abs(got[k]-want[k]) > 1e-4*(1+math.Abs(want[k])) {
						t.Fatalf("%s: cell %d is %g, by hand %g", image.Path, k, got[k], want[k])
					}
				}
				if (image.Score > 0.5) != (predicted == metrics.Synthetic) {
					t.Errorf("%s: score %g, predicted class %d", image.Path, image.Score, predicted)
				}
				if (image.Human != "") != (i%3 != 2) {
					t.Errorf("%s: picture of the human map %q", image.Path, image.Human)
				}
				for _, picture := range []string{image.Picture, image.Overlay, image.Human} {
					if picture == "" {
						continue
					}
					humans++
					if w, h := size(t, filepath.Join(dir, picture)); w != 32 || h != 32 {
						t.Errorf("%s has %d x %d pixels", picture, w, h)
					}
				}
			}
			if humans < 12 {
				t.Errorf("%d pictures of 5 images", humans)
			}
			if w, h := size(t, filepath.Join(dir, index.Mean)); w != 32+8+32 || h != 32 { // CAMs, a gap, human maps
				t.Errorf("%s has %d x %d pixels", index.Mean, w, h)
			}
			mean(t, filepath.Join(dir, index.Mean), func(i int) []float64 {
				grid, _ := byHand(t, final, set, i, class(i))
				return grid
			}, set.Len())
			if index.Human < -1 || index.Human > 1 {
				t.Errorf("the agreement with people is %g", index.Human)
			}
		})
	}
}

// mean checks the left panel of mean.png: the average of all CAMs, each in unit range.
func mean(t *testing.T, path string, cam func(i int) []float64, count int) {
	t.Helper()
	average := make([]float64, 4*4)
	for i := range count {
		grid := cam(i)
		low, high := slices.Min(grid), slices.Max(grid)
		for k, v := range grid {
			average[k] += (v - low) / (high - low) / float64(count)
		}
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range plot.Enlarge(average, 4, 4, 32) {
		got, want := color.NRGBAModel.Convert(picture.At(i%32, i/32)).(color.NRGBA), plot.HeatColour(v)
		for _, channel := range [][2]uint8{{got.R, want.R}, {got.G, want.G}, {got.B, want.B}} {
			if diff := int(channel[0]) - int(channel[1]); diff < -1 || diff > 1 { // float32 rounds to the next level
				t.Fatalf("%s at %d,%d is %v, want %v", path, i%32, i/32, got, want)
			}
		}
	}
}

func size(t *testing.T, path string) (w, h int) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return picture.Bounds().Dx(), picture.Bounds().Dy()
}

// The agreement is the mean correlation of CAM and human map over the images that have one; without maps there is none.
func TestAgreement(t *testing.T) {
	final, data := weights(t), packtest.Noise(t, 1, 9, 32, 4, "human")
	set, err := pack.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	cells, has, err := set.Map("human")
	if err != nil {
		t.Fatal(err)
	}
	want, n := 0.0, 0.0
	for i := range set.Len() {
		if has[i] {
			grid, _ := byHand(t, final, set, i, -1)
			human := make([]float64, len(grid))
			for k := range human {
				human[k] = float64(cells[i*len(grid)+k])
			}
			want += metrics.Correlation(grid, human)
			n++
		}
	}
	params := cam.Params{Images: 2, Class: "predicted", Tap: "pooled", Map: "human", Batch: 4}
	if _, index := explain(t, final, data, params); math.Abs(index.Human-want/n) > 1e-5 {
		t.Errorf("agreement %g, by hand %g", index.Human, want/n)
	}
	params.Map = "none"
	dir, index := explain(t, final, data, params)
	if index.Human != -2 || index.MapName != "" || index.Images[0].Human != "" {
		t.Errorf("without maps: %+v", index)
	}
	if w, _ := size(t, filepath.Join(dir, index.Mean)); w != 32 {
		t.Errorf("mean.png is %d pixels wide", w)
	}
}

// As many images as were asked for are shown, half of each class as far as there are, evenly over the set.
func TestChoose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		classes := rapid.SliceOfN(rapid.IntRange(0, 1), 0, 60).Draw(t, "classes")
		n := rapid.IntRange(0, 20).Draw(t, "images")
		rows := make([]pack.Row, len(classes))
		var have, shown [2]int
		for i, class := range classes {
			rows[i].Class = class
			have[class]++
		}
		chosen := choose(rows, n)
		for i := range chosen {
			shown[classes[i]]++
		}
		want := [2]int{min((n+1)/2, have[0]), min(n/2, have[1])}
		if d := cmp.Diff(want, shown); d != "" {
			t.Fatalf("%d of %v:\n%s", n, have, d)
		}
		for class, count := range shown {
			seen := 0
			for i, c := range classes {
				if c != class {
					continue
				}
				if chosen[i] {
					count--
				}
				seen++
				if done := shown[class] - count; shown[class] > 0 && math.Abs(float64(done)-float64(seen*shown[class])/float64(have[class])) > 1 {
					t.Fatalf("of class %d, %d of %d are shown among the first %d of %d", class, done, shown[class], seen, have[class])
				}
			}
		}
	})
}
