package earlier

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// What Python's json.dump writes of the authors' log: lists that grow by a value an epoch, NaN among them.
const pythonLog = `
import json, sys, math
log = {'iterations': [0.7, 0.6, math.nan, 0.5], 'epoch': [0.65, math.inf], 'validation': [0.69, -math.inf],
       'train_acc': [0.5, 0.75], 'val_acc': [0.5, 1.0], 'a "NaN" text': 'NaN \\" Infinity'}
json.dump(log, sys.stdout)`

func TestLogAsPythonWritesIt(t *testing.T) {
	log, err := ParseLog(testenv.RunPython(t, pythonLog))
	if err != nil {
		t.Fatal(err)
	}
	want := "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,lr\n1,0.65,0.5,0.69,0.5,\n2,,0.75,,1,\n"
	if got := log.History(); got != want {
		t.Errorf("history:\n%s\nwant:\n%s", got, want)
	}
	if len(log.Iterations) != 4 || log.Iterations[2] != nil {
		t.Errorf("iterations: %v", log.Iterations)
	}
}

func TestBadLogs(t *testing.T) {
	for text, want := range map[string]string{
		``:                                  "unexpected end of JSON input",
		`[1]`:                               "no log of the authors' training code",
		`{}`:                                "no finished epoch",
		`{"epoch": [1, "a"]}`:               "no log of the authors' training code",
		`{"epoch": [1, 2], "val_acc": [1]}`: `"val_acc" has 1 values, "epoch" has 2`,
	} {
		if _, err := ParseLog([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

func TestFormsOfScores(t *testing.T) {
	none := metrics.Unlabelled
	for name, c := range map[string]struct {
		text, of string
		want     []metrics.Score
	}{
		"test.py":                            {"/home/me/a.png,0.25\n/home/me/b.png,1e-3\n", "", []metrics.Score{{Path: "/home/me/a.png", Class: none, Score: 0.25}, {Path: "/home/me/b.png", Class: none, Score: 0.001}}},
		"match scores":                       {"a.png,0,0.25\nb.png,1.0,1\n", "", []metrics.Score{{Path: "a.png", Label: "Real", Score: 0.25}, {Path: "b.png", Label: "Synthetic", Class: 1, Score: 1}}},
		"our scores.csv":                     {"path,label,score\na.png,Synthetic,0.25\n", "", []metrics.Score{{Path: "a.png", Label: "Synthetic", Class: 1, Score: 0.25}}},
		"Grains":                             {"a.png,0.5,Live,first\nb.png,0.75,Spoof,second\n", "second", []metrics.Score{{Path: "b.png", Label: "Synthetic", Class: 1, Score: 0.75}}},
		"test.py, a comma in the first path": {"/x/a,b.png,0.25\n/x/c.png,0.5\n", "", []metrics.Score{{Path: "/x/a,b.png", Class: none, Score: 0.25}, {Path: "/x/c.png", Class: none, Score: 0.5}}},
		"test.py, commas in a later path":    {"/x/c.png,0.5\n/x/d,e/a, b,1.jpg,0.25\n", "", []metrics.Score{{Path: "/x/c.png", Class: none, Score: 0.5}, {Path: "/x/d,e/a, b,1.jpg", Class: none, Score: 0.25}}},
		"test.py, a comma in quotes":         {"\"/x/a,b.png\",0.25\n\"/x/a,b\",0.5\n", "", []metrics.Score{{Path: "/x/a,b.png", Class: none, Score: 0.25}, {Path: "/x/a,b", Class: none, Score: 0.5}}},
		"match scores, a comma":              {"a,b.png,1,0.25\nReal,0.png,Real,1\n", "", []metrics.Score{{Path: "a,b.png", Label: "Synthetic", Class: 1, Score: 0.25}, {Path: "Real,0.png", Label: "Real", Score: 1}}},
		"Grains, a comma":                    {"a,b.png,0.5,Live,1\nc.png,0.75,Spoof,1\n", "1", []metrics.Score{{Path: "a,b.png", Label: "Real", Score: 0.5}, {Path: "c.png", Label: "Synthetic", Class: 1, Score: 0.75}}},
		"header, a comma":                    {"path,score\na,b.png,0.5\n", "", []metrics.Score{{Path: "a,b.png", Class: none, Score: 0.5}}},
		"header, CRLF, BOM":                  {"\ufeffpath,score\r\na.png,0.5\r\n", "", []metrics.Score{{Path: "a.png", Class: none, Score: 0.5}}},
	} {
		got, err := ParseScores([]byte(c.text), c.of)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (- want, + got):\n%s", name, diff)
		}
	}
}

func TestBadScores(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "no rows",
		"path,score\n":                  "no rows",
		"a\n":                           "1 fields; known are",
		"a,1\nb,x\n":                    `line 2: score "x" is no finite number`,
		"a,1\nb,NaN\n":                  `line 2: score "NaN" is no finite number`,
		"a,1\nb,1,2\n":                  "line 2: wrong number of fields: 3, and the first row has 2; a path with commas goes in quotes",
		"a.png,1\nb.png,Real,1\n":       "line 2: wrong number of fields: 3, and the first row has 2",
		"a.png,0,1\nb,c.png,1\n":        `line 2: unknown label "c.png"`,
		"path,label,score\nb,c.png,1\n": `line 2: unknown label "c.png"`,
		"a,Dog,1\n":                     `line 1: unknown label "Dog"`,
		"a.png,Dog,1\n":                 `line 1: unknown label "Dog"`,
		"a.png,0.5,1\n":                 `line 1: unknown label "0.5"`,
		"/x/a,b,1\n":                    `line 1: unknown label "b"`,
		"a,b,c,d,1\n":                   "line 1: 5 fields; known are",
		"a.png,0,x\n":                   `line 1: score "x" is no finite number`,
		"a.png,1e999\n":                 `line 1: score "1e999" is no finite number`,
		"of:a,1\n":                      "cannot be looked for",
		"of:a,1,Real,other\n":           `no row is of the data set "mine"`,
		"path,score\nscore,path\n":      `line 2: score "path" is no finite number`,
	} {
		of := ""
		if strings.HasPrefix(text, "of:") {
			of = "mine"
		}
		if _, err := ParseScores([]byte(strings.TrimPrefix(text, "of:")), of); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func TestLabelsComeFromTheList(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(list, []byte("test,Real,/real/1.png\ntest,Synthetic,/fake/1.png\ntest,Synthetic,/fake/2.png\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	lists := []experiment.List{{CSV: list}}
	for name, c := range map[string]struct {
		paths   []string
		missing string
		want    string // paths of the rows, in order, or an error
	}{
		"whole paths of another machine": {[]string{"/scratch/x/fake/2.png", "/scratch/x/real/1.png", "C:\\data\\fake\\1.png"}, "", "/real/1.png /fake/1.png /fake/2.png"},
		"a name alone, where one fits":   {[]string{"2.png"}, "skip", "/fake/2.png"},
		"a name alone, where two fit":    {[]string{"1.png"}, "skip", "1.png may be /real/1.png or /fake/1.png"},
		"in no list":                     {[]string{"/x/fake/3.png"}, "skip", "/x/fake/3.png is in no list"},
		"twice":                          {[]string{"/x/fake/2.png", "2.png"}, "skip", "both scores of /fake/2.png"},
		"some are missing":               {[]string{"2.png"}, "fail", "2 of 3 images of u have no score, such as /real/1.png"},
	} {
		var scores []metrics.Score
		for i, p := range c.paths {
			scores = append(scores, metrics.Score{Path: p, Score: float64(i)})
		}
		rows, err := label(scores, ScoresJob{ScoresParams: ScoresParams{Set: "u", Missing: c.missing}, Lists: lists})
		var got []string
		for _, r := range rows {
			got = append(got, r.Path)
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if text := strings.Join(got, " "); !strings.Contains(text, c.want) {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
	}
}

// Labels of an earlier program that are not the list's are no scores of it.
func TestLabelsThatContradictTheList(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(list, []byte("test,Real,/1.png\ntest,Synthetic,/2.png\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	job := ScoresJob{ScoresParams: ScoresParams{Set: "u"}, Lists: []experiment.List{{CSV: list}}}
	as := func(first, second int) []metrics.Score {
		return []metrics.Score{{Path: "1.png", Label: metrics.Label(first), Class: first}, {Path: "2.png", Label: metrics.Label(second), Class: second}}
	}
	if rows, err := label(as(metrics.Real, metrics.Synthetic), job); err != nil || len(rows) != 2 {
		t.Errorf("%v %v", rows, err)
	}
	want := "1 of 2 labels of the scores are not those of the list, such as /2.png, Real in the file and Synthetic in the list"
	if _, err := label(as(metrics.Real, metrics.Real), job); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func FuzzParseLog(f *testing.F) {
	f.Add([]byte(`{"epoch": [NaN, 1e3, -Infinity], "iterations": ["\"NaN"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if log, err := ParseLog(raw); err == nil && strings.Count(log.History(), "\n") != 1+len(log.Epoch) {
			t.Errorf("%d epochs: %q", len(log.Epoch), log.History())
		}
	})
}

func FuzzParseEarlierScores(f *testing.F) {
	f.Add([]byte("a,1\nb,2\n"), "")
	f.Add([]byte("a,1,Real,x\n"), "x")
	f.Fuzz(func(t *testing.T, raw []byte, of string) {
		rows, err := ParseScores(raw, of)
		if err == nil {
			metrics.Evaluate(metrics.Split(rows))
		}
	})
}
