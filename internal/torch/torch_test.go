package torch_test

import (
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

func BenchmarkAdd(b *testing.B) {
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

func BenchmarkAdd_(b *testing.B) {
	err := torch.Do(func(s *torch.Scope) error {
		x := s.Ones([]int{1}, torch.Float32, torch.CPU)
		for range b.N {
			s.Add_(x, x)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func TestFirst(t *testing.T) {
	err := torch.Do(func(s *torch.Scope) error {
		x := torch.From(s, []float32{1, 2, 3, 4}, 2, 2)
		t.Log(x, torch.Slice[float32](s.Matmul(x, x)), torch.Version(), torch.Instructions(), torch.Threads(), torch.Live(), torch.Allocated())
		v, i := s.MaxDim(x, 1, false)
		t.Log(torch.Slice[float32](v), torch.Slice[int](i), s.Float(s.Mean(x)), s.Item(s.Any(x)))
		t.Log(s.ForeachNorm([]torch.Tensor{x, x, x}, 2))
		s.Conv2d(x, x, torch.Tensor{}, []int{1, 1}, []int{0}, nil, 1)
		return nil
	})
	t.Log(err)
}
