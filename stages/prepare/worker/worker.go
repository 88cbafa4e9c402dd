// Package worker does the stage prepare: it decodes every image and map of a data set once, in parallel, and writes
// them at the network's size into one packed file.
package worker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// Run does the task. The same files give the same bytes, whatever the number of threads. An error names up to ten
// files that cannot be used, each with the reason; nothing is left behind then, nor when ctx ends. Where bad images are to
// be skipped, those that cannot be read are no error, unless all are bad.
func Run(ctx context.Context, t *task.Task) error {
	var params prepare.Params
	if err := t.Decode(&params); err != nil {
		return err
	}
	if len(t.Inputs[prepare.Source]) > 0 {
		source, err := t.One(prepare.Source)
		if err != nil {
			return err
		}
		params = params.At(source.Path)
	}
	for _, s := range params.Saliency {
		if s.Made {
			made, err := t.One(prepare.MadePort(s.Name))
			if err != nil {
				return err
			}
			params = params.WithMade(s.Name, made.Path)
		}
	}
	plan, err := prepare.NewPlan(params)
	if err != nil {
		return err
	}
	s := &session{plan: plan}
	for {
		again, err := s.pack(ctx, t)
		if err != nil {
			return err
		}
		if !again {
			return s.writeSkipped(t)
		}
	}
}

// session is one data set: what is to be packed, and what was left out so far.
type session struct {
	plan    *prepare.Plan
	skipped []skipped
}

// pack packs all of the plan. Where images are skipped it is to be done again, as a pack says first which rows it has, and
// controls deal the maps of those alone.
func (s *session) pack(ctx context.Context, t *task.Task) (again bool, err error) {
	out, err := pack.Create(t.Out(prepare.Output), s.plan.Header())
	if err != nil {
		return false, err
	}
	p := &packer{plan: s.plan, out: out}
	if err := p.all(ctx, t); err != nil {
		out.Abort()
		return false, err
	}
	if len(p.unreadable) > 0 {
		out.Abort()
		if s.skip(p.unreadable); len(s.plan.Images) == 0 {
			return false, s.nothingLeft()
		}
		return true, nil
	}
	if err := out.Commit(); err != nil {
		return false, err
	}
	p.report(t)
	s.warnSkipped(t)
	return false, nil
}

// packer holds what the goroutines share.
type packer struct {
	plan       *prepare.Plan
	out        *pack.Writer
	mu         sync.Mutex
	deep       int   // images of 16-bit grey
	turned     []int // rows whose EXIF says that they are to be turned
	bad        []badRow
	unreadable []badRow // to be skipped
	failed     error    // of writing, which ends all
}

type badRow struct {
	row int
	err error
}

const maxBad = 10

// all packs every row, t.Threads at a time. Rows begin in order, and none begins after ten bad ones: so the ten that
// are named are the first of the list.
func (p *packer) all(ctx context.Context, t *task.Task) error {
	rows := len(p.plan.Images)
	var next, done atomic.Int64
	var workers sync.WaitGroup
	for range max(1, t.Threads) {
		workers.Go(func() {
			for ctx.Err() == nil && !p.stopped() {
				i := int(next.Add(1)) - 1
				if i >= rows {
					return
				}
				if bad := p.row(i); bad != nil {
					p.reject(i, bad)
				}
				t.Progress(int(done.Add(1)), rows, "images", nil)
			}
		})
	}
	workers.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case p.failed != nil:
		return p.failed
	}
	return p.rejected()
}

func (p *packer) stopped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed != nil || len(p.bad) >= maxBad
}

func (p *packer) reject(row int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := unreadable(err); ok && p.plan.Params.OnBadImage == prepare.Skip {
		p.unreadable = append(p.unreadable, badRow{row, err})
		return
	}
	p.bad = append(p.bad, badRow{row, err})
}

// wrote keeps the first failure of writing.
func (p *packer) wrote(err error) {
	if err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = err
	}
}

