package worker

import (
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/npy"
	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// write leaves the pictures, the grids and the index.
func (a *atlas) write() error {
	index := results.CAM{Mean: "mean.png", Human: -2, Class: a.job.Class, Tap: a.job.Tap}
	if mean, any := a.correlation(); any {
		index.Human = mean
	}
	for _, m := range a.set.Maps() {
		if m.Name == a.job.Map {
			index.MapName = m.Name
			if m.Simulated {
				index.MapName += " (simulated)"
			}
		}
	}
	for _, p := range a.plates {
		entry, err := a.picture(p)
		if err != nil {
			return err
		}
		index.Images = append(index.Images, entry)
	}
	if err := a.mean(index.Mean); err != nil {
		return err
	}
	if err := a.table(); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(index, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(a.task.Out("cams/index.json"), append(raw, '\n'), 0o644)
}

func (a *atlas) picture(p plate) (results.CAMImage, error) {
	row := a.set.Rows()[p.row]
	name := fmt.Sprintf("%06d_%s", p.row, strings.TrimSuffix(path.Base(row.Path), path.Ext(row.Path)))
	entry := results.CAMImage{Path: row.Path, Label: row.Label, Score: p.score,
		Picture: name + ".png", Overlay: name + "_cam.png", Grid: name + ".npy"}
	side := a.set.Side()
	photo := a.set.Image(p.row)
	if err := a.save(entry.Picture, plot.Heat(photo, nil, side)); err != nil {
		return entry, err
	}
	if err := a.save(entry.Overlay, plot.Heat(photo, plot.Enlarge(p.unit, a.h, a.w, side), side)); err != nil {
		return entry, err
	}
	if full, ok := a.set.MapFull(a.job.Map, p.row); a.human != nil && ok {
		entry.Human = name + "_human.png"
		heat := make([]float64, len(full))
		for i, v := range full {
			heat[i] = float64(v) / 255
		}
		if err := a.save(entry.Human, plot.Heat(photo, heat, side)); err != nil {
			return entry, err
		}
	}
	return entry, npy.Save(a.task.Out("cams/"+entry.Grid), p.grid, a.h, a.w)
}

// mean draws the average CAM of all images and, where there are human maps, their average beside it.
func (a *atlas) mean(name string) error {
	side := a.set.Side()
	count := float64(a.set.Len())
	average := make([]float64, len(a.sum))
	for i, v := range a.sum {
		average[i] = v / count
	}
	if err := a.saveGrid("mean.npy", average); err != nil {
		return err
	}
	panels := [][]float64{plot.Enlarge(average, a.h, a.w, side)}
	if a.human != nil {
		sum, n := make([]float64, a.h*a.w), 0.0
		for row, has := range a.has {
			if has {
				for i, v := range a.humanAt(row) {
					sum[i] += v
				}
				n++
			}
		}
		if n > 0 {
			for i := range sum {
				sum[i] /= n
			}
			panels = append(panels, plot.Enlarge(sum, a.h, a.w, side))
			if err := a.saveGrid("human_mean.npy", sum); err != nil {
				return err
			}
		}
	}
	const gap = 8
	img := image.NewNRGBA(image.Rect(0, 0, len(panels)*side+(len(panels)-1)*gap, side))
	for k, heat := range panels {
		for y := range side {
			for x := range side {
				img.Set(k*(side+gap)+x, y, plot.HeatColour(heat[y*side+x]))
			}
		}
	}
	return a.save(name, img)
}

func (a *atlas) saveGrid(name string, grid []float64) error {
	values := make([]float32, len(grid))
	for i, v := range grid {
		values[i] = float32(v)
	}
	return npy.Save(a.task.Out("cams/"+name), values, a.h, a.w)
}

func (a *atlas) save(name string, img image.Image) error {
	file, err := os.Create(a.task.Out("cams/" + name))
	if err != nil {
		return err
	}
	err = png.Encode(file, img)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
