package worker

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// write leaves the pictures, the grids and the index.
func (a *atlas) write() error {
	index := results.CAM{Node: a.task.Node, Axes: a.task.Axes, Folder: "cams/" + a.task.Node, Mean: "mean.png", Human: -2}
	if len(a.agreement) > 0 {
		total := 0.0
		for _, r := range a.agreement {
			total += r
		}
		index.Human = total / float64(len(a.agreement))
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
	if err := a.save(entry.Overlay, plot.Heat(photo, enlarge(p.unit, a.h, a.w, side), side)); err != nil {
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
	return entry, writeNPY(a.task.Out("cams/"+entry.Grid), p.grid, a.h, a.w)
}

// mean draws the average CAM of all images and, where there are human maps, their average beside it.
func (a *atlas) mean(name string) error {
	side := a.set.Side()
	count := float64(a.set.Len())
	average := make([]float64, len(a.sum))
	for i, v := range a.sum {
		average[i] = v / count
	}
	panels := [][]float64{enlarge(average, a.h, a.w, side)}
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
			panels = append(panels, enlarge(sum, a.h, a.w, side))
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

// enlarge brings a grid to side x side pixels, bilinearly between the centres of its cells.
func enlarge(grid []float64, h, w, side int) []float64 {
	out := make([]float64, side*side)
	for y := range side {
		y0, y1, fy := between(y, h, side)
		for x := range side {
			x0, x1, fx := between(x, w, side)
			top := grid[y0*w+x0]*(1-fx) + grid[y0*w+x1]*fx
			bottom := grid[y1*w+x0]*(1-fx) + grid[y1*w+x1]*fx
			out[y*side+x] = top*(1-fy) + bottom*fy
		}
	}
	return out
}

func between(pixel, cells, side int) (low, high int, part float64) {
	at := (float64(pixel)+0.5)*float64(cells)/float64(side) - 0.5
	at = math.Max(0, math.Min(float64(cells-1), at))
	low = int(at)
	return low, min(low+1, cells-1), at - float64(low)
}

// writeNPY writes a float32 array [h,w] in NumPy's format, version 1.0.
func writeNPY(name string, grid []float32, h, w int) error {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", h, w)
	for (10+len(header)+1)%64 != 0 {
		header += " "
	}
	header += "\n"
	raw := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	raw = append(raw, header...)
	for _, v := range grid {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return os.WriteFile(name, raw, 0o644)
}
