package summary

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// run is one evaluation, with the folder that holds its scores.
type run struct {
	results.Run
	model
	folder string
}

func readRuns(inputs []task.Input, names naming) ([]run, error) {
	type place struct {
		model
		set string
	}
	seen := map[place]string{}
	var runs []run
	for _, in := range inputs {
		var report metrics.Report
		if err := readJSON(filepath.Join(in.Path, "metrics.json"), &report); err != nil {
			return nil, fmt.Errorf("summary of %s: %w", in.Node, err)
		}
		set := in.Axes[setAxis]
		if set == "" {
			set = report.Set
		}
		if set == "" {
			set, _, _ = strings.Cut(in.Node, "[")
		}
		if set == meanSet || set == pooledSet {
			return nil, fmt.Errorf("summary of %s: a set cannot be called %q, the summary's own name for several sets together", in.Node, set)
		}
		r := run{
			Run:   results.Run{Node: in.Node, Axes: in.Axes, Setting: names.setting(in.Axes), Set: set, Images: report.Images, Metrics: report.Metrics},
			model: names.model(in.Axes), folder: in.Path,
		}
		at := place{r.model, set}
		if other, twice := seen[at]; twice {
			return nil, fmt.Errorf("summary: %s and %s are the same %s, %s and set; give one of their stages another set or matrix axis",
				other, in.Node, names.compare, names.repeat)
		}
		seen[at] = in.Node
		runs = append(runs, r)
	}
	return runs, nil
}

func readJSON(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// curveNames are the columns of history.csv that become learning curves.
var curveNames = []string{"train_loss", "train_accuracy", "validation_loss", "validation_accuracy"}

// curves averages the histories of each setting, epoch by epoch.
func curves(settings []string, inputs []task.Input, names naming) ([]results.Curve, error) {
	type point struct {
		setting, name string
		epoch         int
	}
	values := map[point][]float64{}
	epochs := map[string][]int{}
	for _, in := range inputs {
		setting := names.setting(in.Axes)
		err := readHistory(filepath.Join(in.Path, "history.csv"), func(epoch int, name string, v float64) {
			values[point{setting, name, epoch}] = append(values[point{setting, name, epoch}], v)
			epochs[setting+"\x00"+name] = appendNew(epochs[setting+"\x00"+name], epoch)
		})
		if err != nil {
			return nil, fmt.Errorf("summary of %s: %w", in.Node, err)
		}
	}
	var out []results.Curve
	for _, setting := range settings {
		for _, name := range curveNames {
			c := results.Curve{Setting: setting, Name: name, Epoch: epochs[setting+"\x00"+name]}
			slices.Sort(c.Epoch)
			for _, epoch := range c.Epoch {
				v := values[point{setting, name, epoch}]
				c.Mean, c.SD, c.N = append(c.Mean, stats.Mean(v)), append(c.SD, stats.SD(v)), max(c.N, len(v))
			}
			if len(c.Epoch) > 0 {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// readHistory calls each for every curve value of a history.csv; empty cells and NaN (no validation) are left out.
func readHistory(path string, each func(epoch int, name string, v float64)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if len(rows) == 0 || len(rows[0]) == 0 || rows[0][0] != "epoch" {
		return fmt.Errorf("read %s: the header does not start with epoch", path)
	}
	for i, row := range rows[1:] {
		epoch, err := strconv.Atoi(row[0])
		if err != nil {
			return fmt.Errorf("read %s: line %d: epoch %q is no number", path, i+2, row[0])
		}
		for k, name := range rows[0] {
			if !slices.Contains(curveNames, name) || row[k] == "" {
				continue
			}
			v, err := strconv.ParseFloat(row[k], 64)
			if err != nil {
				return fmt.Errorf("read %s: line %d: %s %q is no number", path, i+2, name, row[k])
			}
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				each(epoch, name, v)
			}
		}
	}
	return nil
}

// picturesKept bounds the images of a CAM node that the summary lists; the node's own index has all.
const picturesKept = 40

// maps reads what the nodes of cam wrote. Their folders are named as in the run's folder.
func maps(inputs []task.Input, names naming) ([]results.CAM, error) {
	var out []results.CAM
	for _, in := range inputs {
		var cam results.CAM
		if err := readJSON(filepath.Join(in.Path, "cams", "index.json"), &cam); err != nil {
			return nil, fmt.Errorf("summary of %s: %w", in.Node, err)
		}
		cam.Node, cam.Axes, cam.Setting, cam.Folder = in.Node, in.Axes, names.setting(in.Axes), "cams/"+in.Node
		cam.Images = firstOfEachLabel(cam.Images, picturesKept)
		out = append(out, cam)
	}
	return out, nil
}

// firstOfEachLabel keeps about n images, the first ones of each label in equal parts, in their order.
func firstOfEachLabel(images []results.CAMImage, n int) []results.CAMImage {
	var labels []string
	for _, image := range images {
		labels = appendNew(labels, image.Label)
	}
	var kept []results.CAMImage
	have := map[string]int{}
	for _, image := range images {
		if have[image.Label] < max(1, n/max(1, len(labels))) {
			have[image.Label]++
			kept = append(kept, image)
		}
	}
	return kept
}
