package worker

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// The terms that a spec may name are those that package loss computes; the runner, which checks specs, cannot ask it.
func TestSpecsKnowEveryTerm(t *testing.T) {
	for field, computed := range map[string][]string{"Term": loss.Names(), "Class": texts(loss.Classes()), "Method": texts(loss.Methods()), "Distance": texts(loss.Distances())} {
		declared, _ := reflect.TypeFor[experiment.Term]().FieldByName(field)
		if got := strings.Split(declared.Tag.Get("enum"), "|"); !slices.Equal(got, computed) {
			t.Errorf("%s: specs may name %v, package loss computes %v", field, got, computed)
		}
	}
	for _, name := range loss.Names() {
		cam := loss.Loss{{Name: name, Weight: 1}}.Check() != nil                   // a tap is missing, or a map too
		mapped := loss.Loss{{Name: name, Weight: 1, Tap: "pooled"}}.Check() != nil // a map is
		if got := (experiment.Term{Term: name}); got.Saliency() != cam || got.Mapped() != mapped {
			t.Errorf("%s: specs take it for a saliency term: %v, with maps: %v; package loss: %v, %v", name, got.Saliency(), got.Mapped(), cam, mapped)
		}
	}
}

// Every term trains a real network in every way: its figures are numbers, and it moves the weights elsewhere than the
// cross-entropy alone.
func TestRunEveryTerm(t *testing.T) {
	run := func(t *testing.T, precision string, term ...experiment.Term) map[string]string {
		job := small()
		job.Steps, job.Precision, job.ChannelsLast = 3, precision, precision != "float64"
		job.Terms = append([]experiment.Term{{Term: "cross_entropy", Weight: fixed(0.5)}}, term...)
		return done(t, job).outputs()
	}
	seen := map[string]string{run(t, "float32")["final.pth"]: "cross_entropy"}
	for i, name := range loss.Names()[2:] {
		for k, class := range loss.Classes() {
			method := loss.Methods()[(i+k)%3]
			precision := []string{"float32", "float64", "bfloat16"}[(i+2*k)%3]
			what := fmt.Sprint(name, "/", class, "/", method, "/", precision)
			t.Run(what, func(t *testing.T) {
				trains(t, seen, what, run(t, precision, experiment.Term{Term: name, Weight: fixed(1), Map: "human", Class: string(class), Tap: "authors", Method: string(method)}))
			})
		}
	}
	for _, distance := range loss.Distances() {
		what := fmt.Sprint("cyborg/", distance)
		t.Run(what, func(t *testing.T) {
			trains(t, seen, what, run(t, "float32", experiment.Term{Term: "cyborg", Weight: fixed(1), Map: "human", Tap: "pooled", Distance: string(distance)}))
		})
	}
}

func trains(t *testing.T, seen map[string]string, what string, out map[string]string) {
	t.Helper()
	for name, values := range columns(t, out["steps.csv"]) {
		if len(values) != 3 || !isFinite(values[0]+values[1]+values[2]) {
			t.Errorf("%s: %v", name, values)
		}
	}
	if other, ok := seen[out["final.pth"]]; ok {
		t.Errorf("the weights are those of %s", other)
	}
	seen[out["final.pth"]] = what
}

// steps.csv holds the weights that vary, step by step, history.csv their means over each epoch.
func TestRunSaysWeights(t *testing.T) {
	job := small() // 3 epochs of 4 steps
	job.Terms = []experiment.Term{
		{Term: "cross_entropy", Weight: experiment.Weight{Adaptive: true}},
		{Term: "cyborg", Map: "human", Tap: "pooled", Weight: experiment.Weight{Adaptive: true}},
		{Term: "cyborg", Map: "human", Tap: "pooled", Distance: "l1", Weight: experiment.Weight{From: 1, To: 2, Epochs: 2, Shape: "linear"}},
		{Term: "cam_entropy", Tap: "pooled", Log: true, Weight: experiment.Weight{To: 1, Steps: 8, Shape: "step"}},
	}
	a := done(t, job)
	for name, want := range map[string]string{
		"steps.csv":   "step,cross_entropy,cyborg,cyborg_2,cam_entropy,total,cross_entropy_weight,cyborg_weight,cyborg_2_weight,cam_entropy_weight",
		"history.csv": "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,lr,cross_entropy_weight,cyborg_weight,cyborg_2_weight,cam_entropy_weight",
	} {
		if got, _, _ := strings.Cut(a.outputs()[name], "\n"); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	steps, history := columns(t, a.outputs()["steps.csv"]), columns(t, a.outputs()["history.csv"])
	for i, total := range steps["total"] {
		share := steps["cross_entropy"][i] / (steps["cross_entropy"][i] + steps["cyborg"][i])
		ramp, jump := 1+0.5*float64(i/4), float64(i/8)
		for name, want := range map[string]float64{"cross_entropy_weight": share, "cyborg_weight": 1 - share, "cyborg_2_weight": min(2, ramp), "cam_entropy_weight": jump} {
			if got := steps[name][i]; math.Abs(got-want) > 1e-6 {
				t.Errorf("step %d: %s is %g, want %g", i, name, got, want)
			}
		}
		sum := share*steps["cross_entropy"][i] + (1-share)*steps["cyborg"][i] + min(2, ramp)*steps["cyborg_2"][i] + math.Log1p(jump*steps["cam_entropy"][i])
		if math.Abs(total-sum) > 1e-5 {
			t.Errorf("step %d: the terms make %g, the total is %g", i, sum, total)
		}
	}
	for epoch := range 3 {
		for _, name := range []string{"cross_entropy_weight", "cyborg_weight", "cyborg_2_weight", "cam_entropy_weight"} {
			mean := 0.0
			for _, v := range steps[name][4*epoch : 4*epoch+4] {
				mean += v / 4
			}
			if got := history[name][epoch]; math.Abs(got-mean) > 1e-12 {
				t.Errorf("epoch %d: %s is %g, the mean of its steps is %g", epoch+1, name, got, mean)
			}
		}
	}
}

func texts[T ~string](names []T) (out []string) {
	for _, name := range names {
		out = append(out, string(name))
	}
	return out
}
