package torch_test

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// network is the smallest one that has every kind of layer that training uses: the tests' example of the package's use.
type network struct {
	scope       *torch.Scope // owns all that follows
	conv, fc    torch.Tensor
	gamma, beta torch.Tensor
	mean, var_  torch.Tensor
	parameters  []torch.Tensor
	momentum    []torch.Tensor
	steps       int
}

const channels, side, classes = 4, 8, 2

func newNetwork(seed uint64) *network {
	s := torch.NewScope()
	gen := torch.NewGenerator(torch.CPU, seed)
	defer gen.Close()
	n := &network{
		scope: s,
		conv:  s.Randn([]int{channels, 3, 3, 3}, gen, torch.Float32, torch.CPU),
		fc:    s.Randn([]int{classes, channels}, gen, torch.Float32, torch.CPU),
		gamma: s.Ones([]int{channels}, torch.Float32, torch.CPU),
		beta:  s.Zeros([]int{channels}, torch.Float32, torch.CPU),
		mean:  s.Zeros([]int{channels}, torch.Float32, torch.CPU),
		var_:  s.Ones([]int{channels}, torch.Float32, torch.CPU),
	}
	n.parameters = []torch.Tensor{n.conv, n.fc, n.gamma, n.beta}
	for _, p := range n.parameters {
		n.momentum = append(n.momentum, s.ZerosLike(p))
		p.SetRequiresGrad(true)
	}
	return n
}

// loss of one batch; images [B,3,side,side], labels [B].
func (n *network) loss(s *torch.Scope, images, labels torch.Tensor) torch.Tensor {
	x := s.Conv2d(images, n.conv, torch.Tensor{}, []int{1, 1}, []int{1, 1}, []int{1, 1}, 1)
	x = s.BatchNorm(x, n.gamma, n.beta, n.mean, n.var_, true, 0.1, 1e-5)
	x = s.MeanDim(s.Relu_(x), []int{2, 3}, false)
	x = s.Linear(x, n.fc, torch.Tensor{})
	return s.CrossEntropyLoss(x, labels, torch.Tensor{}, torch.ReduceMean, -100, 0)
}

// step trains on one batch and returns its loss.
func (n *network) step(pixels []float32, labels []int64) (loss float64, err error) {
	err = torch.Do(func(s *torch.Scope) error {
		b := len(labels)
		l := n.loss(s, torch.From(s, pixels, b, 3, side, side), torch.From(s, labels, b))
		s.Backward(l)
		grads := s.Grads(n.parameters)
		s.NoGrad(func() {
			s.FusedSGD_(n.parameters, grads, n.momentum, 1e-4, 0.9, 0.01, 0, false, n.steps == 0)
		})
		torch.ZeroGrads(n.parameters)
		n.steps++
		loss = s.Float(l)
		return nil
	})
	return loss, err
}

// batch makes images whose class shows in their brightness, in fresh memory.
func batch(step int) ([]float32, []int64) {
	const size = 4
	pixels, labels := make([]float32, size*3*side*side), make([]int64, size)
	for i := range pixels {
		sample := i / (3 * side * side)
		labels[sample] = int64((sample + step) % classes)
		pixels[i] = float32((i*7919+step)%17)/17 - 0.5 + float32(labels[sample])/4
	}
	return pixels, labels
}

// state is all that training changed, as bytes.
func (n *network) state() []byte {
	var state []byte
	for _, t := range append([]torch.Tensor{n.mean, n.var_}, append(n.parameters, n.momentum...)...) {
		state = append(state, t.Bytes()...)
	}
	return state
}

func train(t testing.TB, steps int) []byte {
	t.Helper()
	n := newNetwork(1)
	defer n.scope.Close()
	err := torch.Do(func(*torch.Scope) error {
		for i := range steps {
			if _, err := n.step(batch(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n.state()
}

// oneThread keeps the tiny operators of a test from waiting for each other's threads.
func oneThread(t testing.TB) {
	before := torch.Threads()
	torch.SetThreads(1)
	t.Cleanup(func() { torch.SetThreads(before) })
}

func TestTrainingHoldsMemoryFlat(t *testing.T) {
	steps := 10_000
	if testing.Short() {
		steps = 2_000
	}
	oneThread(t)
	live := torch.Live()
	n := newNetwork(1)
	var first, last float64
	var resident, allocated int
	err := torch.Do(func(*torch.Scope) error {
		own := torch.Live()
		for i := range steps {
			loss, err := n.step(batch(i))
			if err != nil {
				return err
			}
			switch i {
			case 0:
				first = loss
			case steps / 5: // warm by now: all buffers have their size
				resident, allocated = residentBytes(t), torch.Allocated()
			}
			last = loss
			if torch.Live() != own {
				t.Fatalf("step %d: %d tensors live, %d before", i, torch.Live(), own)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if grown := torch.Allocated() - allocated; grown > 256<<10 {
		t.Errorf("%d steps allocated %d bytes that they did not free", steps, grown)
	}
	if grown := residentBytes(t) - resident; grown > 8<<20 {
		t.Errorf("the process grew by %d bytes in %d steps", grown, steps)
	}
	if !(last < first/2) {
		t.Errorf("the loss went from %v to %v: it does not learn", first, last)
	}
	n.scope.Close()
	if torch.Live() != live {
		t.Errorf("%d tensors are left", torch.Live()-live)
	}
}

// residentBytes is what the process holds of the machine's memory.
func residentBytes(t testing.TB) int {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc/self/statm: the size of the process is not known here")
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// A collector that runs all the time while others allocate changes no byte of the result.
func TestGarbageCollectorChangesNothing(t *testing.T) {
	oneThread(t)
	const steps = 300
	want := train(t, steps)

	defer debug.SetGCPercent(debug.SetGCPercent(1))
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		var garbage [][]byte
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- len(garbage)
				return
			default:
				garbage = append(garbage[:i%64], bytes.Repeat([]byte{0xff}, 4096))
			}
		}
	}()
	var before, after debug.GCStats
	debug.ReadGCStats(&before)
	got := train(t, steps)
	debug.ReadGCStats(&after)
	close(stop)
	<-stopped
	if after.NumGC-before.NumGC < 20 {
		t.Fatalf("the collector ran %d times only: this tests nothing", after.NumGC-before.NumGC)
	}
	if !bytes.Equal(got, want) {
		t.Error("training beside a busy garbage collector ended in other bytes")
	}
}

// BenchmarkAdd is the price of one operator call: the kernel adds two numbers.
func BenchmarkAdd(b *testing.B) {
	b.ReportAllocs()
	err := torch.Do(func(s *torch.Scope) error {
		x := s.Ones([]int{1}, torch.Float32, torch.CPU)
		for i := 0; i < b.N; {
			err := s.Do(func(s *torch.Scope) error {
				for range 500 {
					s.Add(x, x)
					i++
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkStep(b *testing.B) {
	oneThread(b)
	n := newNetwork(1)
	defer n.scope.Close()
	pixels, labels := batch(0)
	for b.Loop() {
		if _, err := n.step(pixels, labels); err != nil {
			b.Fatal(err)
		}
	}
}
