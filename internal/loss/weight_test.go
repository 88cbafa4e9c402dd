package loss_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

func TestRamp(t *testing.T) {
	for name, c := range map[string]struct {
		ramp loss.Ramp
		want []float64 // at 0 to 5
	}{
		"linear":  {loss.Ramp{From: 0, To: 2, Shape: loss.LinearRamp}, []float64{0, 0.5, 1, 1.5, 2, 2}},
		"default": {loss.Ramp{From: 2, To: 0}, []float64{2, 1.5, 1, 0.5, 0, 0}},
		"cosine":  {loss.Ramp{From: 0, To: 2, Shape: loss.CosineRamp}, []float64{0, 1 - math.Sqrt2/2, 1, 1 + math.Sqrt2/2, 2, 2}},
		"step":    {loss.Ramp{From: 1, To: 3, Shape: loss.StepRamp}, []float64{1, 1, 1, 1, 3, 3}},
	} {
		for i, want := range c.want {
			byEpoch, byStep := c.ramp, c.ramp
			byEpoch.Epochs, byStep.Steps = 4, 4
			near(t, name, []float64{byEpoch.At(loss.Moment{Epoch: i, Step: 99}), byStep.At(loss.Moment{Epoch: 99, Step: i})}, []float64{want, want})
		}
	}
}

// A weight on its way lies between its ends, and never turns back.
func TestRampProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := loss.Ramp{From: rapid.Float64Range(-10, 10).Draw(t, "from"), To: rapid.Float64Range(-10, 10).Draw(t, "to"),
			Steps: rapid.IntRange(1, 50).Draw(t, "steps"), Shape: rapid.SampledFrom([]loss.Shape{"", loss.LinearRamp, loss.CosineRamp, loss.StepRamp}).Draw(t, "shape")}
		last := r.From
		for step := range r.Steps + 2 {
			at := r.At(loss.Moment{Step: step})
			if (at-last)*(r.To-r.From) < -1e-12 || (at-r.From)*(at-r.To) > 1e-12 {
				t.Fatalf("%v after %v at step %d", at, last, step)
			}
			last = at
		}
		if last != r.To {
			t.Fatalf("ends at %v", last)
		}
	})
}

