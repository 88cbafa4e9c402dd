package torch_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// cuda is the first CUDA device; the test skips where there is none.
func cuda(t testing.TB) torch.Device {
	t.Helper()
	if _, err := torch.CUDACount(); err != nil {
		t.Skipf("no CUDA device: %v", err)
	}
	return torch.CUDA(0)
}

func TestCUDAComputesAsTheCPU(t *testing.T) {
	device := cuda(t)
	if auto, err := torch.ParseDevice("auto"); err != nil || auto != device {
		t.Errorf("auto is %v, %v", auto, err)
	}
	gen := torch.NewGenerator(torch.CPU, 1)
	defer gen.Close()
	do(t, func(s *torch.Scope) {
		images := s.Randn([]int{4, 3, 16, 16}, gen, torch.Float64, torch.CPU)
		weight := s.Randn([]int{8, 3, 3, 3}, gen, torch.Float64, torch.CPU)
		run := func(d torch.Device) (loss float64, grad []float64) {
			w := s.Clone(s.Upload(weight, d), 0).SetRequiresGrad(true)
			y := s.Relu(s.Conv2d(s.Upload(images, d), w, torch.Tensor{}, []int{1, 1}, []int{1, 1}, []int{1, 1}, 1))
			l := s.Mean(s.Square(y))
			s.Backward(l)
			if l.Device() != d || s.Grad(w).Device() != d {
				t.Errorf("computed on %v, want %v", l.Device(), d)
			}
			return s.Float(l), torch.Slice[float64](s.Grad(w))
		}
		wantLoss, wantGrad := run(torch.CPU)
		loss, grad := run(device)
		near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-10*(math.Abs(b)+1) }
		if !near(loss, wantLoss) || !slices.EqualFunc(grad, wantGrad, near) {
			t.Errorf("loss %v, on the CPU %v, or their gradients differ", loss, wantLoss)
		}
	})
	if err := device.Synchronize(); err != nil {
		t.Error(err)
	}
}

func TestCUDAGenerator(t *testing.T) {
	device := cuda(t)
	gen := torch.NewGenerator(device, 5)
	defer gen.Close()
	do(t, func(s *torch.Scope) {
		numbers := func() []float32 { return torch.Slice[float32](s.Randn([]int{100}, gen, torch.Float32, device)) }
		numbers()
		state := gen.State()
		want := numbers()
		if err := gen.SetState(state); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(numbers(), want) || slices.Equal(numbers(), want) {
			t.Error("the restored generator draws other numbers")
		}
	})
}

func TestCUDAMemoryAndProperties(t *testing.T) {
	device := cuda(t)
	properties, err := device.Properties()
	if err != nil || properties.Name == "" || properties.Major < 5 || properties.Runtime == "0.0" {
		t.Errorf("properties %+v, %v", properties, err)
	}
	const size = 64 << 20
	var before, during, after torch.CUDAMemory
	do(t, func(s *torch.Scope) {
		s.Empty([]int{1}, torch.Uint8, device) // starts the allocator
		if err := device.ResetPeak(); err != nil {
			t.Fatal(err)
		}
		before, _ = device.Memory()
		s.Free(s.Empty([]int{size}, torch.Uint8, device), s.Empty([]int{size}, torch.Uint8, device))
		s.Empty([]int{size}, torch.Uint8, device)
		during, _ = device.Memory()
	})
	if err := torch.EmptyCache(); err != nil {
		t.Error(err)
	}
	after, _ = device.Memory()
	if during.Allocated-before.Allocated != size || during.Peak-before.Allocated != 2*size || after.Allocated >= during.Allocated ||
		after.Total < after.Free || after.Free <= 0 || after.Reserved > during.Reserved {
		t.Errorf("memory before %+v, during %+v, after %+v", before, during, after)
	}
}

func TestCUDAAutocastAndFailure(t *testing.T) {
	device := cuda(t)
	do(t, func(s *torch.Scope) {
		x := s.Ones([]int{8, 8}, torch.Float32, device)
		s.Autocast(torch.BFloat16, func() {
			if got := s.Mm(x, x).DType(); got != torch.BFloat16 {
				t.Errorf("a product in Autocast is %v", got)
			}
		})
		err := s.Do(func(s *torch.Scope) error { s.Empty([]int{1 << 44}, torch.Float32, device); return nil })
		if err == nil || !strings.Contains(err.Error(), "CUDA out of memory") {
			t.Errorf("64 TiB on the device: %v", err)
		}
		if got := s.Float(s.Sum(x)); got != 64 {
			t.Errorf("after the failure a sum is %v, want 64", got)
		}
	})
}
