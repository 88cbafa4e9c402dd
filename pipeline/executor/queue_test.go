package executor

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Whatever nodes ask for, and however many small ones keep coming: never more is in use than there is, and a node that
// waits starts after a number of starts that only what was there before it decides.
func TestQueueProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		has := amount{
			places: int64(rapid.IntRange(1, 8).Draw(t, "jobs")), cores: int64(rapid.IntRange(1, 8).Draw(t, "cores")),
			devices: int64(rapid.IntRange(0, 3).Draw(t, "devices")), memory: int64(rapid.IntRange(1, 100).Draw(t, "memory")),
		}
		asks := func() amount {
			return amount{places: 1, cores: int64(rapid.IntRange(1, int(has[cores])).Draw(t, "asks for cores")),
				devices: int64(rapid.IntRange(0, int(has[devices])).Draw(t, "asks for devices")),
				memory:  int64(rapid.IntRange(0, int(has[memory])).Draw(t, "asks for memory"))}
		}
		var q queue
		free := has
		var running []*turn // the oldest first
		starts := 0
		pass := func() {
			for next := q.next(free); next != nil; next = q.next(free) {
				if free = free.minus(next.asks); !(amount{}).within(free) {
					t.Fatalf("%v of %v is free", free, has)
				}
				running = append(running, next)
				starts++
			}
		}
		end := func(i int) {
			free = free.plus(running[i].asks)
			running = append(running[:i], running[i+1:]...)
		}
		for range rapid.IntRange(0, 20).Draw(t, "nodes before") {
			q.add(&turn{asks: asks()})
		}
		pass()
		large := &turn{asks: asks()}
		q.add(large)
		before := len(q.waiting) - 1
		from := starts
		// Small ones come as fast as others end, and every third time the oldest ends, else any.
		for round := 0; large.overtaken >= 0; round++ {
			for range 3 {
				q.add(&turn{asks: asks()})
			}
			pass()
			started := true
			for _, w := range q.waiting {
				started = started && w != large
			}
			if started {
				break
			}
			i := 0
			if round%3 > 0 {
				i = rapid.IntRange(0, len(running)-1).Draw(t, "ends")
			}
			end(i)
			if round > 1000 {
				t.Fatalf("a node that asks for %v of %v still waits after %d starts, with %d before it", large.asks, has, starts-from, before)
			}
		}
		if free.plus(sum(running)) != has {
			t.Fatalf("%v is free and %v in use, of %v", free, sum(running), has)
		}
	})
}

func sum(turns []*turn) (all amount) {
	for _, t := range turns {
		all = all.plus(t.asks)
	}
	return all
}

// The order in which nodes start: the first that fits, until one was overtaken too often.
func TestQueueOrder(t *testing.T) {
	has := amount{endless, 2, 0, endless}
	one, all := amount{1, 1, 0, 0}, amount{1, 2, 0, 0}
	var q queue
	first, large := &turn{asks: one}, &turn{asks: all}
	q.add(first)
	q.add(large)
	for range 10 {
		q.add(&turn{asks: one})
	}
	free := has
	take := func() *turn {
		next := q.next(free)
		if next != nil {
			free = free.minus(next.asks)
		}
		return next
	}
	if take() != first {
		t.Fatal("the first did not start first")
	}
	for i := range patience {
		if next := take(); next == nil || next == large {
			t.Fatalf("the small node %d did not overtake", i)
		}
		free = free.plus(one)
	}
	if next := take(); next != nil {
		t.Fatalf("a node started that asks for %v, before the large one", next.asks)
	}
	if free = free.plus(one); take() != large {
		t.Error("the large node did not start when all was free")
	}
}

// What a node asks for that does not say so, and what can never be had.
func TestAsks(t *testing.T) {
	two := []string{"cuda:0", "cuda:1"}
	for name, c := range map[string]struct {
		node    graph.Node
		options Options
		want    amount
		lacks   string
	}{
		"threads":         {node: graph.Node{CPUs: 3}, options: Options{Machine: Machine{CPUs: 4}}, want: amount{1, 3, 0, 0}},
		"too many":        {node: graph.Node{CPUs: 8}, options: Options{Machine: Machine{CPUs: 4}}, want: amount{1, 4, 0, 0}},
		"cpus":            {node: asking(spec.Resources{CPUs: 2}), options: Options{Machine: Machine{CPUs: 4}}, want: amount{1, 2, 0, 0}},
		"a device":        {node: graph.Node{GPU: true}, options: Options{Machine: Machine{CPUs: 4, Devices: two}}, want: amount{1, 1, 1, 0}},
		"a shared device": {node: graph.Node{GPU: true}, options: Options{Jobs: 3, Machine: Machine{CPUs: 4, Devices: two}}, want: amount{1, 1, 0, 0}},
		"no device":       {node: graph.Node{GPU: true}, options: Options{Machine: Machine{CPUs: 4, Devices: []string{"cpu"}}}, want: amount{1, 1, 0, 0}},
		"two devices":     {node: asking(spec.Resources{GPUs: 2}), options: Options{Jobs: 3, Machine: Machine{CPUs: 4, Devices: two}}, want: amount{1, 1, 2, 0}},
		"memory":          {node: asking(spec.Resources{Memory: 8 << 30}), options: Options{Machine: Machine{CPUs: 4, Memory: 16 << 30}}, want: amount{1, 1, 0, 8 << 30}},
		"memory unknown":  {node: asking(spec.Resources{Memory: 8 << 30}), options: Options{Machine: Machine{CPUs: 4}}, want: amount{1, 1, 0, 8 << 30}},
		"three devices": {node: asking(spec.Resources{GPUs: 3}), options: Options{Machine: Machine{CPUs: 4, Devices: two}}, want: amount{1, 1, 3, 0},
			lacks: "it asks for 3 GPUs by resources.gpus, and this run has 2"},
		"a device of none": {node: asking(spec.Resources{GPUs: 1}), options: Options{Machine: Machine{CPUs: 4, Devices: []string{"cpu"}}}, want: amount{1, 1, 1, 0},
			lacks: "it asks for 1 GPU by resources.gpus, and this run is on the CPU"},
		"too much memory": {node: asking(spec.Resources{Memory: 20 << 30}), options: Options{Machine: Machine{CPUs: 4, Memory: 15<<30 + 1<<29}}, want: amount{1, 1, 0, 20 << 30},
			lacks: "it asks for 20GiB of memory by resources.memory, and there are 15.5GiB"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.options.asks(&c.node); got != c.want {
				t.Errorf("it asks for %v, want %v", got, c.want)
			}
			if got := c.options.Lacks(&c.node); got != c.lacks {
				t.Errorf("it lacks %q, want %q", got, c.lacks)
			}
		})
	}
}

func asking(r spec.Resources) graph.Node { return graph.Node{Handling: spec.Handling{Resources: r}} }
