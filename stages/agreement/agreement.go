// Package agreement measures over the runs of a spec how well CAMs agree with human maps and with each other: the tables of
// the measures, the average CAM of every model beside the average human map, how stable CAMs are between repeats, and the
// images on which a setting agrees best and worst.
//
// Terms: settings and repeats are those of internal/naming, measures those of metrics.MapNames. A run is a model, which is a
// setting at one repeat, on one data set. A measure that is not defined for an image is left out of the means and counted.
//
// Ports: "cams" are the output folders of cam, "data" the packed data sets that those saw (for the photographs of the
// sheets), "scores" the folders of evaluations, whose AUC stands beside the average CAMs.
//
// Outputs, all below agreement/: agreement.csv, a row for each measure of each run; agreement.json (results.Agreement); the
// figures. Grids are read image by image over all runs of a setting, so that memory does not grow with the number of images.
// The same inputs give the same bytes.
package agreement

import (
	"context"
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/naming"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// The ports.
const (
	CAMs   = "cams"
	Data   = "data"
	Scores = "scores"
)

// Params are what a spec says of agreement.
type Params struct {
	// Compare is the matrix axis whose values are compared.
	Compare string `yaml:"compare" json:"compare" default:"loss"`
	// Repeat is the matrix axis over which mean and standard deviation are taken, and between whose values CAMs are compared.
	Repeat string `yaml:"repeat" json:"repeat" default:"seed"`
	// Baseline is the value of the compared axis that figures show in grey.
	Baseline string `yaml:"baseline" json:"baseline" default:"cross_entropy"`
	// Metric is the measure by which images are sorted on the sheets of best and worst agreement.
	Metric string `yaml:"metric" json:"metric" default:"cc" enum:"cc|sim|kl|nss|auc_judd|pointing"`
	// Images is how many of the best and of the worst images a sheet shows.
	Images int `yaml:"images" json:"images" default:"6" min:"0" max:"50"`
	// Mean names the sets over which a model's AUC is averaged, beside its average CAM; without it, all that it was scored on.
	Mean []string `yaml:"mean" json:"mean"`
}

// Job is the stage as its worker gets it.
type Job struct {
	Params
	CAMs      map[string]Seen `json:"cams"`      // by node of cam
	Generated bool            `json:"generated"` // some of the images were drawn by a program
}

// Seen is what a node of cam worked with.
type Seen struct {
	Data   string  `json:"data"`   // the node of its data set
	Set    string  `json:"set"`    // the data set's name
	Points float64 `json:"points"` // share of a map's range
}

// lowerIsBetter is true for the one measure that is a distance.
func lowerIsBetter(metric string) bool { return metric == "kl" }

// Run does the stage.
func Run(ctx context.Context, t *task.Task) error {
	var job Job
	if err := t.Decode(&job); err != nil {
		return err
	}
	names := naming.New(job.Compare, job.Repeat, job.Baseline, t.Inputs[CAMs])
	runs, err := readRuns(t, job, names)
	if err != nil {
		return err
	}
	a := &results.Agreement{Node: t.Node, Compare: job.Compare, Repeat: job.Repeat, Baseline: job.Baseline, Metric: job.Metric}
	if job.Generated {
		a.Notes = append(a.Notes, "The images are simulated: cartoons drawn by a program.")
	}
	for _, r := range runs {
		a.Runs = append(a.Runs, r.AgreementRun)
		a.Settings, a.Sets = appendNew(a.Settings, r.Setting), appendNew(a.Sets, r.Set)
		if a.Map == "" {
			a.Map = r.mapName
		}
	}
	a.Cells = cells(a)
	if a.AUC, err = areas(job, runs, t.Inputs[Scores]); err != nil {
		return err
	}
	figures := newFigures(t, a)
	for i, setting := range a.Settings {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, set := range a.Sets {
			if err := figures.average(setting, set, runs); err != nil {
				return err
			}
		}
		if err := oneSetting(ctx, job, a, figures, setting, runs); err != nil {
			return fmt.Errorf("agreement of %s: %w", setting, err)
		}
		t.Progress(i+1, len(a.Settings), "settings", nil)
	}
	if a.Map == "" {
		a.Notes = append(a.Notes, "No image has a map: CAMs are measured against each other alone.")
	}
	if err := figures.write(); err != nil {
		return err
	}
	return write(t, a, names)
}

// oneSetting measures the stability of a setting on each set and draws its sheet.
func oneSetting(ctx context.Context, job Job, a *results.Agreement, figures *figures, setting string, runs []run) error {
	var candidates []candidate
	groups := group(setting, a.Sets, runs)
	for _, g := range groups {
		if why := g.together(); why != "" {
			a.Notes = append(a.Notes, fmt.Sprintf("%s on %s: %s.", setting, g.set, why))
			continue
		}
		ranked, err := g.rank(job.Metric)
		if err != nil {
			return err
		}
		candidates = append(candidates, ranked...)
	}
	best, worst := ends(candidates, job.Images, lowerIsBetter(job.Metric))
	for _, g := range groups {
		if g.together() != "" {
			continue
		}
		s, err := g.look(ctx, best, worst)
		if err != nil {
			return err
		}
		if s != nil {
			a.Stability = append(a.Stability, *s)
		}
	}
	return figures.sheet(setting, best, worst, len(candidates))
}

func appendNew(list []string, v string) []string {
	for _, have := range list {
		if have == v {
			return list
		}
	}
	return append(list, v)
}
