package agreement

import (
	"fmt"
	"image"
	"os"
	"path/filepath"

	"github.com/cyborg-run/cyborg-run/internal/npy"
	"github.com/cyborg-run/cyborg-run/internal/plot"
)

// averageSide is the side of the pictures of averages, in pixels.
const averageSide = 168

// columns is the number of models in a row of the average CAMs: ten stand in two rows.
const columns = 5

// average draws the average CAM of every model of a setting on a set, beside their mean and the average human map: that of
// the set, or where its images have none, that of another set, which it names.
func (f *figures) average(setting, set string, runs []run) error {
	b := plot.Block{Name: setting, Number: f.numbers[setting], Corner: f.corner(setting)}
	if len(f.results.Sets) > 1 {
		b.Name += " on " + set
	}
	var order []string
	models := map[string]*mean{}
	var all mean
	for _, r := range runs {
		if r.Setting != setting || r.Set != set {
			continue
		}
		if models[r.Repeat] == nil {
			order = append(order, r.Repeat)
			models[r.Repeat] = &mean{}
		}
		if err := models[r.Repeat].addFile(filepath.Join(r.folder, "mean.npy"), r.h, r.w, float64(r.Images)); err != nil {
			return err
		}
	}
	if len(order) == 0 {
		return nil
	}
	human, from, err := f.human(setting, set, runs)
	if err != nil {
		return err
	}
	for i, repeat := range order {
		if i%columns == 0 {
			b.Rows = append(b.Rows, nil)
		}
		last := len(b.Rows) - 1
		name := f.results.Repeat + " " + repeat
		if repeat == "" {
			name = "CAM"
		}
		b.Rows[last] = append(b.Rows[last], plot.Picture{Image: models[repeat].picture(), Caption: name})
		if m := models[repeat]; m.h > 0 {
			all.add(m.values(), m.h, m.w, 1)
		}
	}
	if human.h > 0 {
		caption := f.results.Map
		if from != set {
			caption += " of " + from
		}
		b.Large = append(b.Large, plot.Picture{Image: human.picture(), Caption: caption})
	}
	if len(order) > 1 {
		b.Large = append(b.Large, plot.Picture{Image: all.picture(), Caption: fmt.Sprintf("mean of %d", len(order))})
	}
	f.averages = append(f.averages, b)
	return nil
}

// human is the average human map of a set, or of the first other set whose images have maps; all models saw the same.
func (f *figures) human(setting, set string, runs []run) (human mean, from string, err error) {
	for _, r := range runs {
		if r.Setting != setting || human.h > 0 && r.Set != set {
			continue
		}
		mapped, _ := count(r, humanEntropy)
		if mapped == 0 || from == set {
			continue
		}
		human, from = mean{}, r.Set
		if err := human.addFile(filepath.Join(r.folder, "human_mean.npy"), r.h, r.w, float64(mapped)); err != nil && !os.IsNotExist(err) {
			return mean{}, "", err
		}
	}
	return human, from, nil
}

// corner says a setting's AUC over its models.
func (f *figures) corner(setting string) string {
	for _, c := range f.results.AUC {
		if c.Setting != setting {
			continue
		}
		if c.N == 1 {
			return fmt.Sprintf("AUC %.3f", c.Mean)
		}
		return fmt.Sprintf("AUC %.3f ± %.3f", c.Mean, c.SD)
	}
	return ""
}

// count is for how many images of a run a measure is defined.
func count(r run, metric string) (n int, ok bool) {
	for _, m := range r.Measures {
		if m.Images == "all" && m.Metric == metric {
			return m.N, true
		}
	}
	return 0, false
}

// mean is the weighted mean of grids of h x w cells; h is 0 as long as there is none.
type mean struct {
	h, w   int
	sum    []float64
	weight float64
}

func (m *mean) addFile(path string, h, w int, weight float64) error {
	raw, shape, err := npy.Load(path, h*w)
	if err != nil {
		return err
	}
	if len(raw) != h*w {
		return fmt.Errorf("%s has the shape %v, %dx%d expected", path, shape, h, w)
	}
	grid := make([]float64, len(raw))
	for i, v := range raw {
		grid[i] = float64(v)
	}
	m.add(grid, h, w, weight)
	return nil
}

// add takes one more grid; grids of another size than the first are left out.
func (m *mean) add(grid []float64, h, w int, weight float64) {
	if m.h == 0 {
		m.h, m.w, m.sum = h, w, make([]float64, h*w)
	}
	if m.h != h || m.w != w {
		return
	}
	for i, v := range grid {
		m.sum[i] += weight * v
	}
	m.weight += weight
}

func (m *mean) values() []float64 {
	if m.weight == 0 {
		return m.sum
	}
	return scaled(m.sum, 1/m.weight)
}

// picture shows the mean in the colours of maps, from 0 to 1.
func (m *mean) picture() image.Image {
	if m.h == 0 {
		return nil
	}
	heat := plot.Enlarge(m.values(), m.h, m.w, averageSide)
	img := image.NewNRGBA(image.Rect(0, 0, averageSide, averageSide))
	for i, v := range heat {
		img.SetNRGBA(i%averageSide, i/averageSide, plot.HeatColour(v))
	}
	return img
}
