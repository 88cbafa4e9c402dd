package executor

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// amount is how much of everything that is shared out: places for nodes (--jobs), cores, CUDA devices, bytes of memory.
type amount [4]int64

const (
	places = iota
	cores
	devices
	memory
)

const endless = math.MaxInt64 / 2

// has is all that there is for a run.
func (o Options) has() amount {
	a := amount{endless, int64(max(1, o.CPUs)), int64(o.cuda()), endless}
	if o.Jobs > 0 {
		a[places] = int64(o.Jobs)
	}
	if o.Memory > 0 {
		a[memory] = o.Memory
	}
	return a
}

// cuda is the number of the run's CUDA devices.
func (o Options) cuda() int {
	if len(o.Devices) == 0 || !strings.HasPrefix(o.Devices[0], "cuda") {
		return 0
	}
	return len(o.Devices)
}

// asks is what a node holds while it works. Of cores it gets no more than there are: a node that wants all of a larger
// machine still runs alone here. --jobs lets nodes share a device, but for those that ask for one by resources.gpus.
func (o Options) asks(n *graph.Node) amount {
	a := amount{1, int64(max(1, n.CPUs)), int64(n.Resources.GPUs), int64(n.Resources.Memory)}
	if n.Resources.CPUs > 0 {
		a[cores] = int64(n.Resources.CPUs)
	}
	a[cores] = min(a[cores], int64(max(1, o.CPUs)))
	if a[devices] == 0 && n.GPU && o.Jobs == 0 && o.cuda() > 0 {
		a[devices] = 1
	}
	return a
}

// Lacks says why a node can never be done with what there is; "" where it can.
func (o Options) Lacks(n *graph.Node) string {
	asks, has := o.asks(n), o.has()
	switch {
	case asks[devices] > has[devices] && has[devices] == 0:
		return fmt.Sprintf("it asks for %s by resources.gpus, and this run is on the CPU", count(asks[devices], "GPU"))
	case asks[devices] > has[devices]:
		return fmt.Sprintf("it asks for %s by resources.gpus, and this run has %d", count(asks[devices], "GPU"), has[devices])
	case asks[memory] > has[memory]:
		return fmt.Sprintf("it asks for %s of memory by resources.memory, and there are %s", spec.Bytes(asks[memory]), spec.Bytes(has[memory]))
	}
	return ""
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (a amount) within(b amount) bool {
	for i := range a {
		if a[i] > b[i] {
			return false
		}
	}
	return true
}

func (a amount) plus(b amount) amount {
	for i := range a {
		a[i] += b[i]
	}
	return a
}

func (a amount) minus(b amount) amount {
	for i := range a {
		a[i] -= b[i]
	}
	return a
}

// patience is how many nodes may overtake one that waits before it keeps back what it asks for.
const patience = 4

// queue holds the nodes whose inputs are there, in the order in which they became so. The first that fits starts, so
// that a small node may overtake a large one. A node that was overtaken patience times keeps back what it asks for,
// as far as it is free: from then on others start only with what is left beyond that. So what it asks for gathers as
// those before it end, and every node starts in bounded time.
type queue struct{ waiting []*turn }

// turn is a node that waits for what it asks for, or works with it.
type turn struct {
	step      *graph.Step
	asks      amount
	overtaken int

	try      int   // 1: the first
	held     []int // places of its devices among the run's
	released bool
}

func (q *queue) add(t *turn) { q.waiting = append(q.waiting, t) }

// next takes a node off the queue that can start with what is free; nil if none can.
func (q *queue) next(free amount) *turn {
	for i, t := range q.waiting {
		if free[places] < 1 || free[cores] < 1 {
			return nil // of which every node asks for one
		}
		if t.asks.within(free) {
			for _, before := range q.waiting[:i] {
				before.overtaken++
			}
			if i == 0 {
				q.waiting = q.waiting[1:]
			} else {
				q.waiting = slices.Delete(q.waiting, i, i+1)
			}
			return t
		}
		if t.overtaken >= patience {
			for k := range free {
				free[k] = max(0, free[k]-t.asks[k])
			}
		}
	}
	return nil
}

// short names what the waiting nodes lack that have a core and a place, and counts them.
func (q *queue) short(free amount) (what []string, nodes int) {
	if free[places] < 1 {
		return nil, 0
	}
	names := map[int]string{devices: "a GPU", memory: "memory"}
	for _, kind := range []int{devices, memory} {
		before := nodes
		for _, t := range q.waiting {
			if t.asks[cores] <= free[cores] && t.asks[kind] > free[kind] && (kind == devices || t.asks[devices] <= free[devices]) {
				nodes++
			}
		}
		if nodes > before {
			what = append(what, names[kind])
		}
	}
	return what, nodes
}
