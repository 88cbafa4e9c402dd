package loss_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// network is a batch of 4 images, of which the third has no map, with 2 classes, 3 channels and 4 x 5 cells, in float64.
type network struct {
	features, weight, human []float64
	// squared puts a square between the tap and the mean, so that CAM, Grad-CAM and HiResCAM differ.
	squared bool
}

const (
	netImages, netChannels, netHeight, netWidth = 4, 3, 4, 5
)

func newNetwork(random *rand.Rand, squared bool) network {
	draw := func(n int) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = random.NormFloat64()
		}
		return values
	}
	return network{draw(netImages * netChannels * netHeight * netWidth), draw(2 * netChannels), draw(netImages * netHeight * netWidth), squared}
}

// evaluate is the value of a loss with its gradients into features and weight.
func (n network) evaluate(t testing.TB, l loss.Loss) (value float64, df, dw []float64) {
	t.Helper()
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	err := torch.Do(func(s *torch.Scope) error {
		f := torch.From(s, n.features, netImages, netChannels, netHeight, netWidth).SetRequiresGrad(true)
		w := torch.From(s, n.weight, 2, netChannels).SetRequiresGrad(true)
		pooled := f
		if n.squared {
			pooled = s.Square(f)
		}
		v := l.Evaluate(s, loss.Batch{
			Logits:    s.Linear(s.MeanDim(pooled, []int{2, 3}, false), w, torch.Tensor{}),
			Auxiliary: s.Linear(s.Amax(f, []int{2, 3}, false), w, torch.Tensor{}),
			Labels:    torch.From(s, []int64{0, 1, 1, 0}, netImages),
			Weight:    w,
			Features:  map[string]torch.Tensor{"pooled": f},
			Maps: map[string]loss.Maps{"human": {Values: torch.From(s, n.human, netImages, netHeight, netWidth),
				Has: torch.From(s, []bool{true, true, false, true}, netImages)}},
			Moment: loss.Moment{Seed: 5, Epoch: 1, Step: 7},
		})
		s.Backward(v.Total)
		value, df, dw = s.Float(v.Total), torch.Slice[float64](s.Grad(f)), make([]float64, len(n.weight))
		if grad := s.Grad(w); grad.Defined() {
			dw = torch.Slice[float64](grad)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return value, df, dw
}

// slope is the derivative along a direction by central differences.
func (n network) slope(t testing.TB, l loss.Loss, df, dw []float64) float64 {
	const h = 1e-5
	at := func(step float64) float64 {
		moved := n
		moved.features, moved.weight = along(n.features, df, step), along(n.weight, dw, step)
		v, _, _ := moved.evaluate(t, l)
		return v
	}
	return (8*(at(h)-at(-h)) - (at(2*h) - at(-2*h))) / (12 * h) // of the fourth order
}

func along(x, d []float64, step float64) []float64 {
	out := slices.Clone(x)
	for i := range out {
		out[i] += step * d[i]
	}
	return out
}

func inner(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// everyTerm is each term with each of its options alone, by a name for it.
func everyTerm() map[string]loss.Loss {
	all := map[string]loss.Loss{"cross_entropy": {{Name: "cross_entropy", Weight: 0.7}}, "auxiliary": {{Name: "auxiliary_cross_entropy", Weight: 0.4}}}
	for _, name := range loss.Names()[2:] {
		term := func(change func(*loss.Term)) loss.Loss {
			t := loss.Term{Name: name, Weight: 1.5, Map: "human", Tap: "pooled"}
			change(&t)
			return loss.Loss{t}
		}
		for _, class := range loss.Classes() {
			for _, method := range loss.Methods() {
				all[fmt.Sprint(name, "/", class, "/", method)] = term(func(t *loss.Term) { t.Class, t.Method = class, method })
			}
		}
		all[name+"/keep"] = term(func(t *loss.Term) { t.Keep = share(0.6) })
		all[name+"/log"] = append(term(func(t *loss.Term) { t.Log = true }), loss.Term{Name: "cross_entropy", Weight: 0.5},
			loss.Term{Name: "cyborg", Weight: 0.3, Map: "human", Tap: "pooled", Log: true})
		all[name+"/adaptive"] = append(term(func(t *loss.Term) { t.Adaptive = true }), loss.Term{Name: "cross_entropy", Adaptive: true},
			loss.Term{Name: "cyborg", Map: "human", Tap: "pooled", Adaptive: true})
		all[name+"/ramp"] = term(func(t *loss.Term) { t.Ramp = &loss.Ramp{From: 1, To: 3, Steps: 10} })
	}
	for _, distance := range loss.Distances() {
		for _, class := range loss.Classes() {
			all[fmt.Sprint("cyborg/", distance, "/", class)] = loss.Loss{{Name: "cyborg", Weight: 2, Map: "human", Tap: "pooled", Distance: distance, Class: class}}
		}
	}
	return all
}

// What autograd computes is the derivative: of every term, class, method, distance and kind of weight.
func TestGradientsAreDerivatives(t *testing.T) {
	for _, squared := range []bool{false, true} {
		for _, name := range slices.Sorted(maps.Keys(everyTerm())) {
			l := everyTerm()[name]
			t.Run(fmt.Sprint(name, "/squared=", squared), func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, 2))
				for range 2 {
					n := newNetwork(random, squared)
					value, df, dw := n.evaluate(t, l)
					direction := newNetwork(random, squared)
					got := inner(df, direction.features) + inner(dw, direction.weight)
					want := n.slope(t, l, direction.features, direction.weight)
					if math.Abs(got-want) > 1e-7*math.Max(1, math.Abs(want)) || value == 0 || got == 0 {
						t.Errorf("value %g: the gradient says %.10g, differences say %.10g", value, got, want)
					}
				}
			})
		}
	}
}

// A CAM in unit range does not change when all its cells rise by the same, so no distance pulls at their sum. The rounding
// errors of slopes of 1e10, which Kullback and Leibler's distance has, would show here.
func TestGradientsKeepTheMean(t *testing.T) {
	for _, distance := range loss.Distances() {
		n := newNetwork(rand.New(rand.NewPCG(3, 4)), false)
		_, df, _ := n.evaluate(t, loss.Loss{{Name: "cyborg", Weight: 1, Map: "human", Tap: "pooled", Distance: distance}})
		const cells = netHeight * netWidth
		for i := 0; i < len(df); i += cells {
			sum := 0.0
			for _, v := range df[i : i+cells] {
				sum += v
			}
			if math.Abs(sum) > 1e-12 {
				t.Errorf("%s: plane %d: the gradients add up to %g", distance, i/cells, sum)
			}
		}
	}
}

// Where a linear head reads the mean of the tap's cells, Grad-CAM and HiResCAM are CAM over the number of cells, and in unit
// range, and so in every term, CAM itself.
func TestMethodsAgreeAtThePooledTensor(t *testing.T) {
	n := newNetwork(rand.New(rand.NewPCG(5, 6)), false)
	for _, class := range loss.Classes() {
		for _, name := range loss.Names()[2:] {
			of := func(method loss.Method) loss.Loss {
				return loss.Loss{{Name: name, Weight: 1, Map: "human", Tap: "pooled", Class: class, Method: method}}
			}
			value, df, dw := n.evaluate(t, of(loss.PlainCAM))
			for _, method := range []loss.Method{loss.GradCAM, loss.HiResCAM} {
				what := fmt.Sprint(name, "/", class, "/", method)
				v, f, w := n.evaluate(t, of(method))
				near(t, what+": value", []float64{v}, []float64{value})
				near(t, what+": d_features", f, df)
				near(t, what+": d_weight", w, dw)
			}
		}
	}
	err := torch.Do(func(s *torch.Scope) error {
		f := torch.From(s, n.features, netImages, netChannels, netHeight, netWidth).SetRequiresGrad(true)
		w := torch.From(s, n.weight, 2, netChannels)
		logits := s.Linear(s.MeanDim(f, []int{2, 3}, false), w, torch.Tensor{})
		score := s.Sum(s.Select(logits, 1, 1))
		cam := s.DivScalar(loss.CAM(s, f, w, torch.From(s, []int64{1, 1, 1, 1}, netImages)), netHeight*netWidth)
		near(t, "Grad-CAM", torch.Slice[float64](loss.GradientCAM(s, f, score, torch.Float64)), torch.Slice[float64](cam))
		near(t, "HiResCAM", torch.Slice[float64](loss.HighResolutionCAM(s, f, score, torch.Float64)), torch.Slice[float64](cam))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Where it does not, they differ.
func TestMethodsDifferElsewhere(t *testing.T) {
	n := newNetwork(rand.New(rand.NewPCG(7, 8)), true)
	seen := map[float64]loss.Method{}
	for _, method := range loss.Methods() {
		value, _, _ := n.evaluate(t, loss.Loss{{Name: "cyborg", Weight: 1, Map: "human", Tap: "pooled", Method: method}})
		if other, ok := seen[value]; ok {
			t.Errorf("%s is %s", method, other)
		}
		seen[value] = method
	}
}
