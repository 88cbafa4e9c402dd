package report

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"io/fs"
	"math"
	"path"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
)

// The page stays below some 6 MB: base64 makes 4/3 of the pictures' bytes.
const (
	rowsShown    = 12      // images in the grid, half of each label
	meansShown   = 10      // mean CAMs of one setting
	gridBudget   = 3 << 20 // bytes of the pictures in the grid ...
	meansBudget  = 1 << 20 // ... and of the mean CAMs
	pictureLimit = 1 << 20 // of one picture
)

// grid shows the same images under every setting.
type grid struct {
	Map     string // what the human map is called: "human (simulated)"; empty: there is none
	Repeat  string // whose CAMs these are: "seed 1"
	Columns []string
	Rows    []gridRow
	Of      int // images that there are
	bands
}

// Width is the number of columns with pictures.
func (g grid) Width() int {
	if g.Map == "" {
		return 1 + len(g.Heads)
	}
	return 2 + len(g.Heads)
}

// Setting is one that stands in that column.
func (g grid) Setting(column int) string {
	for _, b := range g.Bands {
		if column < len(b.At) && b.At[column] >= 0 {
			return g.Columns[b.At[column]]
		}
	}
	return ""
}

type gridRow struct {
	Label, Path    string
	Picture, Human template.URL
	Cells          []gridCell
}

type gridCell struct {
	Overlay template.URL
	Score   float64
	Right   bool // the score is on its label's side of 0.5
}

// meanMaps are the average CAMs of one setting's models.
type meanMaps struct {
	Setting string
	Maps    []meanMap
	More    int
	Human   float64 // mean correlation with the human map over the setting's models; NaN: none
	SD      float64
	N       int
}

type meanMap struct {
	Name    string
	Picture template.URL
	Human   float64
}

// album reads pictures and keeps to a budget of bytes.
type album struct {
	files fs.FS
	left  int
	full  bool
}

// picture is a PNG as a data URI; empty where it is not there, no PNG, too large, or beyond the budget.
func (a *album) picture(folder, name string) template.URL {
	if a.files == nil || name == "" {
		return ""
	}
	raw, err := fs.ReadFile(a.files, path.Join(folder, name))
	if err != nil || len(raw) > pictureLimit || !bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")) {
		return ""
	}
	if len(raw) > a.left {
		a.full = true
		return ""
	}
	a.left -= len(raw)
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(raw))
}

func (v *view) pictures(s *results.Summary, files fs.FS) (*grid, []meanMaps) {
	bySetting := map[string][]results.CAM{}
	for _, setting := range s.Settings {
		if of := firstOfEachRepeat(s, setting); len(of) > 0 {
			bySetting[setting] = of
		}
	}
	if files == nil || len(bySetting) == 0 {
		return nil, nil
	}
	return newGrid(s, bySetting, &album{files: files, left: gridBudget}), newMeans(s, bySetting, &album{files: files, left: meansBudget})
}

// newGrid takes from each setting the CAMs of the first repeat that all settings have, and the images that all have.
func newGrid(s *results.Summary, bySetting map[string][]results.CAM, a *album) *grid {
	g := &grid{}
	var cams []results.CAM
	repeat, common := firstCommonRepeat(s, bySetting)
	for _, setting := range s.Settings {
		of := bySetting[setting]
		at := slices.IndexFunc(of, func(c results.CAM) bool { return !common || c.Axes[s.Repeat] == repeat })
		if at < 0 {
			continue
		}
		g.Columns = append(g.Columns, setting)
		cams = append(cams, of[at])
		if of[at].MapName != "" {
			g.Map = of[at].MapName
		}
	}
	if common && repeat != "" {
		g.Repeat = s.Repeat + " " + repeat
	}
	if len(cams) == 0 {
		return nil
	}
	shown := map[string]int{}
	for _, image := range alternating(cams[0].Images) {
		same := make([]results.CAMImage, 0, len(cams))
		for _, cam := range cams {
			if at := slices.IndexFunc(cam.Images, func(o results.CAMImage) bool { return o.Path == image.Path }); at >= 0 {
				same = append(same, cam.Images[at])
			}
		}
		if len(same) < len(cams) {
			continue
		}
		g.Of++
		if shown[image.Label] >= rowsShown/2 || a.full {
			continue
		}
		row := gridRow{Label: image.Label, Path: image.Path,
			Picture: a.picture(cams[0].Folder, image.Picture), Human: a.picture(cams[0].Folder, image.Human)}
		for i, o := range same {
			class, _ := metrics.Class(o.Label)
			row.Cells = append(row.Cells, gridCell{
				Overlay: a.picture(cams[i].Folder, o.Overlay), Score: o.Score, Right: (o.Score > 0.5) == (class == metrics.Synthetic),
			})
		}
		if !a.full {
			shown[image.Label]++
			g.Rows = append(g.Rows, row)
		}
	}
	if len(g.Rows) == 0 {
		return nil
	}
	slices.SortStableFunc(g.Rows, func(x, y gridRow) int { return labelOrder(x.Label) - labelOrder(y.Label) })
	return g
}

// alternating takes images of each label in turn, so that a budget that runs out leaves some of each.
func alternating(images []results.CAMImage) []results.CAMImage {
	turn := map[string]int{}
	type placed struct {
		results.CAMImage
		turn int
	}
	order := make([]placed, len(images))
	for i, image := range images {
		order[i] = placed{image, turn[image.Label]}
		turn[image.Label]++
	}
	slices.SortStableFunc(order, func(a, b placed) int { return a.turn - b.turn })
	out := make([]results.CAMImage, len(order))
	for i, o := range order {
		out[i] = o.CAMImage
	}
	return out
}

// labelOrder puts synthetic images first: they have what a map can point at.
func labelOrder(label string) int {
	class, _ := metrics.Class(label)
	return -class
}

func firstCommonRepeat(s *results.Summary, bySetting map[string][]results.CAM) (string, bool) {
	first := ""
	for _, setting := range s.Settings {
		if of := bySetting[setting]; len(of) > 0 {
			first = setting
			break
		}
	}
	for _, candidate := range bySetting[first] {
		repeat := candidate.Axes[s.Repeat]
		everywhere := true
		for _, of := range bySetting {
			everywhere = everywhere && slices.ContainsFunc(of, func(c results.CAM) bool { return c.Axes[s.Repeat] == repeat })
		}
		if everywhere {
			return repeat, true
		}
	}
	return "", false
}

func newMeans(s *results.Summary, bySetting map[string][]results.CAM, a *album) (out []meanMaps) {
	for _, setting := range s.Settings {
		m := meanMaps{Setting: setting, Human: math.NaN()}
		var correlations []float64
		for _, cam := range bySetting[setting] {
			if cam.Human >= -1 {
				correlations = append(correlations, cam.Human)
			}
			if len(m.Maps) >= meansShown {
				m.More++
				continue
			}
			if picture := a.picture(cam.Folder, cam.Mean); picture != "" {
				m.Maps = append(m.Maps, meanMap{Name: s.Repeat + " " + cam.Axes[s.Repeat], Picture: picture, Human: cam.Human})
			}
		}
		if len(correlations) > 0 {
			m.Human, m.SD, m.N = stats.Mean(correlations), stats.SD(correlations), len(correlations)
		}
		if len(m.Maps) > 0 {
			out = append(out, m)
		}
	}
	return out
}