func (p *packer) rejected() error {
	if len(p.bad) == 0 {
		return nil
	}
	slices.SortFunc(p.bad, func(a, b badRow) int { return cmp.Compare(a.row, b.row) })
	var lines []string
	for _, b := range p.bad[:min(len(p.bad), maxBad)] {
		lines = append(lines, fmt.Sprintf("%s:%d: %s", p.plan.List.File, p.plan.List.Rows[b.row].Line, b.err))
	}
	if len(p.bad) >= maxBad {
		lines = append(lines, fmt.Sprintf("stopped after %d bad files; there may be more", maxBad))
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}

// row packs one image and its maps. The error says what is wrong with one of its files.
func (p *packer) row(i int) error {
	params := p.plan.Params
	limits := image.Limits{MaxPixels: params.MaxPixels}
	photo, err := image.Open(p.plan.Images[i], limits)
	if err != nil {
		return err
	}
	p.remark(i, photo)
	maps := make([]*image.Grey, len(p.plan.Maps))
	for k, m := range p.plan.Maps {
		if len(m.Files) == 0 || len(m.Files[i]) == 0 {
			continue
		}
		if maps[k], err = read(m, m.Files[i], photo, limits); err != nil {
			return &mapError{m.Name, p.plan.List.Rows[i].Path, err}
		}
	}
	p.wrote(p.out.WriteImage(i, photo.RGB().Resize(params.Side, params.Side, image.Bilinear).Pix))
	scaled := p.scale(maps)
	for _, m := range p.plan.Maps {
		if to := m.Gets[i]; to >= 0 {
			base := scaled[m.Base]
			p.wrote(p.out.WriteMap(m.Name, to, base.grid, base.full))
		}
	}
	return nil
}

// remark keeps what is to be said of an image once all are read.
func (p *packer) remark(i int, photo *image.Image) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if photo.Deep() {
		p.deep++
	}
	if photo.Orientation > 1 {
		p.turned = append(p.turned, i)
	}
}

// mapError is what is wrong with a map.
type mapError struct {
	name, image string
	err         error
}

func (e *mapError) Error() string {
	return fmt.Sprintf("map %s of image %s: %v", e.name, e.image, e.err)
}
func (e *mapError) Unwrap() error { return e.err }

// report says what was packed: images of each class, and how many have each map.
func (p *packer) report(t *task.Task) {
	counts := p.plan.List.Counts()
	text := fmt.Sprintf("%d images: %d Real, %d Synthetic", len(p.plan.Images), counts[table.Real], counts[table.Synthetic])
	if unknown := len(p.plan.Images) - counts[table.Real] - counts[table.Synthetic]; unknown > 0 {
		text += fmt.Sprintf(", %d without label", unknown)
	}
	for k := range p.plan.Maps {
		m := &p.plan.Maps[k]
		text += fmt.Sprintf("; map %s: %d", m.Name, m.Count())
		if m.Simulated {
			text += " (simulated)"
		}
	}
	t.Emit(task.Event{Type: task.Log, Message: text})
	for k := range p.plan.Maps {
		m := &p.plan.Maps[k]
		if missing := len(p.plan.Images) - m.Count(); missing > 0 {
			t.Warn(fmt.Sprintf("%d of %d images have no map %q", missing, len(p.plan.Images), m.Name))
		}
	}
	if p.deep > 0 {
		t.Warn(fmt.Sprintf("%d images are 16-bit grey: all levels above 255 became white, as Pillow makes them; save them with 8 bits", p.deep))
	}
	if len(p.turned) > 0 {
		first := p.plan.List.Rows[slices.Min(p.turned)].Path
		t.Warn(fmt.Sprintf("%d of %d images say by EXIF that they are to be turned, the first is %s: they are taken as they are stored, as Pillow takes them",
			len(p.turned), len(p.plan.Images), first))
	}
}
