package human

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Run evaluates a study.
func Run(ctx context.Context, t *task.Task) error {
	var job Job
	if err := t.Decode(&job); err != nil {
		return err
	}
	found, err := job.evaluate(ctx, t)
	if err != nil {
		return fmt.Errorf("human: %w", err)
	}
	found.Node = t.Node
	if err := write(t, found); err != nil {
		return fmt.Errorf("human: %w", err)
	}
	return nil
}

func (j *Job) evaluate(ctx context.Context, t *task.Task) (*results.Human, error) {
	raw, err := os.ReadFile(j.Path)
	if err != nil {
		return nil, err
	}
	rows, err := study.ParseTrials(j.Path, raw, j.Group, j.Labels)
	if err != nil {
		return nil, err
	}
	k, err := fromLists(j.Lists, j.Group)
	if err != nil {
		return nil, err
	}
	models, err := readModels(t.Inputs[Scores], j.Compare, j.Repeat, k)
	if err != nil {
		return nil, err
	}
	d, err := gather(j.Path, rows, k)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(d.people)
	excluded, why, err := j.Exclude.exclude(d)
	if err != nil {
		return nil, err
	}
	d.renumber()

	h := &results.Human{Pairs: d.pairs, Participants: len(d.people), Images: len(d.items), Trials: len(d.trials),
		Conditions: d.conditions(), Groups: d.groups, Resamples: j.Resamples, Seed: j.Seed, Excluded: excluded, Notes: j.Notes}
	h.People = d.participants(all, why)
	h.Paired = paired(h.People)
	for i := range models {
		h.Models = append(h.Models, models[i].name)
		h.Agreement = append(h.Agreement, models[i].agreement(d, j.Threshold))
	}
	o := observe(d, models, j.Threshold)
	h.Measures, err = o.estimate(ctx, o.measures(models), j, t)
	return h, err
}

// estimate evaluates the measures, each with its interval. Those that are not defined are left out.
func (o *observed) estimate(ctx context.Context, measures []measure, j *Job, t *task.Task) ([]results.HumanMeasure, error) {
	values, err := o.resample(ctx, measures, j.Seed, j.Resamples, t.Threads, func(done int) {
		if done%100 == 0 {
			t.Progress(done, j.Resamples, "resamples", nil)
		}
	})
	if err != nil {
		return nil, err
	}
	var found []results.HumanMeasure
	once := o.sums(nil, nil)
	for i, m := range measures {
		value, trials := m.of(once)
		if math.IsNaN(value) {
			continue
		}
		m.Value, m.Trials = value, int(trials)
		if low, high, ok := interval(values[i]); ok {
			m.Low, m.High = &low, &high
		}
		found = append(found, m.HumanMeasure)
	}
	return found, nil
}

// participants are all who took part, by name, with what they did in the trials that count.
func (d *data) participants(names []string, why map[string]string) []results.Participant {
	type tally struct{ right, times []float64 }
	tallies := map[string]map[string]*tally{}
	for _, name := range names {
		tallies[name] = map[string]*tally{results.HumanAll: {}, study.Free: {}, study.Annotated: {}}
	}
	for i := range d.trials {
		t := &d.trials[i]
		for _, c := range []string{results.HumanAll, condition(t.Annotated)} {
			at := tallies[t.Participant][c]
			at.right = append(at.right, agree(1, t.right()))
			if !math.IsNaN(t.Time) {
				at.times = append(at.times, t.Time)
			}
		}
	}
	checks, failed := d.checked()
	var people []results.Participant
	for _, name := range slices.Sorted(slices.Values(names)) {
		of := tallies[name]
		people = append(people, results.Participant{
			Participant: name, Trials: len(of[results.HumanAll].right), Accuracy: defined(stats.Mean(of[results.HumanAll].right)),
			Free: defined(stats.Mean(of[study.Free].right)), Annotated: defined(stats.Mean(of[study.Annotated].right)),
			MedianTime: median(of[results.HumanAll].times), Checks: checks[name], Failed: failed[name], Excluded: why[name],
		})
	}
	return people
}

func median(values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(values))
	m := quantile(sorted, 0.5)
	return &m
}

// paired tests annotated against free over the participants who did both.
func paired(people []results.Participant) *results.HumanPaired {
	var annotated, free []float64
	for _, p := range people {
		if p.Annotated != nil && p.Free != nil {
			annotated, free = append(annotated, *p.Annotated), append(free, *p.Free)
		}
	}
	test := stats.Paired(annotated, free)
	if math.IsNaN(test.P) {
		return nil
	}
	return &results.HumanPaired{N: test.N, Difference: test.Difference, Low: test.Low, High: test.High, P: test.P}
}
