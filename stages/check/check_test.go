package check

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/expression"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

const table = `node,loss,seed,set,metric,value
"score[loss=cross_entropy,seed=1,set=u1]",cross_entropy,1,u1,auc,0.5
"score[loss=cross_entropy,seed=1,set=u2]",cross_entropy,1,u2,auc,0.7
"score[loss=cross_entropy,seed=2,set=u1]",cross_entropy,2,u1,auc,0.6
"score[loss=cross_entropy,seed=2,set=u2]",cross_entropy,2,u2,auc,0.6
"score[loss=cross_entropy,seed=10,set=u1]",cross_entropy,10,u1,auc,0.7
"score[loss=cross_entropy,seed=10,set=u2]",cross_entropy,10,u2,auc,0.9
"score[loss=cyborg,seed=1,set=u1]",cyborg,1,u1,auc,0.9
"score[loss=cyborg,seed=1,set=u2]",cyborg,1,u2,auc,0.9
"score[loss=cyborg,seed=2,set=u1]",cyborg,2,u1,auc,0.8
"score[loss=cyborg,seed=2,set=u2]",cyborg,2,u2,auc,1.0
"score[loss=cyborg,seed=10,set=u1]",cyborg,10,u1,auc,0.75
"score[loss=cyborg,seed=10,set=s]",cyborg,10,s,auc,0.1
"score[loss=cyborg,seed=10,set=s]",cyborg,10,s,eer,0.8
`

