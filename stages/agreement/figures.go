package agreement

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// figures gathers what is drawn, and writes it.
type figures struct {
	task     *task.Task
	results  *results.Agreement
	numbers  map[string]int // of the settings
	averages []plot.Block
}

type drawing interface {
	SVG() []byte
	PNG() ([]byte, error)
}

func newFigures(t *task.Task, a *results.Agreement) *figures {
	return &figures{task: t, results: a, numbers: plot.Numbers(a.Settings, a.Baseline)}
}

func (f *figures) save(name string, d drawing) error {
	picture, err := d.PNG()
	if err != nil {
		return err
	}
	for ending, content := range map[string][]byte{".svg": d.SVG(), ".png": picture} {
		if err := os.WriteFile(f.task.Out("agreement/"+name+ending), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// write draws the figures that show all settings.
func (f *figures) write() error {
	a := f.results
	note := "Each CAM in unit range, averaged over the images"
	if len(a.Sets) == 1 {
		note += " of " + a.Sets[0]
	}
	if a.Map != "" {
		note += "; maps: " + a.Map
	}
	if err := f.save("average", plot.Sheet{Title: "Average CAM of every " + a.Repeat, Note: note, Blocks: f.averages}); err != nil {
		return err
	}
	if slices.ContainsFunc(a.Cells, func(c results.AgreementCell) bool { return c.Metric == a.Metric }) {
		if err := f.save(a.Metric, f.dots(title(a.Metric)+" of CAM and map by "+a.Repeat, title(a.Metric), a.Metric)); err != nil {
			return err
		}
	}
	entropy := f.dots("Entropy of the CAMs by "+a.Repeat+", in nats", "Entropy", "entropy")
	if bound, one := f.bound(); one {
		entropy.Reference = bound
		entropy.Title += fmt.Sprintf("; at most %.3f", bound)
		entropy.Y = entropyRange(entropy, bound)
	}
	if err := f.save("entropy", entropy); err != nil {
		return err
	}
	if len(a.Stability) == 0 {
		return nil
	}
	stability := f.frame("Stability: SSIM of CAMs between every two "+a.Repeat+"s", "SSIM")
	for i, set := range a.Sets {
		for k, setting := range a.Settings {
			for _, s := range a.Stability {
				if s.Setting == setting && s.Set == set {
					stability.Groups[i].Values[k] = s.Values
				}
			}
		}
	}
	return f.save("stability", stability)
}

// entropyRange holds all values and the bound.
func entropyRange(d plot.Dots, bound float64) plot.Range {
	low := bound
	for _, g := range d.Groups {
		for _, values := range g.Values {
			for _, v := range values {
				low = min(low, v)
			}
		}
	}
	margin := max(0.05*(bound-low), 0.02)
	return plot.Range{Low: low - margin, High: bound + margin}
}

// frame is a chart with a group for each set and a column for each setting, without values.
func (f *figures) frame(title, label string) plot.Dots {
	d := plot.Dots{Title: title, YLabel: label, Reference: math.NaN(), Names: f.results.Settings}
	for _, setting := range f.results.Settings {
		d.Numbers = append(d.Numbers, f.numbers[setting])
	}
	for _, set := range f.results.Sets {
		d.Groups = append(d.Groups, plot.Group{Name: set, Values: make([][]float64, len(d.Names))})
	}
	return d
}

// dots shows a measure of every run.
func (f *figures) dots(title, label, metric string) plot.Dots {
	d := f.frame(title, label)
	for i, set := range f.results.Sets {
		for k, setting := range f.results.Settings {
			for _, c := range f.results.Cells {
				if c.Metric == metric && c.Setting == setting && c.Set == set {
					d.Groups[i].Values[k] = c.Values
				}
			}
		}
	}
	return d
}

// bound is the largest entropy that a CAM can have, if all runs have as many cells.
func (f *figures) bound() (bound float64, one bool) {
	runs := f.results.Runs
	for _, r := range runs {
		if r.Cells != runs[0].Cells {
			return 0, false
		}
	}
	return math.Log(float64(runs[0].Cells)), true
}

// title is a measure's name as a reader knows it.
func title(metric string) string {
	if metric == "auc_judd" {
		return "AUC-Judd"
	}
	if metric == "pointing" {
		return "Pointing game"
	}
	return strings.ToUpper(metric)
}

// sheet draws the images on which a setting agrees best and worst.
func (f *figures) sheet(setting string, best, worst []*candidate, of int) error {
	if len(best) == 0 {
		return nil
	}
	a := f.results
	s := plot.Sheet{
		Title: setting + ": CAMs that agree best and worst with the maps",
		Note:  fmt.Sprintf("%s below each; %d images with a map, mean over the %ss; maps: %s", title(a.Metric), of, a.Repeat, a.Map),
	}
	for _, part := range []struct {
		name   string
		images []*candidate
	}{{"Best", best}, {"Worst", worst}} {
		if len(part.images) == 0 {
			continue
		}
		block, err := pictures(part.name, part.images)
		if err != nil {
			return err
		}
		s.Blocks = append(s.Blocks, block)
	}
	name := "sheet_" + results.FileName(setting)
	for n := 2; slices.ContainsFunc(a.Sheets, func(o results.AgreementSheet) bool { return o.Figure == name }); n++ {
		name = fmt.Sprintf("sheet_%s_%d", results.FileName(setting), n)
	}
	a.Sheets = append(a.Sheets, results.AgreementSheet{Setting: setting, Figure: name, Best: listed(best), Worst: listed(worst)})
	return f.save(name, s)
}

func listed(images []*candidate) []results.AgreementImage {
	out := []results.AgreementImage{}
	for _, c := range images {
		out = append(out, results.AgreementImage{Set: c.set, Path: c.path, Label: c.label, Value: c.value})
	}
	return out
}

// pictures are the photographs of images, their CAMs and their maps, in three rows.
func pictures(name string, images []*candidate) (plot.Block, error) {
	b := plot.Block{Name: name, Number: -1, Labels: []string{"image", "CAM", "map"}, Rows: make([][]plot.Picture, 3)}
	for _, c := range images {
		set, err := pack.Open(c.data)
		if err != nil {
			return b, err
		}
		photo, side := set.Image(c.row), set.Side()
		b.Rows[0] = append(b.Rows[0], plot.Picture{Image: plot.Heat(photo, nil, side), Caption: c.label})
		b.Rows[1] = append(b.Rows[1], plot.Picture{Image: plot.Heat(photo, plot.Enlarge(c.cam, c.h, c.w, side), side), Caption: fmt.Sprintf("%.3f", c.value)})
		human := plot.Picture{}
		if full, ok := set.MapFull(mapOf(c.mapName), c.row); ok {
			heat := make([]float64, len(full))
			for i, v := range full {
				heat[i] = float64(v) / 255
			}
			human.Image = plot.Heat(photo, heat, side)
		}
		b.Rows[2] = append(b.Rows[2], human)
		if err := set.Close(); err != nil {
			return b, err
		}
	}
	return b, nil
}

// mapOf is a map's name in the packed data: "human (simulated)" is "human".
func mapOf(shown string) string { return strings.TrimSuffix(shown, " (simulated)") }
