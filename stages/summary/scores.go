package summary

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
)

// pooledSet names the scores of all Summary.Mean sets of a model together, images that several sets share counted once.
const pooledSet = "pooled"

// rocPoints is the number of false positive rates at which curves are averaged.
const rocPoints = 101

// bootstrapSeed is that of all replicates: networks that were scored on one list are measured on the same draws.
const bootstrapSeed = 1

// measured is what was read off the scores of one model on one set.
type measured struct {
	set        string
	list       uint64 // tells lists of images apart
	values     map[string]float64
	roc        metrics.Curve // at the grid; empty: not defined
	placements metrics.Placements
	bins       metrics.Reliability
	replicates metrics.Replicates
}

// measureAll reads the scores of every model once, and hands what was read off them to take: repeat by repeat, those of one
// repeat together, by model. Only one repeat is in memory at a time.
func measureAll(ctx context.Context, p Params, mean []string, runs []run, take func(repeat string, models []model, of map[model][]measured)) error {
	var repeats []string
	for _, r := range runs {
		repeats = appendNew(repeats, r.repeat)
	}
	for _, repeat := range repeats {
		var models []model
		of := map[model][]run{}
		for _, r := range runs {
			if r.repeat == repeat {
				models = appendNew(models, r.model)
				of[r.model] = append(of[r.model], r)
			}
		}
		found := make([][]measured, len(models))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(runtime.GOMAXPROCS(0))
		for i, m := range models {
			group.Go(func() (err error) {
				found[i], err = measureModel(ctx, p, mean, of[m])
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		results := map[model][]measured{}
		for i, m := range models {
			results[m] = found[i]
		}
		take(repeat, models, results)
	}
	return nil
}

// measureModel measures one model on each of its sets, and pooled where it has all sets of the mean.
func measureModel(ctx context.Context, p Params, mean []string, runs []run) (out []measured, err error) {
	columns := make([]metrics.Columns, len(runs))
	under := metrics.Conditions{Prevalence: p.Prevalence, Chosen: math.NaN()}
	for i, r := range runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if columns[i], err = metrics.ReadColumns(scoresFile(r)); err != nil {
			return nil, err
		}
		if r.Set == p.ChosenOn {
			under.Chosen = metrics.Rank(columns[i].Classes, columns[i].Scores).ChosenThreshold()
		}
	}
	var pool []metrics.Columns
	for i, r := range runs {
		m, err := measure(ctx, p, r.Set, columns[i], under)
		if err != nil {
			return nil, err
		}
		for name, value := range r.Metrics { // as evaluate found them
			m.values[name] = value
		}
		out = append(out, m)
		if slices.Contains(mean, r.Set) {
			pool = append(pool, columns[i])
		}
	}
	if len(pool) < len(mean) || len(mean) == 0 {
		return out, nil
	}
	m, err := measure(ctx, p, pooledSet, metrics.Pool(pool), under)
	return append(out, m), err
}

func measure(ctx context.Context, p Params, set string, c metrics.Columns, under metrics.Conditions) (m measured, err error) {
	if set == p.ChosenOn {
		under.Chosen = math.NaN() // what is chosen here is not measured here
	}
	m = measured{set: set, list: c.List()}
	var ranking *metrics.Ranking
	m.values, ranking = metrics.Measure(c.Classes, c.Scores, under)
	m.placements = ranking.Placements()
	m.bins, _ = metrics.Calibration(c.Classes, c.Scores)
	grid := metrics.Grid(rocPoints)
	if roc := ranking.ROC(); len(roc.FPR) > 0 {
		m.roc = metrics.Curve{FPR: grid, TPR: make([]float64, len(grid))}
		for i, fpr := range grid {
			m.roc.TPR[i] = roc.At(fpr)
		}
	}
	if p.Bootstrap > 0 {
		if m.replicates, err = ranking.Bootstrap(ctx, p.Bootstrap, bootstrapSeed, grid); err != nil {
			return m, fmt.Errorf("bootstrap of %s: %w", set, err)
		}
	}
	return m, nil
}
