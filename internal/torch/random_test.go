package torch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

func draw(t testing.TB, gen *torch.Generator) (values []float32) {
	do(t, func(s *torch.Scope) {
		x := s.Empty([]int{37}, torch.Float32, torch.CPU)
		for _, x := range []torch.Tensor{s.Normal_(x, 0, 1, gen), s.Uniform_(s.EmptyLike(x, 0), -1, 1, gen), s.Bernoulli_(s.EmptyLike(x, 0), 0.3, gen)} {
			values = append(values, torch.Slice[float32](x)...)
		}
	})
	return values
}

func TestGeneratorStateRoundTrip(t *testing.T) {
	gen := torch.NewGenerator(torch.CPU, 7)
	defer gen.Close()
	draw(t, gen) // 37 normal numbers: one half-used pair is part of the state
	state := gen.State()
	want := draw(t, gen)
	if slices.Equal(draw(t, gen), want) {
		t.Fatal("the generator repeats itself")
	}
	if err := gen.SetState(state); err != nil {
		t.Fatal(err)
	}
	if got := draw(t, gen); !slices.Equal(got, want) {
		t.Error("the restored generator draws other numbers")
	}
	other := torch.NewGenerator(torch.CPU, 8)
	defer other.Close()
	if err := other.SetState(state); err != nil {
		t.Fatal(err)
	}
	if got := draw(t, other); !slices.Equal(got, want) {
		t.Error("another generator with the same state draws other numbers")
	}
	other.Seed(7)
	gen.Seed(7)
	if !slices.Equal(draw(t, gen), draw(t, other)) {
		t.Error("the same seed draws other numbers")
	}
}

func TestDefaultGeneratorServesDropout(t *testing.T) {
	gen := torch.DefaultGenerator(torch.CPU)
	defer gen.Close()
	mask := func() (kept []float32) {
		do(t, func(s *torch.Scope) {
			kept = torch.Slice[float32](s.Dropout(s.Ones([]int{64}, torch.Float32, torch.CPU), 0.5, true))
		})
		return kept
	}
	gen.Seed(3)
	state := gen.State()
	first := mask()
	if err := gen.SetState(state); err != nil {
		t.Fatal(err)
	}
	if second := mask(); !slices.Equal(first, second) || slices.Equal(second, mask()) {
		t.Error("dropout does not follow the default generator")
	}
}

func TestGeneratorMistakes(t *testing.T) {
	gen := torch.NewGenerator(torch.CPU, 1)
	before := draw(t, gen)
	gen.Seed(1)
	for _, state := range [][]byte{nil, make([]byte, 12)} {
		if err := gen.SetState(state); err == nil {
			t.Errorf("a state of %d bytes was taken", len(state))
		}
	}
	if !slices.Equal(draw(t, gen), before) {
		t.Error("a refused state changed the generator")
	}
	gen.Close()
	gen.Close()
	if got := panics(t, func() { gen.State() }); !strings.Contains(got, "after its Close") {
		t.Error(got)
	}
}
