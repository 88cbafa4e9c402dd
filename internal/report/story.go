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
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

const (
	storyRows   = 8       // images, half of each label
	storyBudget = 2 << 20 // bytes of all pictures
	storySide   = 160     // pixels; larger pictures are made so small
)

// story shows the same images under every setting, averaged over all of its repeats: what people (simulated or not) and
// masks say of an image, and where the networks of a setting look. One lucky training cannot tell it.
type story struct {
	Repeat   string     // seed
	Maps     []string   // names of the maps: "human (simulated)"
	Settings []storyOf  // columns
	Rows     []storyRow // images
	Read     string     // of which class, at which tap: "" where that is not known
	bands
}

// storyOf is a setting and how many repeats its CAMs are averaged over.
type storyOf struct {
	Setting string
	N       int
}

type storyRow struct {
	Label, Path string
	Picture     template.URL
	Maps        []template.URL // by story.Maps; empty: the image has none
	Cells       []storyCell    // by story.Settings
}

// storyCell is the mean of the CAMs of one image over a setting's repeats, each in [0,1], and of the scores.
type storyCell struct {
	Overlay  template.URL
	Score    float64
	Right, N int // repeats whose score is on the label's side of 0.5, of how many
}

// Width is the number of columns with pictures.
func (s story) Width() int { return 1 + len(s.Maps) + len(s.Heads) }

func (s story) names() (names []string) {
	for _, of := range s.Settings {
		names = append(names, of.Setting)
	}
	return names
}

// Over is how many repeats stand behind a column, at most.
func (s story) Over(column int) (n int) {
	for _, b := range s.Bands {
		if column < len(b.At) && b.At[column] >= 0 {
			n = max(n, s.Settings[b.At[column]].N)
		}
	}
	return n
}

// newStory is nil where no setting has several repeats: the grid of one repeat then says the same.
func newStory(s *results.Summary, files fs.FS) *story {
	t := teller{files: files, left: storyBudget, models: map[string][]results.CAM{}}
	out := &story{Repeat: s.Repeat, Read: reading(s.Maps)}
	for _, cam := range s.Maps {
		if cam.MapName != "" && !slices.Contains(out.Maps, cam.MapName) {
			out.Maps = append(out.Maps, cam.MapName)
		}
		t.all = append(t.all, cam)
	}
	several := false
	for _, setting := range s.Settings {
		t.models[setting] = firstOfEachRepeat(s, setting)
		if n := len(t.models[setting]); n > 0 {
			out.Settings = append(out.Settings, storyOf{setting, n})
			several = several || n > 1
		}
	}
	if files == nil || !several {
		return nil
	}
	shown := map[string]int{}
	for _, shot := range alternating(t.models[out.Settings[0].Setting][0].Images) {
		if shown[shot.Label] == storyRows/2 {
			continue
		}
		if row, ok := t.row(shot, out); ok {
			shown[shot.Label]++
			out.Rows = append(out.Rows, row)
		}
	}
	if len(out.Rows) == 0 {
		return nil
	}
	slices.SortStableFunc(out.Rows, func(a, b storyRow) int { return labelOrder(a.Label) - labelOrder(b.Label) })
	return out
}

// reading says whose CAMs are shown, and which layer they read: " of the predicted class, read at the tap pooled".
func reading(cams []results.CAM) (text string) {
	var classes, taps []string
	for _, cam := range cams {
		class := map[string]string{"predicted": "the predicted class", "true": "the true class", "real": "the class Real", "synthetic": "the class Synthetic"}[cam.Class]
		if class != "" && !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
		if cam.Tap != "" && !slices.Contains(taps, cam.Tap) {
			taps = append(taps, cam.Tap)
		}
	}
	if len(classes) > 0 {
		text = " of " + list(classes)
	}
	switch len(taps) {
	case 0:
	case 1:
		text += ", read at the tap " + taps[0]
	default:
		text += ", read at the taps " + list(taps)
	}
	return text
}

// firstOfEachRepeat are the CAMs of a setting's models, each once: a spec may make them several times, beside several maps.
func firstOfEachRepeat(s *results.Summary, setting string) (first []results.CAM) {
	var seen []string
	for _, cam := range s.Maps {
		if repeat := cam.Axes[s.Repeat]; cam.Setting == setting && !slices.Contains(seen, repeat) {
			seen, first = append(seen, repeat), append(first, cam)
		}
	}
	return first
}

// teller makes the pictures, within a budget.
type teller struct {
	files  fs.FS
	left   int
	all    []results.CAM
	models map[string][]results.CAM // by setting
}

// row is one image under every setting; ok is false where one lacks it, or the budget is spent.
func (t *teller) row(shot results.CAMImage, s *story) (row storyRow, ok bool) {
	row = storyRow{Label: shot.Label, Path: shot.Path, Maps: make([]template.URL, len(s.Maps))}
	spent := 0
	show := func(img image.Image) template.URL {
		var file bytes.Buffer
		if err := png.Encode(&file, img); err != nil {
			return ""
		}
		spent += file.Len()
		return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(file.Bytes()))
	}
	photo, err := t.photo(t.models[s.Settings[0].Setting][0].Folder, shot.Picture)
	if err != nil {
		return row, false
	}
	row.Picture = show(photo)
	for _, cam := range t.all {
		at := slices.Index(s.Maps, cam.MapName)
		if at < 0 || row.Maps[at] != "" {
			continue
		}
		if of := imageOf(cam, shot.Path); of != nil && of.Human != "" {
			if marked, err := t.photo(cam.Folder, of.Human); err == nil {
				row.Maps[at] = show(marked)
			}
		}
	}
	for _, of := range s.Settings {
		heat, cell, err := t.mean(t.models[of.Setting], shot)
		if err != nil {
			return row, false
		}
		cell.Overlay = show(overlay(photo, heat))
		row.Cells = append(row.Cells, cell)
	}
	t.left -= spent
	return row, t.left >= 0
}

