package torch_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

func TestFaults(t *testing.T) {
	torch.Do(func(o *torch.Scope) error {
		x := o.Randn([]int{20, 64, 112, 112}, nil, torch.Float32, torch.CPU)
		w := o.Randn([]int{64, 64, 3, 3}, nil, torch.Float32, torch.CPU).SetRequiresGrad(true)
		for range 6 {
			var a, b syscall.Rusage
			syscall.Getrusage(0, &a)
			t0 := time.Now()
			err := o.Do(func(s *torch.Scope) error {
				y := x
				for range 3 {
					y = s.Relu_(s.Conv2d(y, w, torch.Tensor{}, []int{1}, []int{1}, []int{1}, 1))
				}
				s.Backward(s.Mean(y))
				return nil
			})
			syscall.Getrusage(0, &b)
			fmt.Println(err, time.Since(t0), b.Minflt-a.Minflt, b.Maxrss)
		}
		return nil
	})
}
