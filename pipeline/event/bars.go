package event

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Bars shows a bar for each node at work and one for the whole run, for a terminal; lines for what must not be missed
// scroll above them.
type Bars struct {
	progress *mpb.Progress
	total    *mpb.Bar
	waiting  atomic.Value // string: what nodes wait for besides cores
	nodes    map[string]*bar
	plain    *Plain
}

type bar struct {
	*mpb.Bar
	note atomic.Value // string; drawn from mpb's own goroutine
}

func (b *bar) text() string {
	text, _ := b.note.Load().(string)
	return text
}

// NewBars draws on w, a terminal, for a run of so many nodes.
func NewBars(w io.Writer, nodes int) *Bars {
	progress := mpb.New(mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithAutoRefresh()) // also where w is no terminal
	b := &Bars{progress: progress, nodes: map[string]*bar{}, plain: NewPlain(progress, true)}
	b.total = progress.AddBar(0, mpb.BarPriority(1<<30),
		mpb.PrependDecorators(decor.Name("all nodes", decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersNoUnit("%d of %d"), decor.Elapsed(decor.ET_STYLE_GO, decor.WCSyncSpace),
			decor.Any(func(decor.Statistics) string {
				text, _ := b.waiting.Load().(string)
				return text
			})))
	b.total.SetTotal(int64(nodes), false) // a total that was given to AddBar would end the bar, and with it the drawing
	return b
}

// Emit implements Sink.
func (b *Bars) Emit(e task.Event) {
	switch e.Type {
	case task.NodeStarted:
		if b.nodes[e.Node] != nil {
			return
		}
		one := &bar{}
		one.Bar = b.progress.AddBar(0, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(e.Node, decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return one.text() }),
				decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace)))
		b.nodes[e.Node] = one
	case task.Progress:
		if one := b.nodes[e.Node]; one != nil {
			var facts []string
			for _, name := range sortedNames(e.Facts) {
				facts = append(facts, fmt.Sprintf("%s %.3g", name, e.Facts[name]))
			}
			one.note.Store(fmt.Sprintf("%d/%d %s  %s", e.Done, e.Of, e.Unit, strings.Join(facts, "  ")))
			one.SetTotal(int64(e.Of)+1, false) // the last step is the commit
			one.SetCurrent(int64(e.Done))
		}
	case task.RunWaits:
		b.waiting.Store(strings.TrimRight("  "+e.Message, " "))
	case task.NodeDone, task.NodeFailed, task.NodeRetries:
		if one := b.nodes[e.Node]; one != nil {
			one.Abort(true)
			delete(b.nodes, e.Node)
		}
		if e.Type == task.NodeDone {
			b.total.Increment()
			return
		}
		b.plain.Emit(e)
	case task.Warning, task.NodeWaits, task.RunInterrupt:
		b.plain.Emit(e)
	}
}

// Close implements Sink; what was drawn stays on the screen.
func (b *Bars) Close() error {
	for _, one := range b.nodes {
		one.Abort(true)
	}
	b.total.Abort(false)
	b.progress.Wait()
	return nil
}
