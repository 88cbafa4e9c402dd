package worker

import (
	"bufio"
	"encoding/csv"
	"math"
	"os"
	"strconv"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/npy"
)

// measures are what one row of agreement.csv says of an image's CAM.
type measures struct {
	score  float64
	values []float64 // by metrics.MapNames, then the human map's entropy; NaN where undefined
}

func (a *atlas) measure(row int, score float64, unit []float64) measures {
	var human []float64
	if a.human != nil && a.has[row] {
		human = a.humanAt(row)
	}
	return measures{score, append(metrics.CompareMaps(unit, human, a.job.Points), metrics.Entropy(metrics.UnitRange(human)))}
}

// correlation is the mean over the images where it is defined, if there is any.
func (a *atlas) correlation() (mean float64, any bool) {
	sum, n := 0.0, 0.0
	for _, m := range a.measures {
		if cc := m.values[0]; !math.IsNaN(cc) {
			sum, n = sum+cc, n+1
		}
	}
	return sum / n, n > 0
}

// keep adds a batch's CAMs to those of all images.
func (a *atlas) keep(raw []float32) (err error) {
	if a.set.Len() > a.job.Grids {
		return nil
	}
	if a.grids == nil {
		if a.grids, err = npy.Create(a.task.Out("cams/grids.npy"), a.set.Len(), a.h, a.w); err != nil {
			return err
		}
	}
	a.grids.Write(raw)
	return nil
}

// table ends grids.npy and writes agreement.csv.
func (a *atlas) table() error {
	if a.grids != nil {
		if err := a.grids.Close(); err != nil {
			return err
		}
	}
	file, err := os.Create(a.task.Out("cams/agreement.csv"))
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(file)
	out := csv.NewWriter(buffer)
	record := append([]string{"path", "label", "score", "predicted"}, metrics.MapNames...)
	_ = out.Write(append(record, "human_entropy")) // the last Flush keeps the first error
	for i, row := range a.set.Rows() {
		m := a.measures[i]
		predicted := metrics.Real
		if m.score > 0.5 {
			predicted = metrics.Synthetic
		}
		record = append(record[:0], row.Path, row.Label, strconv.FormatFloat(m.score, 'g', -1, 64), metrics.Label(predicted))
		for _, v := range m.values {
			record = append(record, digits(v))
		}
		_ = out.Write(record)
	}
	out.Flush()
	err = out.Error()
	if flushing := buffer.Flush(); err == nil {
		err = flushing
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}

// digits writes a measure with eight digits, more than its CAM has; empty where it is undefined.
func digits(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 8, 64)
}