// mean is the average CAM of an image over the models, as a grey picture of one pixel a cell.
func (t *teller) mean(models []results.CAM, shot results.CAMImage) (heat *image.Gray16, cell storyCell, err error) {
	class, _ := metrics.Class(shot.Label)
	var sum []float64
	var h, w int
	for _, cam := range models {
		of := imageOf(cam, shot.Path)
		if of == nil {
			return nil, cell, fmt.Errorf("%s has no CAM of %s", cam.Node, shot.Path)
		}
		var grid []float64
		if grid, h, w, err = t.grid(cam.Folder, of.Grid); err != nil {
			return nil, cell, err
		}
		if sum == nil {
			sum = make([]float64, len(grid))
		}
		if len(grid) != len(sum) {
			return nil, cell, fmt.Errorf("%s: a CAM of %d x %d cells among others", cam.Node, h, w)
		}
		for i, v := range unitRange(grid) {
			sum[i] += v / float64(len(models))
		}
		cell.N++
		cell.Score += of.Score / float64(len(models))
		if (of.Score > 0.5) == (class == metrics.Synthetic) {
			cell.Right++
		}
	}
	heat = image.NewGray16(image.Rect(0, 0, w, h))
	for i, v := range sum {
		heat.SetGray16(i%w, i/w, color.Gray16{Y: uint16(math.Round(v * math.MaxUint16))})
	}
	return heat, cell, nil
}

func imageOf(cam results.CAM, path string) *results.CAMImage {
	if at := slices.IndexFunc(cam.Images, func(o results.CAMImage) bool { return o.Path == path }); at >= 0 {
		return &cam.Images[at]
	}
	return nil
}

// unitRange scales values to [0,1]; equal ones become 0, as in the loss.
func unitRange(grid []float64) []float64 {
	low, high := slices.Min(grid), slices.Max(grid)
	out := make([]float64, len(grid))
	for i, v := range grid {
		if high > low {
			out[i] = (v - low) / (high - low)
		}
	}
	return out
}

// photo reads a square picture and makes it storySide pixels wide where it is larger.
func (t *teller) photo(folder, name string) (*image.NRGBA, error) {
	raw, err := fs.ReadFile(t.files, path.Join(folder, name))
	if err != nil {
		return nil, err
	}
	shape, err := png.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if shape.Width != shape.Height || shape.Width == 0 || shape.Width > 2048 {
		return nil, fmt.Errorf("%s: %d x %d pixels", name, shape.Width, shape.Height)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	side := min(shape.Width, storySide)
	out := image.NewNRGBA(image.Rect(0, 0, side, side))
	draw.CatmullRom.Scale(out, out.Bounds(), img, img.Bounds(), draw.Src, nil)
	return out, nil
}

// overlay lays a map of few cells over a picture, bilinearly between the centres of its cells.
func overlay(photo *image.NRGBA, heat *image.Gray16) image.Image {
	side := photo.Bounds().Dx()
	wide := image.NewGray16(photo.Bounds())
	draw.BiLinear.Scale(wide, wide.Bounds(), heat, heat.Bounds(), draw.Src, nil)
	pixels, values := make([]byte, 0, 3*side*side), make([]float64, 0, side*side)
	for y := range side {
		for x := range side {
			c := photo.NRGBAAt(x, y)
			pixels = append(pixels, c.R, c.G, c.B)
			values = append(values, float64(wide.Gray16At(x, y).Y)/math.MaxUint16)
		}
	}
	return plot.Heat(pixels, values, side)
}

// grid reads a CAM as stage cam writes it: NumPy's format, version 1.0, little-endian float32 [h,w].
func (t *teller) grid(folder, name string) (values []float64, h, w int, err error) {
	raw, err := fs.ReadFile(t.files, path.Join(folder, name))
	if err != nil {
		return nil, 0, 0, err
	}
	values, h, w, ok := parseNPY(raw)
	if !ok {
		return nil, 0, 0, fmt.Errorf("%s is no float32 array of two axes in NumPy's format 1.0", name)
	}
	return values, h, w, nil
}

func parseNPY(raw []byte) (values []float64, h, w int, ok bool) {
	const magic, most = "\x93NUMPY\x01\x00", 1 << 16 // cells
	if len(raw) < 10 || string(raw[:8]) != magic {
		return nil, 0, 0, false
	}
	start := 10 + int(binary.LittleEndian.Uint16(raw[8:10]))
	if len(raw) < start {
		return nil, 0, 0, false
	}
	header := string(raw[10:start])
	_, shape, found := strings.Cut(header, "'shape': (")
	if !found || !strings.Contains(header, "'descr': '<f4'") || !strings.Contains(header, "'fortran_order': False") {
		return nil, 0, 0, false
	}
	if n, err := fmt.Sscanf(shape, "%d, %d)", &h, &w); n != 2 || err != nil {
		return nil, 0, 0, false
	}
	if h < 1 || w < 1 || h > most || w > most || h*w > most || len(raw)-start != 4*h*w {
		return nil, 0, 0, false
	}
	for at := start; at < len(raw); at += 4 {
		v := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[at:])))
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, 0, 0, false
		}
		values = append(values, v)
	}
	return values, h, w, true
}
