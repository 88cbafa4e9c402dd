package worker

import (
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// gallery is the maps as they are made: in the attempt's state, so that they survive a stop, by the places of their images.
type gallery struct {
	task *task.Task
	flat map[int64]bool // images whose map has no range
}

func (g *gallery) file(place int64) string { return g.task.State(fmt.Sprintf("%09d.png", place)) }

// has tells whether an image's map is there, whole and of that size.
func (g *gallery) has(place int64, width, height int) bool {
	file, err := os.Open(g.file(place))
	if err != nil {
		return false
	}
	defer file.Close()
	img, err := png.Decode(file)
	return err == nil && img.Bounds() == image.Rect(0, 0, width, height)
}

// keep writes a map in unit range, unless it is flat.
func (g *gallery) keep(place int64, unit []float64, width, height int) (err error) {
	if slices.Max(unit) <= 0 {
		g.flat[place] = true
		return nil
	}
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i, v := range unit {
		img.Pix[i] = uint8(math.Round(255 * v))
	}
	name := g.file(place)
	file, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	err = png.Encode(file, img)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return fmt.Errorf("write the map of an image: %w", err)
	}
	return nil
}

// unitRange scales a map to 0 to 1; one without range becomes zeros.
func unitRange(m []float64) []float64 {
	low, high := slices.Min(m), slices.Max(m)
	out := make([]float64, len(m))
	if high-low > 1e-12 {
		for i, v := range m {
			out[i] = (v - low) / (high - low)
		}
	}
	return out
}

// annotation is annotation.json.
type annotation struct {
	Network   string `json:"network"`
	Method    string `json:"method"`
	Class     string `json:"class"`
	Images    int    `json:"images"`
	Annotated int    `json:"annotated"`
	Wrong     int    `json:"wrong"` // left out, because the network is wrong on them
	Flat      int    `json:"flat"`  // left out, because their map has no range

	// Of each label: its images, those that the network is right on, and those that got a map.
	Labels map[string]*count `json:"labels,omitempty"`
}

type count struct {
	Images    int `json:"images"`
	Right     int `json:"right"`
	Annotated int `json:"annotated"`
}

// conclude moves the maps to their names in the output, and writes what came of them.
func (a *annotator) conclude() error {
	rows := a.set.Rows()
	facts := annotation{Network: a.job.Model.Arch.String(), Method: a.job.Method, Class: a.job.Class, Images: len(rows),
		Annotated: len(a.wanted) - len(a.gallery.flat), Wrong: len(rows) - len(a.wanted), Flat: len(a.gallery.flat), Labels: map[string]*count{}}
	of := func(place int64) *count {
		label := metrics.Label(rows[place].Class)
		if facts.Labels[label] == nil {
			facts.Labels[label] = &count{}
		}
		return facts.Labels[label]
	}
	for i, row := range rows {
		if row.Class == metrics.Unlabelled {
			continue
		}
		of(int64(i)).Images++
		if a.predicted[i] == int64(row.Class) {
			of(int64(i)).Right++
		}
	}
	for _, place := range a.wanted {
		if a.gallery.flat[place] {
			continue
		}
		to := filepath.Join(a.task.Out(experiment.MapsFolder), filepath.FromSlash(prepare.MadeFile(rows[place].Path)))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.Rename(a.gallery.file(place), to); err != nil {
			return err
		}
		if rows[place].Class != metrics.Unlabelled {
			of(place).Annotated++
		}
	}
	said := fmt.Sprintf("%d of %d images got a map", facts.Annotated, facts.Images)
	if facts.Wrong > 0 {
		said += fmt.Sprintf("; the network is wrong on %d", facts.Wrong)
	}
	if facts.Flat > 0 {
		said += fmt.Sprintf("; that of %d has no range", facts.Flat)
	}
	if facts.Annotated == 0 {
		return fmt.Errorf("%s: a student would have nothing to learn from", said)
	}
	a.task.Emit(task.Event{Type: task.Log, Message: said})
	raw, err := json.MarshalIndent(facts, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(a.task.Out("annotation.json"), append(raw, '\n'), 0o644)
}
