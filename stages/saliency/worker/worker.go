// Package worker does the stage saliency: it reads annotations and writes a map for each image that has enough of them.
package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
	picture "github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
	"github.com/cyborg-run/cyborg-run/stages/saliency"
)

// Run does the task. The same files give the same bytes, whatever the number of threads. An error names the file, and the
// place in it, that cannot be used.
func Run(ctx context.Context, t *task.Task) error {
	var job saliency.Job
	if err := t.Decode(&job); err != nil {
		return err
	}
	if len(t.Inputs[prepare.Source]) > 0 {
		source, err := t.One(prepare.Source)
		if err != nil {
			return err
		}
		job.List = job.List.At(source.Path)
	}
	plan, err := prepare.NewPlan(job.List)
	if err != nil {
		return err
	}
	s := &session{job: job, plan: plan, task: t, rows: make([]row, len(plan.Images))}
	if err := s.load(); err != nil {
		return err
	}
	if err := os.MkdirAll(t.Out(experiment.MapsFolder), 0o755); err != nil {
		return err
	}
	if err := s.all(ctx); err != nil {
		return err
	}
	return s.report()
}

// session is what the goroutines share. Each row is written by one of them.
type session struct {
	job  saliency.Job
	plan *prepare.Plan
	task *task.Task
	rows []row

	answers  map[answerKey]int // the class that an annotator took an image for; nil where there are no answers
	unknown  []string          // images of the annotations that are not in the list
	mu       sync.Mutex
	problems []problem
}

// row is an image's annotations, and what became of them.
type row struct {
	records  []annotation.Record
	drawings []saliency.Drawing

	annotators                        int // whose maps were averaged
	names                             []string
	wrong, unanswered, empty, outside int
	mapped                            bool
	agreement                         annotation.Pair // of NaN where there are no pairs
	pairs                             int
}

// all makes every image's map.
func (s *session) all(ctx context.Context) error {
	var next, done atomic.Int64
	workers, ctx := errgroup.WithContext(ctx)
	for range max(1, s.task.Threads) {
		workers.Go(func() error {
			for i := int(next.Add(1)) - 1; i < len(s.rows); i = int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := s.row(i); err != nil {
					if s.reject(i, err) {
						return nil // enough is known
					}
				}
				s.task.Progress(int(done.Add(1)), len(s.rows), "images", nil)
			}
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	return s.rejected()
}

// row makes one image's map.
func (s *session) row(i int) error {
	r := &s.rows[i]
	r.agreement = annotation.Pair{CC: math.NaN(), IoU: math.NaN()}
	s.filter(i)
	if len(r.records)+len(r.drawings) == 0 {
		return nil
	}
	photo, err := picture.Open(s.plan.Images[i], picture.Limits{MaxPixels: s.job.List.MaxPixels})
	if err != nil {
		return err
	}
	maps, err := s.maps(i, photo.W, photo.H)
	if err != nil {
		return err
	}
	r.annotators = len(maps)
	if len(maps) == 0 || len(maps) < s.job.MinAnnotators {
		return nil
	}
	pairs := annotation.Pairs(maps)
	r.pairs, r.agreement = len(pairs), annotation.MeanPair(pairs)
	out, err := s.finish(i, maps)
	if err != nil {
		return err
	}
	r.mapped = true
	return s.write(i, out)
}

// maps are those of the annotators of an image of w x h pixels. Who marked nothing has none.
func (s *session) maps(i, w, h int) (maps []*annotation.Map, err error) {
	r := &s.rows[i]
	for _, d := range r.drawings {
		m, err := s.drawing(d.File, w, h)
		if err != nil {
			return nil, fmt.Errorf("drawing %s: %w", d.File, err)
		}
		maps, r.names = append(maps, m), append(r.names, d.Annotator)
	}
	for k := range r.records {
		m := annotation.NewMap(w, h)
		record := &r.records[k]
		if err := s.regions(r, record.Regions, m); err != nil {
			return nil, fmt.Errorf("%s: %w", s.file(), err)
		}
		record.Points = s.points(r, record.Points, w, h)
		if len(record.Points) > 0 {
			m.Spread(record.Points, s.job.Sigma.InPixels())
		}
		maps, r.names = append(maps, m), append(r.names, record.Annotator)
	}
	kept, names := maps[:0], r.names[:0]
	for k, m := range maps {
		if m.Empty() {
			r.empty++
			continue
		}
		kept, names = append(kept, m), append(names, r.names[k])
	}
	r.names = names
	return kept, nil
}

// points are those that count, with their weights.
func (s *session) points(r *row, points []annotation.Point, w, h int) (kept []annotation.Point) {
	for k, p := range points {
		switch {
		case k == 0 && s.job.DropFirst:
		case !p.Inside(w, h):
			r.outside++
		default:
			if s.job.Weight == "count" {
				p.Weight = 1
			}
			kept = append(kept, p)
		}
	}
	return kept
}

// finish goes from the annotators' maps to the image's.
func (s *session) finish(i int, maps []*annotation.Map) (*annotation.Map, error) {
	how := s.job.Average
	if s.job.Points() {
		if how == "pooled" {
			how = annotation.Mean // which differs from the sum by a factor
		} else {
			for _, m := range maps {
				m.Scale(1 / m.Sum())
			}
		}
	}
	out := annotation.Average(maps, how)
	if s.job.Smooth > 0 {
		out = out.Smooth(s.job.Smooth)
	}
	if s.job.Points() {
		out.Scale(1 / out.Max())
	}
	if s.job.Granularity != annotation.Features {
		return out.Grain(s.job.Granularity, s.job.Threshold)
	}
	if s.job.Threshold > 0 {
		out.Threshold(s.job.Threshold)
	}
	return out, nil
}

// write saves an image's map.
func (s *session) write(i int, m *annotation.Map) error {
	name := experiment.MapsFolder + "/" + prepare.MadeFile(s.plan.List.Rows[i].Path)
	file, err := os.Create(s.task.Out(name))
	if err != nil {
		return err
	}
	if err := png.Encode(file, &image.Gray{Pix: m.Bytes(), Stride: m.W, Rect: image.Rect(0, 0, m.W, m.H)}); err != nil {
		_ = file.Close()
		return fmt.Errorf("write %s: %w", name, err)
	}
	return file.Close()
}

// problem is what is wrong with an image's annotations.
type problem struct {
	row int
	err error
}

const maxProblems = 10

func (s *session) reject(row int, err error) (enough bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, problem{row, err})
	return len(s.problems) >= maxProblems
}

func (s *session) rejected() error {
	if len(s.problems) == 0 {
		return nil
	}
	lines := make([]string, 0, len(s.problems)+1)
	slices.SortFunc(s.problems, func(a, b problem) int { return cmp.Compare(a.row, b.row) })
	for _, p := range s.problems {
		at := s.plan.List.Rows[p.row]
		lines = append(lines, fmt.Sprintf("%s:%d: %s: %v", s.plan.List.File, at.Line, at.Path, p.err))
	}
	if len(s.problems) >= maxProblems {
		lines = append(lines, fmt.Sprintf("stopped after %d; there may be more", maxProblems))
	}
	return errors.New(strings.Join(lines, "\n"))
}
