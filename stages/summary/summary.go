// Package summary gathers what the runs of a spec found: one table, one comparison, the curves and the figures.
//
// Terms: a setting is a value of the compared axis (loss=cyborg); where further axes have several values, they are part of
// the setting's name ("cyborg, alpha=0.5"). A repeat is a value of the axis over which mean and deviation are taken
// (seed=3). A model is one setting at one repeat; a run is one model evaluated on one set.
//
// Ports: every input is the output folder of a node. "scores" are those of evaluate (scores.csv, metrics.json),
// "histories" those of train (history.csv), "cams" those of cam (cams/index.json). Outputs are metrics.csv, summary.json
// (results.Summary), tables/ and figures/. "skipped" are the lists of images that prepare left out (skipped.csv) of the data sets
// that allow it. Where there are several networks, or values of other further axes, each has figures of its own:
// roc.resnet50.svg. The same inputs give the same bytes.
package summary

import (
	"context"
	"fmt"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Kind is the stage's name in a spec.
const Kind = "summary"

// The ports.
const (
	Scores    = "scores"
	Histories = "histories"
	CAMs      = "cams"
	Skipped   = "skipped"
)

// Params of the stage "summary".
type Params struct {
	// Compare is the matrix axis whose values are compared.
	Compare string `yaml:"compare" json:"compare" default:"loss"`
	// Repeat is the matrix axis over which mean and standard deviation are taken.
	Repeat string `yaml:"repeat" json:"repeat" default:"seed"`
	// Baseline is the value of the compared axis that all others are tested against.
	Baseline string `yaml:"baseline" json:"baseline" default:"cross_entropy"`
	// Metric is the metric of the comparison: auc, accuracy, eer, apcer, bpcer or acer.
	Metric string `yaml:"metric" json:"metric" default:"auc"`
	// Mean names the sets over which a model's mean metric is taken, such as the unseen generators; without it, all.
	Mean []string `yaml:"mean" json:"mean"`
	// Tables names the metrics that get a table in tables/ beside that of Metric: auc, accuracy, eer, apcer, bpcer, acer,
	// apcer_at_bpcer_1, apcer_at_bpcer_5, apcer_at_bpcer_10, acer_chosen, acer_on_test, accuracy_at_prevalence, d_prime, ece,
	// tdr_at_fdr_0.001, tdr_at_fdr_0.002, tdr_at_fdr_0.01, tdr_at_fdr_0.05 or auc_se.
	Tables []string `yaml:"tables" json:"tables,omitempty"`
	// Prevalence is the share of synthetic images at which accuracy_at_prevalence is stated.
	Prevalence float64 `yaml:"prevalence" json:"prevalence" default:"0.5" min:"0.000001" max:"1"`
	// ChosenOn is the set on whose scores each model's threshold of acer_chosen is chosen, if it is scored: the one with the
	// smallest ACER there.
	ChosenOn string `yaml:"chosen_on" json:"chosen_on" default:"validation"`
	// Bootstrap is the number of replicates of the images, drawn within each class, for the bands of the ROC and an interval of
	// the AUC; 0 draws none. A thousand replicates for a model with 700,000 images take about ten seconds of one core.
	Bootstrap int `yaml:"bootstrap" json:"bootstrap" default:"1000" min:"0" max:"100000"`
	// Notes are what a reader of the report must know; which data are simulated is added by itself.
	Notes []string `yaml:"notes" json:"notes"`
}

// WithDefaults fills in what is not set.
func (p Params) WithDefaults() Params {
	for _, f := range []struct {
		field *string
		value string
	}{{&p.Compare, "loss"}, {&p.Repeat, "seed"}, {&p.Baseline, "cross_entropy"}, {&p.Metric, "auc"}, {&p.ChosenOn, "validation"}} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
	if p.Prevalence == 0 {
		p.Prevalence = 0.5
	}
	return p
}

// Run does the stage.
func Run(ctx context.Context, t *task.Task) error {
	var p Params
	if err := t.Decode(&p); err != nil {
		return err
	}
	p = p.WithDefaults()
	names := newNaming(p, t.Inputs)
	runs, err := readRuns(t.Inputs[Scores], names)
	if err != nil {
		return err
	}
	s, err := outline(p, names, runs, t.Inputs)
	if err != nil {
		return err
	}
	if s.Skipped, err = skipped(t.Inputs[Skipped]); err != nil {
		return err
	}
	s.Notes = append(s.Notes, omissions(s.Skipped)...)
	s.Cells = cells(s, runs)
	baseline := baselines(s, names, runs)
	s.Tests = tests(s, baseline, runs)
	s.Pairs = pairs(s, networkOf(names, runs), runs)
	all := newGathered(baseline)
	if err := measureAll(ctx, p, s.Mean, runs, all.take); err != nil {
		return err
	}
	all.finish(s)
	if s.Tables = tables(s, p, names, runs, all); len(runs) == 0 {
		if s.Tables, err = learned(s, names, t.Inputs[Histories]); err != nil {
			return err
		}
	}
	if s.Curves, err = curves(s.Settings, t.Inputs[Histories], names); err != nil {
		return err
	}
	if s.Maps, err = maps(t.Inputs[CAMs], names); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return write(t, s, runs, names, all)
}

// outline is the summary's frame: its axes, settings, sets and notes.
func outline(p Params, names naming, runs []run, inputs map[string][]task.Input) (*results.Summary, error) {
	s := &results.Summary{Axes: names.axes, Compare: p.Compare, Repeat: p.Repeat, Metric: p.Metric, Notes: slices.Clone(p.Notes)}
	for _, port := range []string{Scores, Histories, CAMs} {
		for _, in := range inputs[port] {
			s.Settings = appendNew(s.Settings, names.setting(in.Axes))
		}
	}
	for _, r := range runs {
		s.Sets = appendNew(s.Sets, r.Set)
		s.Runs = append(s.Runs, r.Run)
	}
	for _, set := range p.Mean {
		if !slices.Contains(s.Sets, set) {
			return nil, fmt.Errorf("summary: mean names the set %q, which was not evaluated; there are: %v", set, s.Sets)
		}
	}
	s.Mean = p.Mean
	if len(s.Mean) == 0 {
		s.Mean = s.Sets
	}
	s.Notes = append(s.Notes, gaps(s, runs)...)
	return s, nil
}

// gaps says which models were not evaluated on which set, and where the metric is not defined.
func gaps(s *results.Summary, runs []run) (notes []string) {
	var models []model
	on := map[string]map[model]bool{}
	for _, r := range runs {
		models = appendNew(models, r.model)
		if on[r.Set] == nil {
			on[r.Set] = map[model]bool{}
		}
		_, defined := r.Metrics[s.Metric]
		on[r.Set][r.model] = defined
	}
	for _, set := range s.Sets {
		missing, undefined := 0, 0
		for _, m := range models {
			if defined, evaluated := on[set][m]; !evaluated {
				missing++
			} else if !defined {
				undefined++
			}
		}
		if missing > 0 {
			notes = append(notes, fmt.Sprintf("Set %s: %d of %d models were not evaluated.", set, missing, len(models)))
		}
		if undefined > 0 {
			notes = append(notes, fmt.Sprintf("Set %s: no %s for %d of %d models; a class is missing.", set, s.Metric, undefined, len(models)))
		}
	}
	return notes
}

func appendNew[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
