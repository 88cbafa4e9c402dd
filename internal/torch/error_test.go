package torch_test

import (
	"errors"
	"strings"
	"testing"
	"unsafe"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// Failures are errors in libtorch's own words, without its C++ backtrace.
func TestFailures(t *testing.T) {
	none := torch.Tensor{}
	tests := []struct {
		name, op, text string
		do             func(s *torch.Scope)
	}{
		{"shapes_do_not_fit", "matmul", "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", func(s *torch.Scope) {
			x := s.Ones([]int{2, 3}, torch.Float32, torch.CPU)
			s.Matmul(x, x)
		}},
		{"out_of_memory", "empty", "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4503599627370496 bytes", func(s *torch.Scope) {
			s.Empty([]int{1 << 50}, torch.Float32, torch.CPU)
		}},
		{"size_overflows", "zeros", "overflow", func(s *torch.Scope) {
			s.Zeros([]int{1 << 40, 1 << 40}, torch.Float32, torch.CPU)
		}},
		{"backward_without_a_record", "backward", "element 0 of tensors does not require grad and does not have a grad_fn", func(s *torch.Scope) {
			s.Backward(s.Ones(nil, torch.Float32, torch.CPU))
		}},
		{"backward_of_many_elements", "backward", "grad can be implicitly created only for scalar outputs", func(s *torch.Scope) {
			s.Backward(s.Ones([]int{2}, torch.Float32, torch.CPU).SetRequiresGrad(true))
		}},
		{"backward_twice", "backward", "Trying to backward through the graph a second time", func(s *torch.Scope) {
			x := s.Ones(nil, torch.Float32, torch.CPU).SetRequiresGrad(true)
			y := s.Exp(x)
			s.Backward(y)
			s.Backward(y)
		}},
		{"backward_after_a_change_in_place", "backward", "modified by an inplace operation", func(s *torch.Scope) {
			y := s.Exp(s.Ones(nil, torch.Float32, torch.CPU).SetRequiresGrad(true))
			z := s.Square(y)
			s.NoGrad(func() { s.AddScalar_(y, 1) })
			s.Backward(z)
		}},
		{"in_place_on_a_parameter", "add_", "a leaf Variable that requires grad is being used in an in-place operation", func(s *torch.Scope) {
			s.AddScalar_(s.Ones(nil, torch.Float32, torch.CPU).SetRequiresGrad(true), 1)
		}},
		{"gradient_of_integers", "requires_grad", "Only Tensors of floating point", func(s *torch.Scope) {
			s.Ones(nil, torch.Int64, torch.CPU).SetRequiresGrad(true)
		}},
		{"label_out_of_range", "cross_entropy_loss", "Target 7 is out of bounds", func(s *torch.Scope) {
			s.CrossEntropyLoss(s.Ones([]int{1, 2}, torch.Float32, torch.CPU), torch.From(s, []int64{7}, 1), none, torch.ReduceMean, -100, 0)
		}},
		{"missing_argument", "relu", "argument 1 is the zero Tensor: aten::relu(Tensor self)", func(s *torch.Scope) { s.Relu(none) }},
		{"missing_in_a_list", "cat", "argument 1 holds the zero Tensor at 1", func(s *torch.Scope) {
			s.Cat([]torch.Tensor{s.Ones(nil, torch.Float32, torch.CPU), none}, 0)
		}},
		{"no_number", "add", "argument 2 is a string, not a number", func(s *torch.Scope) {
			s.AddScalar(s.Ones(nil, torch.Float32, torch.CPU), "1")
		}},
		{"memory_of_another_size", "from memory", "a float32 tensor of shape [2 3] has 24 bytes, the memory 20", func(s *torch.Scope) {
			torch.From(s, make([]float32, 5), 2, 3)
		}},
		{"memory_not_aligned", "from memory", "starts in the middle of a float32", func(s *torch.Scope) {
			numbers := make([]float32, 3)
			s.FromBytes(unsafe.Slice((*byte)(unsafe.Pointer(&numbers[0])), 12)[1:9], torch.Float32, 2)
		}},
		{"read_as_another_type", "read", "the elements of the result of ones are float32, asked for as int64", func(s *torch.Scope) {
			torch.Slice[int64](s.Ones([]int{2}, torch.Float32, torch.CPU))
		}},
		{"read_into_too_little", "read", "the tensor has 8 bytes, the buffer 4", func(s *torch.Scope) {
			torch.Into(s.Ones([]int{2}, torch.Float32, torch.CPU), make([]float32, 1))
		}},
		{"item_of_many", "item", "a Tensor with 2 elements cannot be converted to Scalar", func(s *torch.Scope) {
			s.Float(s.Ones([]int{2}, torch.Float32, torch.CPU))
		}},
		{"int_of_a_float", "item", "is a float32, not an integer", func(s *torch.Scope) { s.Int(s.Ones(nil, torch.Float32, torch.CPU)) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			live := torch.Live()
			err := torch.Do(func(s *torch.Scope) error { test.do(s); return nil })
			var e *torch.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a *torch.Error", err)
			}
			if e.Op != test.op || !strings.Contains(e.Text, test.text) {
				t.Errorf("got %q, want %s: ... %s", e.Error(), test.op, test.text)
			}
			if strings.Contains(e.Text, "frame #") {
				t.Errorf("the text has a backtrace:\n%s", e.Text)
			}
			if torch.Live() != live {
				t.Errorf("%d tensors are left", torch.Live()-live)
			}
		})
	}
}

func TestFailureOutsideOfDoPanics(t *testing.T) {
	s := torch.NewScope()
	defer s.Close()
	defer func() {
		if _, ok := recover().(*torch.Error); !ok {
			t.Error("want a panic with *torch.Error")
		}
	}()
	s.View(torch.From(s, []float32{1, 2, 3}, 3), []int{2})
}

// After a failure the modes are as before and the scope goes on.
func TestFailureLeavesNoModeBehind(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x := s.Ones([]int{2, 3}, torch.Float32, torch.CPU).SetRequiresGrad(true)
		for name, mode := range map[string]func(func()){
			"no grad":   s.NoGrad,
			"inference": s.InferenceMode,
			"autocast":  func(f func()) { s.Autocast(torch.BFloat16, f) },
		} {
			err := s.Do(func(s *torch.Scope) error { mode(func() { s.Matmul(x, x) }); return nil })
			if err == nil {
				t.Fatalf("%s: no error", name)
			}
			if y := s.Mm(x, s.T(x)); !y.RequiresGrad() || y.DType() != torch.Float32 {
				t.Errorf("%s stayed on after a failure", name)
			}
		}
	})
}

func TestOnFailureGetsTheBacktrace(t *testing.T) {
	var traces []string
	torch.OnFailure(func(e *torch.Error, trace string) { traces = append(traces, e.Op+" "+trace) })
	fail := func(s *torch.Scope) error { s.Relu(s.Squeeze(s.Ones(nil, torch.Float32, torch.CPU), 5)); return nil }
	first := torch.Do(fail)
	torch.OnFailure(nil)
	second := torch.Do(fail)
	if len(traces) != 1 || !strings.HasPrefix(traces[0], "squeeze ") || len(traces[0]) <= len(first.Error()) {
		t.Errorf("the hook got %q", traces)
	}
	if first.Error() != second.Error() {
		t.Errorf("the hook changed the error from %q to %q", second, first)
	}
}
