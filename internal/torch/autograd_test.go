package torch_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

func TestBackwardLeavesGradients(t *testing.T) {
	model := torch.NewScope()
	defer model.Close()
	w := torch.From(model, []float64{1, 2, 3}, 3).SetRequiresGrad(true)
	unused := torch.From(model, []float64{1}, 1).SetRequiresGrad(true)
	do(t, func(s *torch.Scope) {
		if s.Grad(w).Defined() {
			t.Error("there is a gradient before the first backward")
		}
		for range 2 { // gradients add up
			s.Backward(s.Sum(s.Square(w)))
		}
		grads := s.Grads([]torch.Tensor{w, unused})
		if got := torch.Slice[float64](grads[0]); !slices.Equal(got, []float64{4, 8, 12}) || grads[1].Defined() {
			t.Errorf("gradients %v and %v, want [4 8 12] and none", got, grads[1])
		}
	})
	w.ZeroGrad()
	do(t, func(s *torch.Scope) {
		if s.Grad(w).Defined() {
			t.Error("the gradient is still there")
		}
		y := s.Square(w)
		if y.IsLeaf() || !w.IsLeaf() || !y.RequiresGrad() {
			t.Error("leaf is w and not its square")
		}
		s.RetainGrad(y)
		s.BackwardFrom(y, torch.From(s, []float64{1, 10, 100}, 3), true)
		s.BackwardFrom(y, torch.From(s, []float64{1, 0, 0}, 3), false)
		if got := torch.Slice[float64](s.Grad(w)); !slices.Equal(got, []float64{4, 40, 600}) {
			t.Errorf("gradient %v, want [4 40 600]", got)
		}
		if got := torch.Slice[float64](s.Grad(y)); !slices.Equal(got, []float64{2, 10, 100}) {
			t.Errorf("retained gradient %v", got)
		}
		w.SetRequiresGrad(false)
		if s.Square(w).RequiresGrad() {
			t.Error("recorded although switched off")
		}
	})
}

func TestGradientsLeavesGradAlone(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x := torch.From(s, []float64{2, 3}, 2).SetRequiresGrad(true)
		other := torch.From(s, []float64{1}, 1).SetRequiresGrad(true)
		got := s.Gradients([]torch.Tensor{s.Sum(s.Pow(x, 3))}, []torch.Tensor{x, other}, false)
		if !slices.Equal(torch.Slice[float64](got[0]), []float64{12, 27}) || got[1].Defined() {
			t.Errorf("gradients %v", got)
		}
		if s.Grad(x).Defined() {
			t.Error("Gradients left something at x")
		}
	})
}

// A recorded gradient can be differentiated again: of x^3, first 3 x^2, then 6 x.
func TestRecordedGradients(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x := torch.From(s, []float64{1, -2, 3}, 3).SetRequiresGrad(true)
		first := s.RecordedGradients([]torch.Tensor{s.Sum(s.Pow(x, 3))}, []torch.Tensor{x})[0]
		if got := torch.Slice[float64](first); !slices.Equal(got, []float64{3, 12, 27}) {
			t.Errorf("gradients %v", got)
		}
		s.Backward(s.Sum(first))
		if got := torch.Slice[float64](s.Grad(x)); !slices.Equal(got, []float64{6, -12, 18}) {
			t.Errorf("second gradients %v", got)
		}
	})
}

func TestModes(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x := torch.From(s, []float32{1, 2, 3, 4}, 2, 2).SetRequiresGrad(true)
		dtype := func() torch.DType { return s.Mm(x, x).DType() }
		s.NoGrad(func() {
			if s.Square(x).RequiresGrad() {
				t.Error("recorded in NoGrad")
			}
		})
		s.InferenceMode(func() {
			if s.Square(x).RequiresGrad() {
				t.Error("recorded in InferenceMode")
			}
		})
		s.Autocast(torch.BFloat16, func() {
			if got := dtype(); got != torch.BFloat16 {
				t.Errorf("a product in Autocast is %v", got)
			}
			s.Autocast(torch.Float32, func() {
				if got := dtype(); got != torch.Float32 {
					t.Errorf("a product in Autocast to float32 within is %v", got)
				}
			})
			if got := dtype(); got != torch.BFloat16 {
				t.Errorf("a product after the inner Autocast is %v", got)
			}
		})
		if !s.Square(x).RequiresGrad() || dtype() != torch.Float32 {
			t.Error("a mode stayed on")
		}
	})
}

// Autocast keeps a weight that it has cast; a weight changed after the end is cast anew.
func TestAutocastForgetsAtItsEnd(t *testing.T) {
	do(t, func(s *torch.Scope) {
		w := torch.From(s, []float32{1}, 1, 1).SetRequiresGrad(true)
		one := s.Ones([]int{1, 1}, torch.Float32, torch.CPU)
		product := func() (v float64) {
			s.Autocast(torch.BFloat16, func() { v = s.Float(s.Mm(one, w)) })
			return v
		}
		first := product()
		s.NoGrad(func() { s.Fill_(w, 3) })
		if second := product(); first != 1 || second != 3 {
			t.Errorf("products %v and %v, want 1 and 3", first, second)
		}
	})
}

// The modes hold for the goroutine that asked for them, whatever OS threads there are.
func TestModesBelongToTheirGoroutine(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x := torch.From(s, []float32{1}, 1).SetRequiresGrad(true)
		s.NoGrad(func() {
			var others sync.WaitGroup
			for range 8 {
				others.Go(func() {
					_ = torch.Do(func(own *torch.Scope) error {
						if !own.Square(x).RequiresGrad() {
							t.Error("NoGrad reached another goroutine")
						}
						return nil
					})
				})
			}
			others.Wait() // their scopes are closed then too
		})
	})
}

func TestThreads(t *testing.T) {
	before := torch.Threads()
	defer torch.SetThreads(before)
	torch.SetThreads(1)
	seen := make(chan int)
	for range 4 { // whichever OS threads these get
		go func() {
			_ = torch.Do(func(*torch.Scope) error { seen <- torch.Threads(); return nil })
		}()
	}
	for range 4 {
		if n := <-seen; n != 1 {
			t.Errorf("a goroutine computes with %d threads after SetThreads(1)", n)
		}
	}
}
