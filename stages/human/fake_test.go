package human

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// fake is a simulated study: people of different skill and images of different difficulty, and two trainings of a network
// that scored most of the images.
type fake struct {
	dir    string
	scores [2]string // folders
}

const header = "participant,image,answer,time,annotated,label,generator\n"

// newFake simulates a study. Of pairs, each image is shown beside a partner of the other class.
func newFake(t testing.TB, seed uint64, people, images int, pairs bool) fake {
	t.Helper()
	chance := rand.New(rand.NewPCG(seed, 1))
	f := fake{dir: t.TempDir()}
	var trials strings.Builder
	trials.WriteString(strings.TrimSuffix(header, "\n") + ",pair\n")
	label := func(i int) int { return i % 2 }
	name := func(i int) string { return fmt.Sprintf("g%d/%d.png", i%6/2, i) }
	hard := make([]float64, images)
	for i := range hard {
		hard[i] = chance.NormFloat64()
	}
	words := []string{"Real", "Synthetic"}
	for p := range people {
		skill := 0.7 + 0.8*chance.NormFloat64()
		for i := range images {
			if chance.Float64() < 0.2 || pairs && label(i) == 0 {
				continue // was not shown
			}
			annotated := chance.Float64() < 0.5
			bonus := 0.0
			if annotated {
				bonus = 0.5
			}
			answer := label(i)
			if chance.Float64() > 1/(1+math.Exp(-skill-bonus-hard[i])) {
				answer = 1 - answer
			}
			shown, beside, truth := i, "", label(i)
			if pairs {
				shown, beside = i, name(i-1)
				if chance.Float64() < 0.5 {
					shown, beside, truth, answer = i-1, name(i), 0, 1-answer
				}
			}
			fmt.Fprintf(&trials, "p%04d,%s,%s,%.3f,%t,%s,G%d,%s\n", p+1, name(shown), words[answer], math.Exp(1+0.5*chance.NormFloat64()), annotated,
				words[truth], i%6/2, beside)
		}
	}
	put(t, f.trials(), trials.String())
	for k := range f.scores {
		f.scores[k] = filepath.Join(f.dir, fmt.Sprintf("score%d", k))
		text := "path,label,score\n"
		for i := range images {
			if i%10 == 7 {
				continue // was not scored
			}
			text += fmt.Sprintf("/%s,%s,%.6f\n", name(i), words[label(i)], 1/(1+math.Exp(-(2*float64(label(i))-1)-1.5*chance.NormFloat64())))
		}
		put(t, filepath.Join(f.scores[k], "scores.csv"), text)
	}
	return f
}

func (f fake) trials() string { return filepath.Join(f.dir, "trials.csv") }

func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run does the stage on the fake study.
func (f fake) run(t testing.TB, p Params) *results.Human {
	t.Helper()
	out, err := f.try(t, Job{Params: p, Path: f.trials()})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (f fake) try(t testing.TB, job Job) (*results.Human, error) {
	t.Helper()
	if job.Resamples == 0 {
		job.Resamples = 200
	}
	if job.Group == "" {
		job.Group = "generator"
	}
	job.Threshold, job.Compare, job.Repeat = 0.5, "loss", "seed"
	one := &task.Task{Node: "people", Kind: "human", Threads: 2}
	if f.scores[0] != "" {
		one.Inputs = map[string][]task.Input{Scores: nil}
		for k, dir := range f.scores {
			one.Inputs[Scores] = append(one.Inputs[Scores], task.Input{Node: fmt.Sprintf("score[loss=cyborg,seed=%d]", k), Path: dir,
				Axes: map[string]string{"loss": "cyborg", "seed": fmt.Sprint(k)}})
		}
	}
	in, err := one.In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return job.evaluate(t.Context(), in) // Run draws the figures too, which takes long
}