// folder is a summary's output.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	summary, err := json.Marshal(results.Summary{Repeat: "seed", Mean: []string{"u1", "u2"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"metrics.csv": table, "summary.json": string(summary)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A summary that is cut off, or is none, is an error and no empty one.
func TestSummaryThatIsNone(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "cut off": `{"repeat": "seed", "mean": ["u1"`, "another": `{"runs": []}`, "a list": `["repeat", "mean"]`} {
		dir := folder(t)
		if err := os.WriteFile(filepath.Join(dir, "summary.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readRows(dir); err == nil || !strings.Contains(err.Error(), "read summary.json: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFunctions(t *testing.T) {
	r, err := readRows(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]float64{
		"mean(auc, loss == 'cross_entropy')":                       4.0 / 6,
		"mean('auc', loss == 'cyborg' and set in mean_sets)":       4.35 / 5,
		"mean(auc, loss == 'cyborg' && set == 'u1' && seed != 10)": 0.85,
		"sd(auc, loss == 'cross_entropy' and set == 'u1')":         0.1,
		"min(auc)":                                        0.1,
		"max(auc, seed == 2)":                             1,
		"count(auc, loss == 'cyborg')":                    6,
		"count(auc, loss == 'nothing')":                   0,
		"count(eer)":                                      1,
		"count(auc, seed < 10)":                           8,
		"count(auc, seed in [1, 10])":                     8,
		"count(auc, node startsWith 'score[loss=cyborg')": 6,
		"count(auc, int(seed) % 2 == 0)":                  8,
		"difference(auc, loss == 'cyborg', loss == 'cross_entropy')":                         (0.3 + 0.3 + 0.05) / 3,
		"wins(auc, loss == 'cyborg', loss == 'cross_entropy')":                               3,
		"difference(auc, set == 'u1' and loss == 'cyborg', set == 'u2' and loss =='cyborg')": math.NaN(),
	} {
		a := r.hold(text + " > -1")
		if math.IsNaN(want) {
			if a.Held || !strings.Contains(a.Message, "no seed has runs of both on the same set") {
				t.Errorf("%s: %+v, want that there are no pairs", text, a)
			}
			continue
		}
		if !a.Held || len(a.Values) != 1 || math.Abs(a.Values[0].Value-want) > 1e-12 {
			t.Errorf("%s: %+v, want %v", text, a, want)
		}
	}
}

// The p-values are SciPy's: ttest_rel([.9,.9,.75],[.6,.6,.7]), ttest_ind([.9,.9,.4250],[.6,.6,.8], equal_var=False).
func TestTestsOfRepeats(t *testing.T) {
	r, err := readRows(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]float64{
		"paired_p(auc, loss == 'cyborg', loss == 'cross_entropy')": 0.12154140808,
		"welch_p(auc, loss == 'cyborg', loss == 'cross_entropy')":  0.69508689098,
	} {
		a := r.hold(text + " < 1")
		if len(a.Values) != 1 || math.Abs(a.Values[0].Value-want) > 1e-8 {
			t.Errorf("%s: %+v, want %v", text, a, want)
		}
	}
}

func TestWhatAReaderIsTold(t *testing.T) {
	r, err := readRows(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text, want string
		held       bool
	}{
		{`mean(auc, loss == "cyborg" and set == "u1") > mean(auc, loss == "cross_entropy" and set == "u1")`,
			"mean(auc, loss == 'cyborg' and set == 'u1') = 0.8167 > mean(auc, loss == 'cross_entropy' and set == 'u1') = 0.6 holds", true},
		{"mean(auc, loss == 'cross_entropy') >= 0.75", "mean(auc, loss == 'cross_entropy') = 0.6667 >= 0.75 does not hold", false},
		{"min(auc) >= 0.1 and max(auc) < 0.9", "max(auc) = 1 < 0.9 does not hold", false},
		{"max(auc) - min(auc) < 0.5", "max(auc) - min(auc) = 0.9 < 0.5 does not hold", false},
		{"not (max(auc) > 0.5)", "max(auc) = 1 > 0.5 does not hold", false},
		{"not (max(auc) > 0.5 and min(auc) > 0.05)", "max(auc) = 1 and min(auc) = 0.1 does not hold", false},
		{"mean(auc, loss == 'cybrog') > 0", "mean(auc, loss == 'cybrog') > 0 cannot be decided: mean(auc, loss == 'cybrog'): " +
			"no run matches; loss is one of cross_entropy, cyborg; seed is one of 1, 2, 10; set is one of u1, u2, s", false},
		{"mean(acer) > 0", "mean(acer) > 0 cannot be decided: mean(acer): no run has the metric acer, there are: auc, eer", false},
		{"paired_p(eer, loss == 'cyborg', loss == 'cyborg') < 1", "paired_p(eer, loss == 'cyborg', loss == 'cyborg') < 1 cannot be decided: " +
			"paired_p(eer, loss == 'cyborg', loss == 'cyborg'): there is no p with fewer than two values of seed, or without spread", false},
	} {
		a := r.hold(c.text)
		if a.Held != c.held || a.Message != c.want {
			t.Errorf("%s\n got %v %s\nwant %v %s", c.text, a.Held, a.Message, c.held, c.want)
		}
	}
}

func TestValidate(t *testing.T) {
	for text, want := range map[string]string{
		"mean(auc, loss == 'cyborg') > mean(auc, loss == 'cross_entropy')":  "",
		"paired_p(auc, loss == 'a', loss == 'b') < 0.05 or count(auc) == 8": "",
		"abs(mean(auc, seed == 1) - 0.9) < 0.01":                            "",
		"accuracy(loss == 'a') > 0":                                         "unknown function accuracy; there are: count, difference, max, mean, min, paired_p, sd, welch_p, wins",
		"maen(auc) > 0":                                                     "unknown function maen, did you mean \"mean\"?",
		"mean(auc, los == 'cyborg') > 0":                                    "los == 'cyborg': unknown name \"los\", did you mean \"loss\"?; a row has loss, seed, set, node, and mean_sets",
		"mean(acu) > 0":                                                     "mean(acu): unknown metric acu, did you mean \"auc\"?; there are: auc, eer",
		"mean(auc)":                                                         "expected bool, but got float64",
		"mean(auc, seed) > 0":                                               "seed: expected bool, but got string",
		"mean(auc, loss == 'a', loss == 'b') > 0":                           "mean takes a metric and one condition",
		"paired_p(auc, loss == 'a') > 0":                                    "paired_p takes a metric and two conditions",
		"mean() > 0":                                                        "mean takes a metric and one condition",
		"mean(1, loss == 'a') > 0":                                          "the first argument of mean is the name of a metric",
		"mean(mean(auc)) > 0":                                               "mean(mean(auc)): the first argument of mean is the name of a metric",
		"mean(auc, mean(auc) > 0) > 0":                                      "mean(auc) > 0: unknown name \"mean(auc)\"",
		"mean(auc, loss == ) > 0":                                           "unexpected \")\"",
		"median(auc) > 0":                                                   "median",
		"1 > 0":                                                             "no function of a metric",
		"mean(auc) > 'a'":                                                   "invalid operation: > (mismatched types float64 and string)",
		"mean(auc) > limit":                                                 "unknown name \"limit\"; beside functions of metrics there are numbers only",
		"mean(auc) > eer":                                                   "unknown name \"eer\", which is a metric: write mean(eer)",
		"":                                                                  "it ends too early",
	} {
		err := Validate(text, []string{"loss", "seed", "set"}, []string{"auc", "eer"})
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "value_of_call") {
			t.Errorf("%s: the error shows a name of ours: %v", text, err)
		}
	}
}

// A mistake is shown inside of the assertion: at the token, at the name of the function, or at all of it.
func TestValidatePointsIntoTheText(t *testing.T) {
	for text, c := range map[string]struct {
		want string
		code string
	}{
		"mean(auc, loss == ) > 0":                    {")", spec.BadExpression},
		"max(auc) > 0 and méan(auc) > 0":             {"méan", spec.UnknownName},
		"max(auc) > 0 and mean(auc, los == 'a') > 0": {"los", spec.UnknownName},
		"max(auc) > 0 and mean(acu) > 0":             {"acu", spec.UnknownName},
		"'é' == 'é' and mean(auc) > eer":             {"eer", spec.UnknownName},
		"mean(auc, mean(auc) > 0) > 0":               {"mean", spec.BadExpression},
		"mean(auc)":                                  {"mean(auc)", spec.BadExpression},
	} {
		want := c.want
		var err *expression.Error
		if !errors.As(Validate(text, []string{"loss"}, []string{"auc"}), &err) {
			t.Errorf("%s is taken", text)
			continue
		}
		if got := text[err.Offset : err.Offset+err.Width]; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
		if got := spec.Code(err); got != c.code {
			t.Errorf("%s: %s, want %s", text, got, c.code)
		}
	}
}

// Whatever a condition over the rows does, it ends.
func TestConditionsOverRowsAreBounded(t *testing.T) {
	r, err := readRows(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"mean(auc, all(1..30000, all(1..30000, true))) > 0":               "too long or makes too much",
		"mean(auc, let a = 1..300000; all(a, all(a, all(a, # > 0)))) > 0": "`let` and `;` are not for specs",
		"mean(auc) > (all(1..30000, all(1..30000, true)) ? 0 : 1)":        "too long or makes too much",
		"mean(auc, now() != nil) > 0":                                     "unknown name \"now\"",
	} {
		if a := r.hold(text); a.Held || !strings.Contains(a.Message, want) {
			t.Errorf("%s: %v, %s", text, a.Held, a.Message)
		}
	}
}

func FuzzValidate(f *testing.F) {
	f.Add("mean(auc, loss == 'cyborg') > 0.5")
	f.Add("not (sd(auc) < 1 ? true : false)")
	f.Fuzz(func(_ *testing.T, text string) {
		_ = Validate(text, []string{"loss"}, []string{"auc"})
	})
}

func TestRunWritesTheOutcomeAndFailsWhereAnAssertionDoes(t *testing.T) {
	params, err := json.Marshal(Params{Assert: []string{"max(auc) > 0.9", "min(auc) > 0.5"}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	job, err := (&task.Task{Node: "gate", Params: params, Inputs: map[string][]task.Input{Summary: {{Node: "table", Path: folder(t)}}}}).In(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = Run(context.Background(), job)
	var not NotHeld
	if !errors.As(err, &not) || err.Error() != "min(auc) = 0.1 > 0.5 does not hold" {
		t.Errorf("error: %v", err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "out", "check.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got results.Check
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Held || len(got.Assertions) != 2 || !got.Assertions[0].Held || got.Assertions[1].Held {
		t.Errorf("check.json: %s", raw)
	}
}
