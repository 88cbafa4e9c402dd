package loss_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// hard are batches at the border of what terms are defined on: by name, what it makes of the features [B,3,2,2] (and whether
// they become bfloat16), of the maps [B,2,2], and which images have one.
var hard = map[string]struct {
	features func(float64) float64
	human    func(float64) float64
	has      []bool
	bfloat16 bool
}{
	"constant_cam":    {features: func(float64) float64 { return 2 }, has: []bool{true, true, true}},
	"zero_features":   {features: func(float64) float64 { return 0 }, has: []bool{true, true}},
	"constant_map":    {human: func(float64) float64 { return 0.3 }, has: []bool{true, true}},
	"both_constant":   {features: func(float64) float64 { return 1 }, human: func(float64) float64 { return 1 }, has: []bool{true, true}},
	"no_maps":         {has: []bool{false, false, false}},
	"some_maps":       {has: []bool{false, true, false}},
	"one_image":       {has: []bool{true}},
	"one_without_map": {has: []bool{false}},
	"bfloat16":        {has: []bool{true, false, true}, bfloat16: true},
	"huge":            {features: func(v float64) float64 { return 1e15 * v }, has: []bool{true, true}},
	"tiny":            {features: func(v float64) float64 { return 1e-15 * v }, has: []bool{true, true}},
	"steps":           {features: math.Round, human: math.Round, has: []bool{true, true, true}}, // ties
}

