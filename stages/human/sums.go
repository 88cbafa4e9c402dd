package human

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// cell is a condition, a group and a class: what is summed apart.
type cell struct {
	annotated bool
	group     int
	signal    bool
}

// sum is what is summed over the trials of one cell, each as often as it was drawn.
type sum struct {
	n, right, timed, logTime float64
	models                   []modelSum
}

// modelSum is over those trials alone that a model has scores for.
type modelSum struct{ n, people, model, same float64 }

func (s *sum) add(o *sum, weight float64) {
	s.n += weight * o.n
	s.right += weight * o.right
	s.timed += weight * o.timed
	s.logTime += weight * o.logTime
	for k := range s.models {
		to, from := &s.models[k], &o.models[k]
		to.n += weight * from.n
		to.people += weight * from.people
		to.model += weight * from.model
		to.same += weight * from.same
	}
}

// observed is the trials in the form that is summed.
type observed struct {
	d      *data
	cells  []cell // that there are
	at     []int  // number of each trial's cell
	values []sum  // of each trial, once
	models int    // how many
}

func observe(d *data, models []model, threshold float64) *observed {
	o := &observed{d: d, models: len(models)}
	for i := range d.trials {
		t := &d.trials[i]
		v := sum{n: 1, right: agree(1, t.right()), models: make([]modelSum, len(models))}
		if t.Time > 0 {
			v.timed, v.logTime = 1, math.Log(t.Time)
		}
		for k := range models {
			if correct, same, scored := models[k].verdict(t, threshold); scored {
				v.models[k] = modelSum{1, v.right, correct, same}
			}
		}
		c := cell{t.Annotated, t.group, t.signal}
		at := slices.Index(o.cells, c)
		if at < 0 {
			at = len(o.cells)
			o.cells = append(o.cells, c)
		}
		o.at, o.values = append(o.at, at), append(o.values, v)
	}
	return o
}

// sums is the sum of each cell, by its number.
type sums []sum

// sums adds all trials up, each as often as both its participant and its image were drawn; nil: each once.
func (o *observed) sums(people, items []int) sums {
	s := make(sums, len(o.cells))
	models := make([]modelSum, len(s)*o.models)
	for i := range s {
		s[i].models = models[i*o.models:][:o.models]
	}
	for i := range o.values {
		weight := 1
		if people != nil {
			t := &o.d.trials[i]
			weight = people[t.person] * items[t.item]
		}
		if weight > 0 {
			s[o.at[i]].add(&o.values[i], float64(weight))
		}
	}
	return s
}

// over adds up some cells.
func (s sums) over(cells []int) (total sum) {
	if len(s) > 0 {
		total.models = make([]modelSum, len(s[0].models))
	}
	for _, c := range cells {
		total.add(&s[c], 1)
	}
	return total
}

// draw draws as many as there are, with replacement, of people and of items, and says how often each came. Resample r of a
// seed is always the same.
func draw(seed uint64, r, people, items int) (ofPeople, ofItems []int) {
	chance := rand.New(rand.NewPCG(seed, uint64(r)))
	count := func(n int) []int {
		counts := make([]int, n)
		for range n {
			counts[chance.IntN(n)]++
		}
		return counts
	}
	return count(people), count(items)
}

// resample evaluates all measures on each resample: values[m][r].
func (o *observed) resample(ctx context.Context, measures []measure, seed uint64, resamples, threads int, progress func(done int)) ([][]float64, error) {
	values := make([][]float64, len(measures))
	for m := range values {
		values[m] = make([]float64, resamples)
	}
	var next, done atomic.Int64
	workers, ctx := errgroup.WithContext(ctx)
	for range min(max(1, threads), runtime.NumCPU()) {
		workers.Go(func() error {
			for r := int(next.Add(1)) - 1; r < resamples; r = int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				people, items := draw(seed, r, len(o.d.people), len(o.d.items))
				s := o.sums(people, items)
				for m := range measures {
					values[m][r], _ = measures[m].of(s)
				}
				progress(int(done.Add(1)))
			}
			return nil
		})
	}
	return values, workers.Wait()
}

// interval is the range from the 2.5th to the 97.5th percentile of the resamples on which a measure is defined, by linear
// interpolation; ok is false where it is defined on fewer than 19 of 20.
func interval(values []float64) (low, high float64, ok bool) {
	kept := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(kept)*20 < len(values)*19 || len(kept) < 2 {
		return 0, 0, false
	}
	slices.Sort(kept)
	return quantile(kept, 0.025), quantile(kept, 0.975), true
}

// quantile of sorted values (Hyndman and Fan, 1996, definition 7, which is NumPy's).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
