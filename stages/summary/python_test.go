package summary

import (
	_ "embed" // the script
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

//go:embed testdata/tables.py
var tablesPython string

// Every number of tables/ follows from the score files: two networks, three losses, seven seeds, two sets that share their real
// images and a validation set. One loss lacks seeds, one detector is perfect on a set, one is its baseline on another.
func TestTablesAgainstPython(t *testing.T) {
	testenv.Python(t)
	random := rand.New(rand.NewPCG(19, 20))
	noise := map[string][]float64{} // of a model's real images in the sets of the mean
	var inputs []task.Input
	var runs []map[string]string
	for _, arch := range []string{"a", "b"} {
		for k, loss := range []string{"cross_entropy", "cyborg", "masks"} {
			for seed := 1; seed <= 7; seed++ {
				if loss == "masks" && arch == "b" && seed > 4 {
					continue
				}
				for _, set := range []string{"u1", "u2", "validation"} {
					of := loss
					if set == "validation" && arch == "b" && loss == "cyborg" {
						of = "cross_entropy"
					}
					scores := "path,label,score\n"
					draw := func(key string, n int, at float64) []float64 {
						for len(noise[key]) < n {
							noise[key] = append(noise[key], math.Round(50/(1+math.Exp(-at-random.NormFloat64())))/50) // with ties
						}
						return noise[key]
					}
					model := fmt.Sprint(arch, of, seed)
					shared := map[string]string{"u1": "real", "u2": "real", "validation": "validation"}[set]
					for i, s := range draw(model+shared, 14, -0.4) {
						if set == "u2" {
							s += 1e-6 // another batch
						}
						scores += fmt.Sprintf("%s/%d.png,Real,%v\n", shared, i, s)
					}
					for i, s := range draw(model+set, 11, 0.3+0.3*float64(k)+0.1*random.Float64()) {
						if set == "u1" && arch == "a" && loss == "masks" {
							s = 1.5 + 0.1*float64(i)
						}
						scores += fmt.Sprintf("%s/%d.png,Synthetic,%v\n", set, i, min(s, 0.999999))
					}
					dir := t.TempDir()
					put(t, dir, "scores.csv", []byte(scores))
					put(t, dir, "metrics.json", []byte(`{}`))
					at := axes("loss", loss, "arch", arch, "seed", strconv.Itoa(seed), "set", set)
					inputs = append(inputs, task.Input{Node: fmt.Sprintf("score[loss=%s,arch=%s,seed=%d,set=%s]", loss, arch, seed, set), Axes: at, Path: dir})
					runs = append(runs, axes("loss", loss, "arch", arch, "seed", strconv.Itoa(seed), "set", set, "file", filepath.Join(dir, "scores.csv")))
				}
			}
		}
	}
	p := Params{Mean: []string{"u1", "u2"}, Tables: []string{"eer", "d_prime", "acer_chosen", "accuracy_at_prevalence", "ece"}, Prevalence: 0.1, Bootstrap: 60}
	out := summarise(t, p, map[string][]task.Input{Scores: evaluated(t, inputs)})
	job, err := json.Marshal(map[string]any{"tables": filepath.Join(out, "tables"), "runs": runs, "mean": p.Mean, "prevalence": p.Prevalence,
		"replicates": p.Bootstrap, "metrics": append([]string{"auc"}, p.Tables...)})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put(t, dir, "job.json", job)
	var got struct {
		Compared int
		Other    []string
	}
	if err := json.Unmarshal(testenv.RunPython(t, tablesPython, filepath.Join(dir, "job.json")), &got); err != nil {
		t.Fatal(err)
	}
	for _, other := range got.Other {
		t.Error(other)
	}
	if got.Compared < 2500 {
		t.Errorf("%d numbers were compared", got.Compared)
	}
	t.Logf("%d numbers", got.Compared)
}
