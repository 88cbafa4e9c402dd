package loss_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// golden is the part of golden.json, made by the PyTorch reference, that this package must meet.
type golden struct {
	Losses struct {
		Cases map[string]struct {
			Inputs struct {
				Features [][][][]float64
				Weight   [][]float64
				Bias     []float64
				Labels   []int64
				Human    [][][]float64 // null where a map is missing
			}
			HumanUnitRange [][][]float64 `json:"human_unit_range"`
			CrossEntropy   outcome       `json:"cross_entropy"`
			CAMClass       map[loss.Class]struct {
				RawCAM       [][][]float64 `json:"raw_cam"`
				UnitRangeCAM [][][]float64 `json:"unit_range_cam"`
				Terms        map[string]outcome
				Totals       map[string]outcome
			} `json:"cam_class"`
		}
	}
}

// outcome is a loss with its gradients.
type outcome struct {
	Value    float64
	Features [][][][]float64 `json:"d_features"`
	Weight   [][]float64     `json:"d_weight"`
	Bias     []float64       `json:"d_bias"` // absent for a term of the CAM alone
}

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile(testenv.Shared(t, "reference/golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// flat lists the numbers of nested slices.
func flat(nested any) []float64 {
	switch v := nested.(type) {
	case []float64:
		return v
	case [][]float64:
		return join(v)
	case [][][]float64:
		return join(v)
	case [][][][]float64:
		return join(v)
	}
	panic(fmt.Sprintf("%T", nested))
}

func join[T any](parts []T) (all []float64) {
	for _, part := range parts {
		all = append(all, flat(part)...)
	}
	return all
}

func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	within(t, what, got, want, 1e-12) // golden.json holds 13 digits
}

func within(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tolerance*math.Max(1, math.Abs(want[i]))) {
			t.Errorf("%s[%d]: %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

// goldenTerms are our names of golden.json's terms.
var goldenTerms = map[string]string{"mse": "cyborg", "l1": "cyborg", "kl": "cyborg", "cosine": "cyborg", "pearson": "cyborg",
	"entropy": "cam_entropy", "log_entropy": "cam_log_entropy", "entropy_match": "cam_entropy_match", "energy_variance": "energy_variance"}

func TestGolden(t *testing.T) {
	g := readGolden(t)
	half, ninth := []float64{0.5, 0.5}, []float64{0.9, 0.1}
	if len(g.Losses.Cases) != 4 {
		t.Fatalf("%d cases in golden.json", len(g.Losses.Cases))
	}
	for name, c := range g.Losses.Cases {
		in := c.Inputs
		size := len(in.Features[0][0])
		has := make([]bool, len(in.Human))
		human := make([]float64, 0, len(in.Human)*size*size)
		for i, m := range in.Human {
			if has[i] = m != nil; has[i] {
				human = append(human, flat(m)...)
			} else {
				human = append(human, make([]float64, size*size)...)
			}
		}
		// evaluate is a loss of this case: its values and the gradients of its total.
		evaluate := func(t *testing.T, l loss.Loss) (values []float64, got outcome, df, dw, db []float64) {
			t.Helper()
			if err := l.Check(); err != nil {
				t.Fatal(err)
			}
			err := torch.Do(func(s *torch.Scope) error {
				leaf := func(data []float64, shape ...int) torch.Tensor {
					x := torch.From(s, data, shape...)
					x.SetRequiresGrad(true)
					return x
				}
				f := leaf(flat(in.Features), len(in.Features), len(in.Features[0]), size, size)
				w := leaf(flat(in.Weight), len(in.Weight), len(in.Weight[0]))
				b := leaf(in.Bias, len(in.Bias))
				v := l.Evaluate(s, loss.Batch{
					Logits:   s.Linear(s.MeanDim(f, []int{2, 3}, false), w, b),
					Labels:   torch.From(s, in.Labels, len(in.Labels)),
					Weight:   w,
					Features: map[string]torch.Tensor{"pooled": f},
					Maps: map[string]loss.Maps{"human": {
						Values: torch.From(s, human, len(has), size, size), Has: torch.From(s, has, len(has)),
					}},
				})
				s.Backward(v.Total)
				for _, term := range v.Terms {
					values = append(values, s.Float(term))
				}
				got.Value = s.Float(v.Total)
				read := func(x torch.Tensor) []float64 {
					if grad := s.Grad(x); grad.Defined() {
						return torch.Slice[float64](grad)
					}
					return make([]float64, x.Numel())
				}
				df, dw, db = read(f), read(w), read(b)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return values, got, df, dw, db
		}
		check := func(t *testing.T, l loss.Loss, want outcome) {
			t.Helper()
			_, got, df, dw, db := evaluate(t, l)
			tolerance := 1e-12
			if l[0].Distance == loss.KL {
				tolerance = 1e-7 // slopes of 1e10 that cancel have left their rounding errors in golden.json
			}
			near(t, "value", []float64{got.Value}, []float64{want.Value})
			within(t, "d_features", df, flat(want.Features), tolerance)
			within(t, "d_weight", dw, flat(want.Weight), tolerance)
			if want.Bias != nil {
				near(t, "d_bias", db, want.Bias)
			}
		}

		t.Run(name+"/cross_entropy", func(t *testing.T) {
			check(t, loss.Loss{{Name: "cross_entropy", Weight: 1}}, c.CrossEntropy)
		})
		for _, class := range loss.Classes() {
			want := c.CAMClass[class]
			saliency := func(name string, weight float64) loss.Term {
				term := loss.Term{Name: name, Weight: weight, Class: class, Tap: "pooled"}
				if !slices.Contains([]string{"cam_entropy", "cam_log_entropy", "energy_variance"}, name) {
					term.Map = "human"
				}
				return term
			}
			for golden, value := range want.Terms {
				t.Run(fmt.Sprint(name, "/", class, "/", golden), func(t *testing.T) {
					term := saliency(goldenTerms[golden], 1)
					if term.Name == "cyborg" {
						term.Distance = loss.Distance(golden)
					}
					check(t, loss.Loss{term}, value)
				})
			}
			mix := func(w []float64) loss.Loss {
				return loss.Loss{{Name: "cross_entropy", Weight: w[0]}, saliency("cyborg", w[1])}
			}
			for alpha, weights := range map[string][]float64{"alpha_0.5": half, "alpha_0.9": ninth, "alpha_0.0": {0, 1}} {
				t.Run(fmt.Sprint(name, "/", class, "/", alpha), func(t *testing.T) {
					check(t, mix(weights), want.Totals[alpha])
					values, _, _, _, _ := evaluate(t, mix(weights))
					near(t, "terms", values, []float64{c.CrossEntropy.Value, want.Terms["mse"].Value})
				})
			}
			t.Run(fmt.Sprint(name, "/", class, "/log_variant_alpha_0.5"), func(t *testing.T) {
				l := mix([]float64{0.5, 1})
				l[1].Log = true
				check(t, l, want.Totals["log_variant_alpha_0.5"])
			})
			t.Run(fmt.Sprint(name, "/", class, "/adaptive"), func(t *testing.T) {
				l := mix([]float64{9, 9}) // which do not count
				l[0].Adaptive, l[1].Adaptive = true, true
				check(t, l, want.Totals["adaptive"])
			})
			if got := slices.Sorted(maps.Keys(want.Totals)); !slices.Equal(got, []string{"adaptive", "alpha_0.0", "alpha_0.5", "alpha_0.9", "log_variant_alpha_0.5"}) {
				t.Errorf("golden.json has the totals %v", got)
			}
			t.Run(fmt.Sprint(name, "/", class, "/maps"), func(t *testing.T) {
				err := torch.Do(func(s *torch.Scope) error {
					f := torch.From(s, flat(in.Features), len(in.Features), len(in.Features[0]), size, size)
					w := torch.From(s, flat(in.Weight), len(in.Weight), len(in.Weight[0]))
					chosen := torch.From(s, in.Labels, len(in.Labels))
					if class == loss.Predicted {
						b := torch.From(s, in.Bias, len(in.Bias))
						chosen = s.Argmax(s.Linear(s.MeanDim(f, []int{2, 3}, false), w, b), torch.Some(1), false)
					}
					cam := loss.CAM(s, f, w, chosen)
					if class == loss.TrueMinusFalse {
						cam = s.Sub(cam, loss.CAM(s, f, w, s.AddScalar(s.Neg(chosen), 1)))
					}
					near(t, "raw CAM", torch.Slice[float64](cam), flat(want.RawCAM))
					near(t, "CAM", torch.Slice[float64](loss.UnitRange(s, cam)), flat(want.UnitRangeCAM))
					target := loss.Target(s, torch.From(s, human, len(has), size, size), torch.Float64)
					near(t, "human map", torch.Slice[float64](target), flat(c.HumanUnitRange))
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// images is a batch of the given number of images, 2 classes, 3 channels and 2x2 cells, with simulated maps in bytes.
func images(s *torch.Scope, has ...bool) (loss.Batch, torch.Tensor) {
	n := len(has)
	features, maps, labels := make([]float32, n*12), make([]byte, n*4), make([]int64, n)
	for i := range features {
		features[i] = float32((i*7)%11) - 4
	}
	for i := range maps {
		maps[i] = byte(60 * ((i * 3) % 4))
	}
	f := torch.From(s, features, n, 3, 2, 2)
	f.SetRequiresGrad(true)
	w := torch.From(s, []float32{1, -1, 0.5, -0.5, 2, 1}, 2, 3)
	return loss.Batch{
		Logits:   s.Linear(s.MeanDim(f, []int{2, 3}, false), w, torch.Tensor{}),
		Labels:   torch.From(s, labels, n),
		Weight:   w,
		Features: map[string]torch.Tensor{"pooled": f},
		Maps:     map[string]loss.Maps{"human": {Values: torch.From(s, maps, n, 2, 2), Has: torch.From(s, has, n)}},
	}, f
}

var saliency = loss.Loss{{Name: "cyborg", Weight: 1, Map: "human", Tap: "pooled"}}

func TestCYBORG(t *testing.T) {
	value := func(t *testing.T, change func(s *torch.Scope, b *loss.Batch), has ...bool) (value float64, gradient []float32) {
		t.Helper()
		err := torch.Do(func(s *torch.Scope) error {
			b, f := images(s, has...)
			if change != nil {
				change(s, &b)
			}
			v := saliency.Evaluate(s, b)
			s.Backward(v.Total)
			value, gradient = s.Float(v.Total), torch.Slice[float32](s.Grad(f))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return value, gradient
	}
	zeros := make([]float32, 24)

	t.Run("no_map_in_the_batch_is_zero_without_gradient", func(t *testing.T) {
		v, gradient := value(t, nil, false, false)
		if v != 0 || !cmp.Equal(gradient, zeros) {
			t.Errorf("%v, %v", v, gradient)
		}
	})
	t.Run("images_without_a_map_do_not_count", func(t *testing.T) {
		alone, _ := value(t, nil, true)
		masked, gradient := value(t, nil, true, false)
		if alone != masked || alone == 0 {
			t.Errorf("%v with one image, %v beside one without a map", alone, masked)
		}
		if !cmp.Equal(gradient[12:], zeros[12:]) {
			t.Errorf("the image without a map has the gradient %v", gradient[12:])
		}
	})
	t.Run("bytes_equal_numbers", func(t *testing.T) {
		bytes, _ := value(t, nil, true, true)
		numbers, _ := value(t, func(s *torch.Scope, b *loss.Batch) {
			m := b.Maps["human"]
			m.Values = s.DivScalar(s.ToDType(m.Values, torch.Float32), 255)
			b.Maps["human"] = m
		}, true, true)
		if bytes != numbers {
			t.Errorf("%v from bytes, %v from numbers", bytes, numbers)
		}
	})
	t.Run("a_constant_map_passes_no_gradient", func(t *testing.T) {
		v, gradient := value(t, func(s *torch.Scope, b *loss.Batch) {
			b.Weight = s.ZerosLike(b.Weight)
		}, true, true)
		if v == 0 || math.IsNaN(v) || !cmp.Equal(gradient, zeros) {
			t.Errorf("%v, %v", v, gradient)
		}
	})
	t.Run("bfloat16_features_are_widened", func(t *testing.T) {
		v, gradient := value(t, func(s *torch.Scope, b *loss.Batch) {
			b.Features["pooled"] = s.ToDType(b.Features["pooled"], torch.BFloat16) // whole numbers: exact
		}, true, true)
		want, wantGradient := value(t, nil, true, true)
		if v != want {
			t.Errorf("%v, want %v", v, want)
		}
		for i := range gradient {
			if math.Abs(float64(gradient[i]-wantGradient[i])) > 1.0/256*math.Abs(float64(wantGradient[i])) { // 8 bits of mantissa
				t.Errorf("gradient %d: %v, want %v", i, gradient[i], wantGradient[i])
			}
		}
	})
}

// Whatever the map, its unit range lies between 0 and 1, touches both unless it is constant, and does not change when the
// map is stretched and moved.
func TestUnitRangeProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		cells := rapid.SliceOfN(rapid.Float64Range(-1e3, 1e3), 6, 6).Draw(r, "cells")
		stretch, move := rapid.Float64Range(0.5, 100).Draw(r, "stretch"), rapid.Float64Range(-100, 100).Draw(r, "move")
		err := torch.Do(func(s *torch.Scope) error {
			m := torch.From(s, cells, 1, 2, 3)
			scaled := torch.Slice[float64](loss.UnitRange(s, m))
			span := slices.Max(cells) - slices.Min(cells)
			low, high := slices.Min(scaled), slices.Max(scaled)
			switch {
			case span <= 1e-12 && (low != 0 || high != 0):
				r.Errorf("constant %v becomes %v", cells, scaled)
			case span > 1e-12 && (low != 0 || high != 1):
				r.Errorf("%v becomes %v", cells, scaled)
			}
			if span < 1e-3 { // rounding of the moved map would show
				return nil
			}
			other := torch.Slice[float64](loss.UnitRange(s, s.AddScalar(s.MulScalar(m, stretch), move)))
			for i := range scaled {
				if math.Abs(other[i]-scaled[i]) > 1e-9 {
					r.Errorf("stretched by %v and moved by %v: %v becomes %v", stretch, move, scaled, other)
				}
			}
			return nil
		})
		if err != nil {
			r.Fatal(err)
		}
	})
}

func TestLossDescribesItself(t *testing.T) {
	l := loss.Loss{
		{Name: "cross_entropy", Weight: 0.5},
		{Name: "cyborg", Weight: 0.3, Map: "human", Tap: "authors"},
		{Name: "cyborg", Weight: 0.2, Map: "masks", Tap: "authors"},
	}
	if diff := cmp.Diff([]string{"cross_entropy", "cyborg", "cyborg_2"}, l.Columns()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"authors"}, l.Taps()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"human", "masks"}, l.Maps()); diff != "" {
		t.Error(diff)
	}
}