// The weights that vary are said, and are those of the total.
func TestWeightsAreSaid(t *testing.T) {
	l := loss.Loss{
		{Name: "cross_entropy", Adaptive: true},
		{Name: "cyborg", Map: "human", Tap: "pooled", Adaptive: true},
		{Name: "cyborg", Weight: 9, Map: "human", Tap: "pooled", Distance: loss.L1, Ramp: &loss.Ramp{From: 1, To: 3, Steps: 4, Shape: loss.LinearRamp}},
		{Name: "cam_entropy", Weight: 0.5, Tap: "pooled"},
	}
	if diff := cmp.Diff([]string{"cross_entropy_weight", "cyborg_weight", "cyborg_2_weight"}, l.WeightColumns()); diff != "" {
		t.Error(diff)
	}
	err := torch.Do(func(s *torch.Scope) error {
		b, _ := images(s, true, true)
		b.Moment.Step = 1
		v := l.Evaluate(s, b)
		var terms, weights []float64
		for _, x := range v.Terms {
			terms = append(terms, s.Float(x))
		}
		for _, x := range v.Weights {
			weights = append(weights, s.Float(x))
		}
		share := terms[0] / (terms[0] + terms[1])
		within(t, "weights", weights, []float64{share, 1 - share, 1.5}, 1e-6)
		within(t, "total", []float64{s.Float(v.Total)}, []float64{inner(append(weights, 0.5), terms)}, 1e-6)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// kept tells on which of n images a term counts: those whose share of the loss is not zero.
func kept(t *testing.T, l loss.Loss, m loss.Moment, n int) (which []bool, value float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(15, 16))
	features, human := make([]float64, n*12), make([]float64, n*4)
	for _, values := range [][]float64{features, human} {
		for i := range values {
			values[i] = random.NormFloat64()
		}
	}
	has := slices.Repeat([]bool{true}, n)
	err := torch.Do(func(s *torch.Scope) error {
		f := torch.From(s, features, n, 3, 2, 2).SetRequiresGrad(true)
		w := torch.From(s, []float64{1, -1, 0.5, -0.5, 2, 1}, 2, 3)
		v := l.Evaluate(s, loss.Batch{
			Logits: s.Linear(s.MeanDim(f, []int{2, 3}, false), w, torch.Tensor{}), Labels: torch.From(s, make([]int64, n), n), Weight: w,
			Features: map[string]torch.Tensor{"pooled": f}, Moment: m,
			Maps: map[string]loss.Maps{"human": {Values: torch.From(s, human, n, 2, 2), Has: torch.From(s, has, n)}}})
		s.Backward(v.Total)
		gradient := torch.Slice[float64](s.Grad(f))
		for i := range n {
			which = append(which, slices.ContainsFunc(gradient[12*i:12*i+12], func(g float64) bool { return g != 0 }))
		}
		value = s.Float(v.Total)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return which, value
}

func TestKeep(t *testing.T) {
	of := func(keep float64) loss.Loss {
		return loss.Loss{{Name: "cyborg", Weight: 1, Map: "human", Tap: "pooled", Keep: share(keep)}}
	}
	t.Run("the_draw_is_part_of_results", func(t *testing.T) {
		got, _ := kept(t, of(0.5), loss.Moment{Seed: 1, Step: 2}, 12)
		want := []bool{false, false, true, true, false, true, false, false, true, false, true, true}
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v: raise the Revision of train", got, want)
		}
	})
	t.Run("it_follows_from_seed_step_and_place", func(t *testing.T) {
		first, _ := kept(t, of(0.5), loss.Moment{Seed: 1, Step: 2}, 64)
		again, _ := kept(t, of(0.5), loss.Moment{Seed: 1, Step: 2, Epoch: 3}, 64)
		if !slices.Equal(first, again) {
			t.Error("the same step draws other images")
		}
		second := append(loss.Loss{{Name: "cam_entropy", Weight: 0, Tap: "pooled"}}, of(0.5)...)
		for name, other := range map[string]func() ([]bool, float64){
			"seed":  func() ([]bool, float64) { return kept(t, of(0.5), loss.Moment{Seed: 2, Step: 2}, 64) },
			"step":  func() ([]bool, float64) { return kept(t, of(0.5), loss.Moment{Seed: 1, Step: 3}, 64) },
			"place": func() ([]bool, float64) { return kept(t, second, loss.Moment{Seed: 1, Step: 2}, 64) },
		} {
			if which, _ := other(); slices.Equal(first, which) {
				t.Errorf("another %s draws the same images", name)
			}
		}
	})
	t.Run("its_share", func(t *testing.T) {
		count := 0
		for step := range 40 {
			which, _ := kept(t, of(0.3), loss.Moment{Seed: 1, Step: step}, 100)
			for _, k := range which {
				if k {
					count++
				}
			}
		}
		if math.Abs(float64(count)-1200) > 4*math.Sqrt(4000*0.3*0.7) { // four deviations
			t.Errorf("%d of 4000 images, want some 1200", count)
		}
	})
	t.Run("none_is_zero_without_gradient", func(t *testing.T) {
		which, value := kept(t, of(0), loss.Moment{}, 8)
		if value != 0 || slices.Contains(which, true) {
			t.Errorf("%v, %v", value, which)
		}
	})
	t.Run("all_is_the_term", func(t *testing.T) {
		whole := of(1)
		whole[0].Keep = nil
		_, want := kept(t, whole, loss.Moment{}, 8)
		if which, value := kept(t, of(1), loss.Moment{}, 8); value != want || slices.Contains(which, false) {
			t.Errorf("%v, want %v; %v", value, want, which)
		}
	})
}
