package human

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

func read(t *testing.T, f fake) *data {
	t.Helper()
	raw, err := os.ReadFile(f.trials())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := study.ParseTrials("trials.csv", raw, "generator", nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := gather("trials.csv", rows, known{map[string]string{}, map[string]string{}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// crossedStudy is a full design of people x images whose chance of a right answer is 0.65 plus an effect of each; truth is the
// expected accuracy over all people and images.
func crossedStudy(seed uint64, people, images int) (d *data, truth float64) {
	chance := rand.New(rand.NewPCG(seed, 99))
	d = &data{people: make([]string, people), items: make([]string, images), groups: []string{""}}
	effect := make([]float64, images)
	for i := range effect {
		effect[i] = 0.3 * (chance.Float64() - 0.5)
	}
	for p := range people {
		skill := 0.3 * (chance.Float64() - 0.5)
		for i := range images {
			right := chance.Float64() < 0.65+skill+effect[i]
			d.trials = append(d.trials, trial{person: p, item: i, signal: true, said: right, Row: study.Row{Time: math.NaN()}})
		}
	}
	return d, 0.65
}

// What is reported for a study of six trials, by hand.
func TestByHand(t *testing.T) {
	f := fake{dir: t.TempDir()}
	put(t, f.trials(), header+
		"a,1.png,Real,2,false,Real,\n"+
		"a,2.png,Synthetic,8,true,Synthetic,\n"+
		"a,3.png,Real,1,true,Synthetic,\n"+
		"b,1.png,Synthetic,4,true,Real,\n"+
		"b,2.png,Synthetic,4,false,Synthetic,\n"+
		"b,3.png,Synthetic,1,false,Synthetic,\n")
	h := f.run(t, Params{})
	for _, c := range []struct {
		name, condition string
		want            float64
		trials          int
	}{
		{"accuracy", "all", 4.0 / 6, 6},
		{"accuracy", "free", 1, 3},
		{"accuracy", "annotated", 1.0 / 3, 3},
		{"accuracy", "annotated - free", -2.0 / 3, 6},
		{"accuracy_real", "all", 0.5, 2},
		{"accuracy_synthetic", "annotated", 0.5, 2},
		{"time", "free", 2, 3}, // the cube root of 2 x 4 x 1
		{"dprime", "free", 1.6418, 3},
	} {
		m := h.Find(c.name, c.condition, "", "")
		if m == nil || math.Abs(m.Value-c.want) > 5e-4 || m.Trials != c.trials {
			t.Errorf("%s, %s: %+v, want %g of %d trials", c.name, c.condition, m, c.want, c.trials)
		}
	}
	if h.Participants != 2 || h.Images != 3 || h.Trials != 6 || *h.People[0].MedianTime != 2 {
		t.Errorf("%+v", h)
	}
}

// The same trials and seed give the same numbers; another seed gives other intervals.
func TestSeeded(t *testing.T) {
	f := newFake(t, 3, 6, 12, false)
	first := f.run(t, Params{Seed: 1})
	if d := cmp.Diff(first, f.run(t, Params{Seed: 1})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(first.Measures, f.run(t, Params{Seed: 2}).Measures); d == "" {
		t.Error("another seed gives the same intervals")
	}
}

func TestExclusions(t *testing.T) {
	trials := "participant,image,answer,time,annotated,label,check\n" +
		"good,1.png,Real,2,false,Real,\n" +
		"good,2.png,Synthetic,2,false,Synthetic,\n" +
		"good,3.png,Synthetic,2,false,Synthetic,\n" +
		"good,1.png,Real,2,false,Real,passed\n" +
		"careless,1.png,Synthetic,2,false,Real,\n" +
		"careless,2.png,Synthetic,0.1,false,Synthetic,\n" +
		"careless,1.png,Real,2,false,Real,failed\n" +
		"careless,2.png,Real,2,false,Real,failed\n" +
		"slow,1.png,Real,500,false,Real,\n" +
		"slow,2.png,Synthetic,,false,Synthetic,\n"
	for name, c := range map[string]struct {
		rules  Exclude
		people int
		trials int
		want   []results.HumanExclusion
		err    string
	}{
		"none":           {people: 3, trials: 7},
		"named":          {rules: Exclude{Participants: []string{"slow"}}, people: 2, trials: 5, want: []results.HumanExclusion{{Rule: "named in the spec", Participants: 1, Trials: 2}}},
		"checks":         {rules: Exclude{FailedChecks: 2}, people: 2, trials: 5, want: []results.HumanExclusion{{Rule: "failed 2 or more attention checks", Participants: 1, Trials: 2}}},
		"enough_checks":  {rules: Exclude{FailedChecks: 3}, people: 3, trials: 7, want: []results.HumanExclusion{{Rule: "failed 3 or more attention checks"}}},
		"too_fast":       {rules: Exclude{FasterThan: 0.2}, people: 3, trials: 6, want: []results.HumanExclusion{{Rule: "answered in less than 0.2 s", Trials: 1}}},
		"too_slow":       {rules: Exclude{SlowerThan: 60}, people: 3, trials: 6, want: []results.HumanExclusion{{Rule: "answered after more than 60 s", Trials: 1}}},
		"too_few_behind": {rules: Exclude{FasterThan: 0.2, MinTrials: 2}, people: 2, trials: 5, want: []results.HumanExclusion{{Rule: "answered in less than 0.2 s", Trials: 1}, {Rule: "fewer than 2 trials left", Participants: 1, Trials: 1}}},
		"nobody_left":    {rules: Exclude{MinTrials: 100}, err: "leave no trial"},
		"unknown":        {rules: Exclude{Participants: []string{"nobody"}}, err: `there is no participant "nobody"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := fake{dir: t.TempDir()}
			put(t, f.trials(), trials)
			h, err := f.try(t, Job{Params: Params{Exclude: c.rules}, Path: f.trials()})
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("%v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Participants != c.people || h.Trials != c.trials || len(h.People) != 3 {
				t.Errorf("%d people with %d trials, %d are listed", h.Participants, h.Trials, len(h.People))
			}
			if d := cmp.Diff(c.want, h.Excluded); d != "" {
				t.Error(d)
			}
		})
	}
}

// Labels and groups from a data set's list, and labels from the scores, serve as those in the trials do.
func TestJoined(t *testing.T) {
	whole := newFake(t, 4, 5, 12, false)
	want := whole.run(t, Params{})
	raw, err := os.ReadFile(whole.trials())
	if err != nil {
		t.Fatal(err)
	}
	var bare, list strings.Builder
	bare.WriteString("participant,image,answer,time,annotated\n")
	list.WriteString("label,path,generator\n")
	seen := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n")[1:] {
		field := strings.Split(line, ",")
		bare.WriteString(strings.Join(field[:5], ",") + "\n")
		if !seen[field[1]] {
			seen[field[1]] = true
			list.WriteString(field[5] + ",/" + field[1] + "," + field[6] + "\n")
		}
	}
	put(t, whole.trials(), bare.String())
	file := filepath.Join(whole.dir, "list.csv")
	put(t, file, list.String())
	got, err := whole.try(t, Job{Path: whole.trials(), Lists: []experiment.List{{CSV: file}}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want.Measures, got.Measures); d != "" {
		t.Error(d)
	}
}

func TestBadStudies(t *testing.T) {
	for name, c := range map[string]struct{ trials, err string }{
		"label_unknown": {"participant,image,answer,annotated\na,1.png,Real,true\n", "trials.csv:2: whether 1.png is real is not known"},
		"two_labels":    {header + "a,1.png,Real,1,true,Real,\nb,1.png,Real,1,true,Synthetic,\n", "trials.csv:3: 1.png is Synthetic here and Real elsewhere"},
		"twice":         {header + "a,1.png,Real,1,true,Real,\na,/1.png,Real,1,true,Real,\n", "trials.csv:3: a answered for 1.png in line 2 already"},
		"both_kinds":    {"participant,image,answer,annotated,label,pair\na,1.png,Real,1,Real,\na,2.png,Real,1,Real,3.png\n", "single images and pairs in one file"},
		"pair_of_equals": {"participant,image,answer,annotated,label,pair\na,1.png,Real,1,Real,2.png\na,2.png,Real,1,Real,1.png\n",
			"trials.csv:3: 2.png and 1.png are both Real"},
		"only_checks": {"participant,image,answer,annotated,label,check\na,1.png,Real,1,Real,passed\n", "no trials beside attention checks"},
		"no_answers":  {header, "no rows"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fake{dir: t.TempDir()}
			put(t, f.trials(), c.trials)
			if _, err := f.try(t, Job{Path: f.trials()}); err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v, want %q", err, c.err)
			}
		})
	}
}

// Two images of one path in different sets are told apart by nobody.
func TestScoresThatContradict(t *testing.T) {
	f := newFake(t, 4, 5, 12, false)
	f.scores[1] = filepath.Join(f.dir, "other")
	put(t, filepath.Join(f.scores[1], "scores.csv"), "path,label,score\n/g0/0.png,Real,0.123\n")
	if _, err := readModels(nil, "loss", "seed", known{}); err != nil {
		t.Fatal(err)
	}
	k := known{map[string]string{}, map[string]string{}}
	into := map[string]float64{}
	err := readScores(filepath.Join(f.scores[0], "scores.csv"), into, k)
	if err == nil {
		err = readScores(filepath.Join(f.scores[1], "scores.csv"), into, k)
	}
	if err == nil || !strings.Contains(err.Error(), "name the one that people saw by `set`") {
		t.Error(err)
	}
}