// Whatever the batch, every term is a number, as is its gradient; what does not count has no gradient.
func TestTermsAreDefinedEverywhere(t *testing.T) {
	for name, c := range hard {
		for _, dtype := range []torch.DType{torch.Float32, torch.Float64} {
			for of, l := range everyTerm() {
				if of == "auxiliary" {
					continue
				}
				t.Run(fmt.Sprint(name, "/", dtype, "/", of), func(t *testing.T) {
					n, random := len(c.has), rand.New(rand.NewPCG(11, 12))
					draw := func(count int, change func(float64) float64) []float64 {
						out := make([]float64, count)
						for i := range out {
							if out[i] = random.NormFloat64(); change != nil {
								out[i] = change(out[i])
							}
						}
						return out
					}
					err := torch.Do(func(s *torch.Scope) error {
						as := func(values []float64, shape ...int) torch.Tensor {
							return s.ToDType(torch.From(s, values, shape...), dtype)
						}
						f := as(draw(n*12, c.features), n, 3, 2, 2).SetRequiresGrad(true)
						w := as([]float64{1, -1, 0.5, -0.5, 2, 1}, 2, 3).SetRequiresGrad(true)
						tapped := f
						if c.bfloat16 {
							tapped = s.ToDType(f, torch.BFloat16)
						}
						v := l.Evaluate(s, loss.Batch{
							Logits:   s.Linear(s.MeanDim(s.ToDType(tapped, dtype), []int{2, 3}, false), w, torch.Tensor{}),
							Labels:   torch.From(s, []int64{0, 1, 1}[:n], n),
							Weight:   w,
							Features: map[string]torch.Tensor{"pooled": tapped},
							Maps:     map[string]loss.Maps{"human": {Values: as(draw(n*4, c.human), n, 2, 2), Has: torch.From(s, c.has, n)}},
						})
						s.Backward(v.Total)
						for i, term := range append(slices.Clone(v.Terms), v.Total) {
							if value := s.Float(term); math.IsNaN(value) || math.IsInf(value, 0) {
								t.Errorf("value %d is %v", i, value)
							}
						}
						for _, leaf := range []torch.Tensor{f, w} {
							if grad := s.Grad(leaf); grad.Defined() && s.Int(s.All(s.IsFinite(grad))) == 0 {
								t.Errorf("gradient %v", grad)
							}
						}
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
				})
			}
		}
	}
}

// What a term is where its images have constant CAMs.
func TestConstantCAMs(t *testing.T) {
	const mapMean, mapSquares = (0 + 1 + 0.5 + 0.25) / 4, (0 + 1 + 0.25 + 0.0625) / 4
	for name, want := range map[string]float64{
		"cyborg/mse":      mapSquares,
		"cyborg/l1":       mapMean,
		"cyborg/cosine":   1,
		"cyborg/pearson":  1,
		"cyborg/bce":      -(mapMean*math.Log(1e-3) + (1-mapMean)*math.Log(1-1e-3)),
		"cam_entropy":     -4e-10 * math.Log(1e-10),
		"cam_log_entropy": math.Log1p(-4e-10 * math.Log(1e-10)),
	} {
		t.Run(name, func(t *testing.T) {
			term := loss.Term{Name: name, Weight: 1, Map: "human", Tap: "pooled"}
			if distance, found := cutDistance(name); found {
				term.Name, term.Distance = "cyborg", distance
			}
			err := torch.Do(func(s *torch.Scope) error {
				f := s.Ones([]int{2, 3, 2, 2}, torch.Float64, torch.CPU).SetRequiresGrad(true)
				w := torch.From(s, []float64{1, -1, 0.5, -0.5, 2, 1}, 2, 3)
				v := loss.Loss{term}.Evaluate(s, loss.Batch{
					Logits: s.Linear(s.MeanDim(f, []int{2, 3}, false), w, torch.Tensor{}), Labels: torch.From(s, []int64{0, 1}, 2), Weight: w,
					Features: map[string]torch.Tensor{"pooled": f},
					Maps: map[string]loss.Maps{"human": {Values: torch.From(s, []float64{0, 1, 0.5, 0.25, 0, 1, 0.5, 0.25}, 2, 2, 2),
						Has: torch.From(s, []bool{true, true}, 2)}}})
				near(t, "value", []float64{s.Float(v.Total)}, []float64{want})
				s.Backward(v.Total)
				near(t, "gradient", torch.Slice[float64](s.Grad(f)), make([]float64, 24))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func cutDistance(name string) (loss.Distance, bool) {
	for _, d := range loss.Distances() {
		if name == "cyborg/"+string(d) {
			return d, true
		}
	}
	return "", false
}

// In float32 every term has the gradient that it has in float64, but for rounding.
func TestFloat32(t *testing.T) {
	for of, l := range everyTerm() {
		if of == "auxiliary" {
			continue
		}
		random := rand.New(rand.NewPCG(13, 14))
		features, human := make([]float64, 2*3*49), make([]float64, 2*49)
		for _, values := range [][]float64{features, human} {
			for i := range values {
				values[i] = float64(float32(random.NormFloat64()))
			}
		}
		gradient := func(dtype torch.DType) (out []float64) {
			err := torch.Do(func(s *torch.Scope) error {
				f := s.ToDType(torch.From(s, features, 2, 3, 7, 7), dtype).SetRequiresGrad(true)
				w := s.ToDType(torch.From(s, []float64{1, -1, 0.5, -0.5, 2, 1}, 2, 3), dtype)
				v := l.Evaluate(s, loss.Batch{
					Logits: s.Linear(s.MeanDim(f, []int{2, 3}, false), w, torch.Tensor{}), Labels: torch.From(s, []int64{0, 1}, 2), Weight: w,
					Features: map[string]torch.Tensor{"pooled": f},
					Maps:     map[string]loss.Maps{"human": {Values: s.ToDType(torch.From(s, human, 2, 7, 7), dtype), Has: torch.From(s, []bool{true, true}, 2)}}})
				s.Backward(v.Total)
				out = torch.Slice[float64](s.ToDType(s.Grad(f), torch.Float64))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		narrow, wide := gradient(torch.Float32), gradient(torch.Float64)
		far, size := 0.0, 0.0
		for i := range wide {
			far += (narrow[i] - wide[i]) * (narrow[i] - wide[i])
			size += wide[i] * wide[i]
		}
		if math.Sqrt(far) > 1e-3*math.Sqrt(size) {
			t.Errorf("%s: float32 is off by %g of the gradient's norm", of, math.Sqrt(far/size))
		}
	}
}
