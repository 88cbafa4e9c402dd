package torch_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// One operator for every kind of argument and result that a schema can have.
func TestEveryKindOfArgument(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x := torch.From(s, []float32{1, 2, 3, 4, 5, 6}, 2, 3)
		check := func(kind string, got, want any) {
			t.Helper()
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: got %v, want %v", kind, got, want)
			}
		}
		values := func(t torch.Tensor) []float32 { return torch.Slice[float32](t) }

		check("Scalar, a float to integers", s.AddScalar(torch.From(s, []int64{1}, 1), 0.5).DType(), "float32")
		check("Scalar, an integer to integers", s.AddScalar(torch.From(s, []int64{1}, 1), 5).DType(), "int64")
		check("Scalar, a bool", values(s.Fill_(s.Ones([]int{1}, torch.Float32, torch.CPU), true)), "[1]")
		check("Scalar, a float32", values(s.MulScalar(x, float32(2)))[5], 12)
		check("Scalar?", values(s.Clamp(x, 2, nil)), "[2 2 3 4 5 6]")
		check("Scalar? twice", values(s.Clamp(x, nil, int64(4))), "[1 2 3 4 4 4]")
		check("int?", torch.Slice[int](s.Argmax(x, torch.Some(1), false)), "[2 2]")
		check("int? none", s.Int(s.Argmax(x, torch.Option[int]{}, false)), 5)
		check("SymInt?", values(s.Slice(x, 1, torch.Some(1), torch.Option[int]{}, 1)), "[2 3 5 6]")
		check("int[]?", values(s.SumDim(x, []int{0}, true)), "[5 7 9]")
		check("int[]? none", s.SumDim(x, nil, false).Shape(), "[]")
		check("int[]", s.Expand(s.Unsqueeze(x, 0), []int{4, -1, -1}).Shape(), "[4 2 3]")
		check("int[], empty", s.Zeros(nil, torch.Float32, torch.CPU).Shape(), "[]")
		check("bool?", values(firstOf(s.NativeDropout(x, 0.5, torch.Some(false)))), "[1 2 3 4 5 6]")
		check("str", values(s.Einsum("ij->j", []torch.Tensor{x})), "[5 7 9]")
		check("str, longer than a word", s.Einsum("ij , kj -> ik", []torch.Tensor{x, x}).Shape(), "[2 2]")
		check("str?", values(s.DivMode(x, s.Full([]int{1}, 4, torch.Float32, torch.CPU), "floor")), "[0 0 0 1 1 1]")
		check("str? none", values(s.DivMode(x, s.Full([]int{1}, 4, torch.Float32, torch.CPU), ""))[0], 0.25)
		check("ScalarType", s.ToDType(x, torch.Float64).DType(), "float64")
		check("ScalarType?", s.Softmax(x, 1, torch.Float64).DType(), "float64")
		check("ScalarType? none", s.Softmax(x, 1, 0).DType(), "float32")
		check("Device?", s.ToDevice(x, torch.CPU, true).Device(), "cpu")
		check("Device? none", s.Ones([]int{1}, 0, torch.Device{}), "float32[1] on cpu")
		check("MemoryFormat?", s.To(s.View(x, []int{1, 2, 3, 1}), torch.BFloat16, torch.CPU, false, torch.ChannelsLast).Strides(), "[6 1 2 2]")
		check("Tensor?", values(s.Linear(x, s.Ones([]int{1, 3}, torch.Float32, torch.CPU), s.Ones([]int{1}, torch.Float32, torch.CPU))), "[7 16]")
		check("Tensor? none", values(s.Linear(x, s.Ones([]int{1, 3}, torch.Float32, torch.CPU), torch.Tensor{})), "[6 15]")
		check("Tensor[]", values(s.Cat([]torch.Tensor{x, x}, 1)), "[1 2 3 1 2 3 4 5 6 4 5 6]")
		check("Tensor?[]", values(s.Index(x, []torch.Tensor{{}, torch.From(s, []int64{2, 0}, 2)})), "[3 1 6 4]")
		check("float?", values(s.NanToNum(s.DivScalar(s.Sub(x, x), 0), torch.Some(7.0), torch.Option[float64]{}, torch.Option[float64]{})), "[7 7 7 7 7 7]")

		largest, at := s.MaxDim(x, 1, false)
		check("two results", fmt.Sprint(values(largest), torch.Slice[int](at)), "[3 6] [2 2]")
		check("a bool", s.Equal(x, s.Clone(x, 0)), true)
		check("a Scalar", s.Item(s.Sum(x)), 21)
		norms := s.ForeachNorm([]torch.Tensor{x, x}, 1)
		check("a list", fmt.Sprint(s.Float(norms[0]), s.Float(norms[1])), "21 21")
		many := s.Unbind(s.Arange(0, 1000, 1, torch.Int64, torch.CPU), 0)
		check("a long list", fmt.Sprint(len(many), s.Int(many[999])), "1000 999")
	})
}

func firstOf(a, _ torch.Tensor) torch.Tensor { return a }

// Several scopes compute side by side, each in its goroutine.
func TestGoroutinesComputeSideBySide(t *testing.T) {
	oneThread(t)
	results := make(chan []byte)
	for range 4 {
		go func() { results <- train(t, 50) }()
	}
	first := <-results
	for range 3 {
		if !slices.Equal(first, <-results) {
			t.Error("the same training beside others ended in other bytes")
		}
	}
}

// cuBLAS is deterministic only with a fixed workspace, which it reads from the environment when it starts.
func TestDeterministicFixesTheWorkspaceOfCuBLAS(t *testing.T) {
	const workspace = "CUBLAS_WORKSPACE_CONFIG"
	t.Cleanup(func() {
		if err := torch.SetDeterministic(false); err != nil {
			t.Error(err)
		}
	})
	for _, test := range []struct{ before, after string }{{"", ":4096:8"}, {":16:8", ":16:8"}} {
		t.Setenv(workspace, test.before)
		if err := torch.SetDeterministic(true); err != nil {
			t.Fatal(err)
		}
		if got := os.Getenv(workspace); got != test.after {
			t.Errorf("%s went from %q to %q, want %q", workspace, test.before, got, test.after)
		}
	}
	oneThread(t)
	if !bytes.Equal(train(t, 20), train(t, 20)) {
		t.Error("the same training twice ended in other bytes")
	}
}

func TestVersions(t *testing.T) {
	if torch.Version() == "" || torch.Instructions() == "" {
		t.Errorf("version %q, instructions %q", torch.Version(), torch.Instructions())
	}
	t.Logf("libtorch %s, %s, %d threads", torch.Version(), torch.Instructions(), torch.Threads())
}
