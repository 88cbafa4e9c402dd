package summary

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// evaluation makes the output of a node of evaluate whose AUC is that of the scores: real .2 .4 .6 .8, synthetic as given.
func evaluation(t *testing.T, node string, axes map[string]string, metrics string, synthetic ...string) task.Input {
	t.Helper()
	dir := t.TempDir()
	scores := "path,label,score\na,Real,0.2\nb,Real,0.4\nc,Real,0.6\nd,Real,0.8\n"
	for _, s := range synthetic {
		scores += "e,Synthetic," + s + "\n"
	}
	put(t, dir, "scores.csv", []byte(scores))
	put(t, dir, "metrics.json", []byte(`{"images": 5, "metrics": `+metrics+`}`))
	return task.Input{Node: node, Axes: axes, Path: dir}
}

func axes(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// two is a run small enough to work out by hand: two losses, two seeds, two sets, one evaluation missing.
func two(t *testing.T) map[string][]task.Input {
	return map[string][]task.Input{Scores: {
		evaluation(t, "score[seed=7,loss=cyborg,set=u2]", axes("loss", "cyborg", "seed", "7", "set", "u2"), `{"auc": 1, "eer": 0}`, "0.9"),
		evaluation(t, "score[seed=7,loss=cyborg,set=u1]", axes("loss", "cyborg", "seed", "7", "set", "u1"), `{"auc": 0.5}`, "0.5"),
		evaluation(t, "score[seed=3,loss=cyborg,set=u2]", axes("loss", "cyborg", "seed", "3", "set", "u2"), `{"auc": 0.75}`, "0.7"),
		evaluation(t, "score[seed=3,loss=cyborg,set=u1]", axes("loss", "cyborg", "seed", "3", "set", "u1"), `{"auc": 1}`, "0.9"),
		evaluation(t, "score[seed=7,loss=cross_entropy,set=u2]", axes("loss", "cross_entropy", "seed", "7", "set", "u2"), `{"auc": 0.25}`, "0.3"),
		evaluation(t, "score[seed=7,loss=cross_entropy,set=u1]", axes("loss", "cross_entropy", "seed", "7", "set", "u1"), `{"auc": 0}`, "0.1"),
		evaluation(t, "score[seed=3,loss=cross_entropy,set=u2]", axes("loss", "cross_entropy", "seed", "3", "set", "u2"), `{"auc": 1}`, "0.9"),
	}}
}

func TestByHand(t *testing.T) {
	out := summarise(t, Params{}, two(t))
	s := read(t, out)
	for name, got := range map[string][]string{
		"seed loss set": s.Axes, "cyborg cross_entropy": s.Settings, "u2 u1": s.Sets, "u2 u1 ": append(s.Mean, ""),
		"Set u1: 1 of 4 models were not evaluated.": s.Notes,
	} {
		if strings.Join(got, " ") != name {
			t.Errorf("%q, want %q", strings.Join(got, " "), name)
		}
	}
	cells := map[string]results.Cell{}
	for _, c := range s.Cells {
		cells[c.Setting+" "+c.Set+" "+c.Metric] = c
	}
	for name, want := range map[string]results.Cell{
		"cyborg u2 auc":          {N: 2, Mean: 0.875, SD: 0.125 * math.Sqrt2, Min: 0.75, Max: 1},
		"cyborg mean auc":        {N: 2, Mean: 0.8125, SD: 0.0625 * math.Sqrt2, Min: 0.75, Max: 0.875},
		"cross_entropy mean auc": {N: 1, Mean: 0.125, SD: 0, Min: 0.125, Max: 0.125}, // seed 3 lacks u1
		"cross_entropy u1 auc":   {N: 1, Mean: 0},
		"cyborg u2 eer":          {N: 1, Mean: 0},
	} {
		got := cells[name]
		if got.N != want.N || !close12(got.Mean, want.Mean) || !close12(got.SD, want.SD) || got.Min != want.Min || got.Max != want.Max || len(got.Values) != got.N {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if v := cells["cyborg u2 auc"].Values; v[0] != 1 || v[1] != 0.75 {
		t.Errorf("values %v, want them in the order of the seeds as the spec has them: 7, 3", v)
	}
	if _, ok := cells["cyborg mean eer"]; ok {
		t.Error("a mean over sets of which one is missing")
	}
	var onU2 *results.Test
	for i, test := range s.Tests {
		if test.Setting == "cross_entropy" {
			t.Error("the baseline is tested against itself")
		}
		if test.Set == "u2" && test.Metric == "auc" {
			onU2 = &s.Tests[i]
		}
		if test.Set == "mean" && (test.N != 1 || test.PairedP != -1 || test.Low != nil || test.High != nil || !close12(test.Difference, 0.625)) {
			t.Errorf("one pair: %+v", test)
		}
	}
	// differences .75 and -.25: mean .25, standard error .5, t = .5 with one degree of freedom, p = 1 - 2 atan(.5)/pi
	if onU2 == nil || onU2.N != 2 || onU2.Wins != 1 || onU2.Higher != 1 || !close12(onU2.Difference, 0.25) || !close12(onU2.PairedP, 1-2*math.Atan(0.5)/math.Pi) {
		t.Errorf("test on u2: %+v", onU2)
	}
	if len(s.Pairs) != 1 || s.Pairs[0].Setting != "cross_entropy" || s.Pairs[0].Baseline != "cyborg" || !close12(s.Pairs[0].Difference, -0.625) {
		t.Errorf("pairs: %+v", s.Pairs)
	}
	for _, r := range s.ROC {
		if r.Setting == "cyborg" && r.Set == "pooled" && !close12(r.AUC, (0.75+0.875)/2) {
			t.Errorf("pooled AUC %v", r.AUC) // seed 7: synthetic .9 and .5; seed 3: .7 and .9
		}
	}
	table, err := os.ReadFile(filepath.Join(out, "metrics.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(table), "node,seed,loss,set,metric,value\n\"score[seed=7,loss=cyborg,set=u2]\",7,cyborg,u2,auc,1\n"+
		"\"score[seed=7,loss=cyborg,set=u2]\",7,cyborg,u2,eer,0\n") || strings.Count(string(table), "\n") != 9 {
		t.Errorf("metrics.csv:\n%s", table)
	}
}

// A win is a better value: of an error rate the lower one, and of two equal ones neither.
func TestWins(t *testing.T) {
	values := table{repeats: []string{"1", "2", "3", "4"}, value: map[model]map[string]float64{}}
	for i, v := range [][2]float64{{0.1, 0.3}, {0.2, 0.3}, {0.2, 0.1}, {0.3, 0.3}} {
		for k, setting := range []string{"cyborg", "cross_entropy"} {
			values.value[model{setting, values.repeats[i]}] = map[string]float64{"u1": v[k]}
		}
	}
	for metric, wins := range map[string]int{"auc": 1, "d_prime": 1, "accuracy_at_prevalence": 1, "tdr_at_fdr_0.01": 1,
		"eer": 2, "apcer_at_bpcer_5": 2, "acer_chosen": 2, "ece": 2} {
		if test, ok := compare(values, metric, "cyborg", "cross_entropy", "u1"); !ok || test.Wins != wins || test.Higher != 1 {
			t.Errorf("%s: %+v", metric, test)
		}
	}
}

func TestFurtherAxesAreSettingsOfTheirOwnWithTheirOwnBaseline(t *testing.T) {
	var inputs []task.Input
	for i, loss := range []string{"cross_entropy", "cyborg"} {
		for k, arch := range []string{"resnet18", "resnet50"} {
			auc := []string{"0.1", "0.2", "0.4", "0.8"}[2*i+k]
			inputs = append(inputs, evaluation(t, "score[loss="+loss+",arch="+arch+",seed=1]", axes("loss", loss, "arch", arch, "seed", "1", "alpha", "1"), `{"auc": `+auc+`}`, "0.9"))
		}
	}
	s := read(t, summarise(t, Params{}, map[string][]task.Input{Scores: inputs}))
	if got := strings.Join(s.Settings, "; "); got != "cross_entropy, arch=resnet18; cross_entropy, arch=resnet50; cyborg, arch=resnet18; cyborg, arch=resnet50" {
		t.Errorf("settings: %s", got)
	}
	if strings.Join(s.Axes, " ") != "loss arch seed alpha" || strings.Join(s.Sets, " ") != "score" {
		t.Errorf("axes %v, sets %v", s.Axes, s.Sets)
	}
	for _, test := range s.Tests {
		want := map[string]float64{"cyborg, arch=resnet18": 0.3, "cyborg, arch=resnet50": 0.6}[test.Setting]
		if !close12(test.Difference, want) || test.Baseline != strings.Replace(test.Setting, "cyborg", "cross_entropy", 1) {
			t.Errorf("%+v, want a difference of %v", test, want)
		}
	}
	if len(s.Tests) != 4 { // two settings, on the set and on the mean
		t.Errorf("%d tests", len(s.Tests))
	}
}

func TestLearningCurves(t *testing.T) {
	history := func(text string) string {
		dir := t.TempDir()
		put(t, dir, "history.csv", []byte("epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,lr,seconds\n"+text))
		return dir
	}
	s := read(t, summarise(t, Params{}, map[string][]task.Input{Histories: {
		{Node: "fit[loss=a,seed=1]", Axes: axes("loss", "a", "seed", "1"), Path: history("1,0.5,0.5,,,1,1\n2,0.25,1,,NaN,1,1\n")},
		{Node: "fit[loss=a,seed=2]", Axes: axes("loss", "a", "seed", "2"), Path: history("1,1.5,0.5,0.5,0.5,1,1\n")},
	}}))
	for _, c := range s.Curves {
		if c.Name == "train_loss" && (len(c.Epoch) != 2 || c.N != 2 || c.Mean[0] != 1 || !close12(c.SD[0], math.Sqrt2/2) || c.Mean[1] != 0.25 || c.SD[1] != 0) {
			t.Errorf("%+v", c)
		}
		if c.Name == "validation_accuracy" && (len(c.Epoch) != 1 || c.N != 1) {
			t.Errorf("%+v", c)
		}
	}
	if len(s.Curves) != 4 {
		t.Errorf("%d curves", len(s.Curves))
	}
	if len(s.Tables) != 1 || s.Tables[0].Metric != results.Learning || strings.Join(s.Tables[0].Columns, " ") != "train_loss train_accuracy validation_loss validation_accuracy" {
		t.Fatalf("tables without scores: %+v", s.Tables)
	}
	want := []results.TableCell{{N: 2, Mean: 0.875, SD: 1.25 / math.Sqrt2}, {N: 2, Mean: 0.75, SD: 0.5 / math.Sqrt2}, {N: 1, Mean: 0.5}, {N: 1, Mean: 0.5}}
	for i, c := range s.Tables[0].Rows[0].Cells { // each training's last epoch, and nothing of the one before it
		if c.N != want[i].N || !close12(c.Mean, want[i].Mean) || !close12(c.SD, want[i].SD) {
			t.Errorf("%s at the last epoch: %+v, want %+v", s.Tables[0].Columns[i], c, want[i])
		}
	}
}

func TestTheSameInputsGiveTheSameBytes(t *testing.T) {
	inputs, _ := fakeRun(t, []string{"cross_entropy", "cyborg", "shuffled"}, 3, []string{"u1", "u2"})
	first, second := summarise(t, Params{}, inputs), summarise(t, Params{}, inputs)
	files := 0
	err := filepath.WalkDir(first, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(first, path)
		if err != nil {
			return err
		}
		a, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(filepath.Join(second, name))
		if err != nil {
			return err
		}
		if files++; !bytes.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"roc.svg", "roc.png", "roc_u1.svg", "roc_u2.svg", "learning_accuracy.svg", "learning_accuracy.png", "learning_loss.svg", "learning_loss.png", "auc.svg", "auc.png"} {
		if _, err := os.Stat(filepath.Join(first, "figures", name)); err != nil {
			t.Error(err)
		}
	}
	if files != 23 {
		t.Errorf("%d files, 23 expected: twelve figures, nine tables, metrics.csv, summary.json", files)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	good := two(t)[Scores]
	broken := good[0]
	broken.Path = t.TempDir()
	put(t, broken.Path, "metrics.json", []byte(`{"metrics": {"auc": 1}}`))
	put(t, broken.Path, "scores.csv", []byte("path,label,score\na,Real,much\n"))
	mean := good[0]
	mean.Axes = axes("set", "mean")
	for want, c := range map[string]struct {
		p      Params
		scores []task.Input
	}{
		`mean names the set "u9", which was not evaluated; there are: [u2 u1]`: {Params{Mean: []string{"u9"}}, good},
		"are the same loss, seed and set":                                      {Params{}, append(good[:1:1], good[0])},
		`line 2: score "much" is no finite number`:                             {Params{}, []task.Input{broken}},
		"metrics.json":                  {Params{}, []task.Input{{Node: "score", Path: t.TempDir()}}},
		`a set cannot be called "mean"`: {Params{}, []task.Input{mean}},
	} {
		params, err := json.Marshal(c.p)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		job, err := (&task.Task{Node: "table", Params: params, Inputs: map[string][]task.Input{Scores: c.scores}}).In(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := Run(t.Context(), job); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if _, err := os.Stat(filepath.Join(dir, "out", "summary.json")); err == nil {
			t.Error("a summary was written all the same")
		}
	}
}

func close12(a, b float64) bool { return math.Abs(a-b) < 1e-12 }
