package lock

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

var update = flag.Bool("update", false, "write golden files")

// sampleLock is a run of two trainings, each scored on one set.
func sampleLock() *Lock {
	l := &Lock{Version: Version, Name: "mine", Spec: Spec{Digest: "blake3:00", Sources: []File{{"mine.yaml", "blake3:01"}}},
		Environment: map[string]string{"libtorch": "2.11.0", "device": "cpu", "device name": "AMD EPYC", "system": "linux/amd64"},
		Data:        []Data{{"data.train", 12, "blake3:02"}},
		Axes:        []Axis{{"seed", []string{"1", "2"}}},
		Reproduce:   Reproduce{Within: map[string]float64{"auc": 0.005}},
		Settings:    Settings{{Path: "train.epochs", Value: "4"}, {Path: "train.threads", Value: "1"}, {Path: "stages.table.needs", Value: `["score"]`}, {Path: "title", Value: `"A: b # c"`}},
	}
	for _, seed := range []string{"1", "2"} {
		fit, score := "fit[seed="+seed+"]", "score[seed="+seed+",set=u1]"
		l.Nodes = append(l.Nodes,
			Node{Name: fit, Stage: "train 2", Key: "aa" + seed, Seconds: 1.5, Threads: 1, Outputs: map[string]string{"final.pth": "blake3:f" + seed}, Tensors: true},
			Node{Name: score, Stage: "evaluate 1", Key: "bb" + seed, Threads: 1, Outputs: map[string]string{"scores.csv": "blake3:e" + seed}, Needs: []string{fit}, Tensors: true})
		l.Metrics = append(l.Metrics, Evaluation{Node: score, Set: "u1", Axes: map[string]string{"seed": seed},
			Values: map[string]float64{"auc": 0.9 + map[string]float64{"1": 0, "2": 0.03}[seed], "eer": 0.1}})
	}
	return l
}

func TestJudge(t *testing.T) {
	elsewhere := func(now *Lock) {
		now.Environment["libtorch"] = "2.12.0"
		for _, n := range now.Nodes {
			for file := range n.Outputs {
				n.Outputs[file] += "x"
			}
		}
	}
	equivalence := &Seeds{Test: Equivalence, Level: 0.05, Margin: map[string]float64{"auc": 0.005}, Axis: "seed"}
	for name, c := range map[string]struct {
		change func(now *Lock, o *Options)
		held   bool
		says   []string
	}{
		"the same": {func(*Lock, *Options) {}, true, []string{"mine reproduces L: 4 outputs the same bytes, 4 metrics equal"}},
		"one byte": {func(now *Lock, _ *Options) { now.Nodes[0].Outputs["final.pth"] = "blake3:x" }, false, []string{"1 of 4 outputs not the same bytes", "fit[seed=1]  final.pth  blake3:f1 -> blake3:x"}},
		"bytes and next": {func(now *Lock, _ *Options) {
			now.Nodes[0].Outputs["final.pth"] = "x"
			now.Nodes[1].Outputs["scores.csv"] = "y"
		}, false, []string{"2 of 4 outputs", "and 1 output of nodes that take these in"}},
		"a metric, same conditions": {func(now *Lock, _ *Options) { now.Metrics[1].Values["auc"] += 0.001 }, false,
			[]string{"score[seed=2,set=u1]  auc  0.93 -> 0.931  differs by +0.001  allowed: 0 (same conditions)"}},
		"libtorch, within": {func(now *Lock, _ *Options) {
			elsewhere(now)
			now.Metrics[1].Values["auc"] += 0.005
		}, true, []string{"reproduces L: 2 metrics within tolerance", "libtorch  2.11.0 -> 2.12.0  4 nodes", "not judged, because no tolerance is stated: eer"}},
		"libtorch, beyond": {func(now *Lock, _ *Options) {
			elsewhere(now)
			now.Metrics[1].Values["auc"] -= 0.0051
		}, false, []string{"differs by -0.0051  allowed: 0.005 (within)"}},
		"libtorch, the same bytes": {func(now *Lock, o *Options) {
			now.Environment["libtorch"] = "2.12.0"
			o.Reproduce = Reproduce{Seeds: equivalence}
		}, true, []string{"reproduces L: 4 outputs the same bytes (none of them had to be), 4 metrics equal\n", "libtorch  2.11.0 -> 2.12.0  4 nodes"}},
		"libtorch, the same bytes, another metric": {func(now *Lock, _ *Options) {
			now.Environment["libtorch"] = "2.12.0"
			now.Metrics[1].Values["auc"] += 0.001
		}, false, []string{"1 of 4 metrics not equal", "differs by +0.001  allowed: 0 (same bytes)"}},
		"libtorch, other bytes, over seeds": {func(now *Lock, o *Options) {
			elsewhere(now)
			o.Reproduce = Reproduce{Seeds: equivalence}
		}, false, []string{"does not reproduce L: 1 test over seeds not held", "means differ by 0"}},
		"threads, the same bytes": {func(now *Lock, _ *Options) { now.Nodes[0].Threads = 2 }, true,
			[]string{"4 outputs the same bytes (2 of them had to be), 4 metrics equal\n", "threads  1 -> 2  1 node"}},
		"one seed of other bytes, over seeds": {func(now *Lock, o *Options) {
			now.Environment["libtorch"] = "2.12.0"
			now.Nodes[3].Outputs["scores.csv"] = "x"
			o.Reproduce = Reproduce{Seeds: equivalence}
		}, false, []string{"3 outputs the same bytes (none of them had to be), 2 metrics equal, 1 test over seeds not held"}},
		"bytes never, the same bytes": {func(now *Lock, o *Options) {
			o.Bytes = Never
			o.Reproduce = Reproduce{Seeds: equivalence}
		}, false, []string{"1 test over seeds not held"}},
		"libtorch, and no tolerance": {func(now *Lock, o *Options) {
			elsewhere(now)
			o.Reproduce = Reproduce{}
		}, false, []string{"mine cannot be judged by L: nothing was judged", "\nnothing says how close"}},
		"threads of one": {func(now *Lock, _ *Options) {
			now.Nodes[0].Threads = 2
			now.Nodes[0].Outputs["final.pth"] = "x"
			now.Nodes[1].Outputs["scores.csv"] = "y"
		}, true, []string{"2 outputs the same bytes", "threads  1 -> 2  1 node"}},
		"revision": {func(now *Lock, _ *Options) { now.Nodes[0].Stage = "train 3"; now.Nodes[0].Outputs["final.pth"] = "x" }, true, []string{"revision of the stage  train 2 -> train 3"}},
		"bytes always": {func(now *Lock, o *Options) {
			o.Bytes = Always
			now.Nodes[0].Threads = 2
			now.Nodes[0].Outputs["final.pth"] = "x"
		}, false, []string{"1 of 4 outputs not the same bytes"}},
		"bytes never":       {func(now *Lock, o *Options) { o.Bytes = Never; now.Nodes[0].Outputs["final.pth"] = "x" }, true, []string{"2 metrics within tolerance"}},
		"a metric is gone":  {func(now *Lock, o *Options) { o.Bytes = Never; delete(now.Metrics[0].Values, "auc") }, false, []string{"0.9 -> undefined  is undefined on one side"}},
		"a node is missing": {func(now *Lock, _ *Options) { now.Nodes = now.Nodes[:3]; now.Metrics = now.Metrics[:1] }, false, []string{"score[seed=2,set=u1]", "1 node missing"}},
		"an exception": {func(now *Lock, o *Options) {
			o.Bytes = Never
			now.Metrics[1].Values["auc"] += 0.02
			o.Reproduce.Except = []Except{{"score[seed=2*", map[string]float64{"auc": 0.02}}}
		}, true, nil},
		"an exception elsewhere": {func(now *Lock, o *Options) {
			o.Bytes = Never
			now.Metrics[0].Values["auc"] += 0.02
			o.Reproduce.Except = []Except{{"score[seed=2*", map[string]float64{"auc": 0.02}}}
		}, false, nil},
		"another spec": {func(now *Lock, _ *Options) { now.Settings[0].Value = "5"; now.Nodes[0].Outputs["final.pth"] = "x" }, true, []string{"train.epochs  4 -> 5", "no bytes are demanded"}},
	} {
		t.Run(name, func(t *testing.T) {
			was, now := sampleLock(), sampleLock()
			o := Options{Bytes: Auto, Reproduce: was.Reproduce}
			c.change(now, &o)
			r := Judge(was, now, o)
			r.Ask()
			r.Lock = "L"
			var text bytes.Buffer
			r.Text(&text)
			if r.Held != c.held {
				t.Errorf("held %v, want %v\n%s", r.Held, c.held, &text)
			}
			for _, want := range c.says {
				if !strings.Contains(text.String(), want) {
					t.Errorf("it does not say %q:\n%s", want, &text)
				}
			}
			junitAgrees(t, r)
		})
	}
}

// junitAgrees reads the XML as a CI system does: the counts are those of the cases, and there are failures or errors where
// the report does not hold.
func junitAgrees(t *testing.T, r *Report) {
	t.Helper()
	var out bytes.Buffer
	if err := r.JUnit(&out); err != nil {
		t.Fatal(err)
	}
	var read suites
	if err := xml.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	tests, failures, erred := 0, 0, 0
	for _, s := range read.Suites {
		for _, c := range s.Cases {
			tests++
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				erred++
			}
			for _, f := range []*failure{c.Failure, c.Error} {
				if f != nil && (f.Message == "" || f.Text == "") {
					t.Errorf("a failure without words: %+v", c)
				}
			}
		}
	}
	if tests != read.Tests || failures != read.Failures || erred != read.Errors || (failures+erred == 0) != (r.Held && !r.Changed) {
		t.Errorf("%d cases, %d failures and %d errors, said %d, %d and %d; held %v\n%s", tests, failures, erred, read.Tests, read.Failures, read.Errors, r.Held, &out)
	}
}

func TestTolerancesAreDecimal(t *testing.T) {
	for _, c := range []struct{ a, b, allowed float64 }{{0.9, 0.905, 0.005}, {0.905, 0.9, 0.005}, {0.3, 0.1, 0.2}, {1, 0.99, 0.01}} {
		if off(c.a, c.b, c.allowed) > 0 {
			t.Errorf("%v and %v are not within %v", c.a, c.b, c.allowed)
		}
		if off(c.a, c.b, c.allowed*0.999) <= 0 {
			t.Errorf("%v and %v are within %v", c.a, c.b, c.allowed*0.999)
		}
	}
	if off(0.5, math.Nextafter(0.5, 1), 0) <= 0 {
		t.Error("equal is equal")
	}
}

func TestAcrossSeeds(t *testing.T) {
	with := func(values ...float64) *Lock {
		l := &Lock{}
		for i, v := range values {
			l.Metrics = append(l.Metrics, Evaluation{Node: fmt.Sprintf("score[loss=a,seed=%d,set=u]", i), Set: "u",
				Axes: map[string]string{"loss": "a", "seed": fmt.Sprint(i)}, Values: map[string]float64{"auc": v}})
		}
		return l
	}
	equivalence := Seeds{Test: Equivalence, Level: 0.05, Margin: map[string]float64{"auc": 0.05}, Axis: "seed"}
	welch := Seeds{Test: Welch, Level: 0.05, Axis: "seed"}
	for name, c := range map[string]struct {
		was, now *Lock
		s        Seeds
		held     bool
	}{
		"close":                   {with(0.90, 0.91, 0.92), with(0.905, 0.915, 0.925, 0.91), equivalence, true},
		"too far":                 {with(0.90, 0.91, 0.92), with(0.96, 0.97, 0.98), equivalence, false},
		"too wide to tell":        {with(0.8, 0.9, 1.0), with(0.8, 0.9, 1.0), equivalence, false},
		"one seed":                {with(0.9), with(0.9), equivalence, false},
		"no spread":               {with(0.9, 0.9), with(0.93, 0.93), equivalence, true},
		"no spread, far":          {with(0.9, 0.9), with(0.96, 0.96), equivalence, false},
		"welch, wide":             {with(0.8, 0.9, 1.0), with(0.8, 0.9, 1.0), welch, true},
		"welch, apart":            {with(0.90, 0.91, 0.92), with(0.96, 0.97, 0.98), welch, false},
		"welch, one seed":         {with(0.9), with(0.9), welch, false},
		"welch, no spread, equal": {with(0.9, 0.9), with(0.9, 0.9), welch, true},
		"welch, no spread, apart": {with(0.9, 0.9), with(0.91, 0.91), welch, false},
	} {
		tests := acrossSeeds(c.was, c.now, c.s, settled{})
		if len(tests) != 1 || tests[0].Held != c.held || tests[0].name() != "score[loss=a] on u" {
			t.Errorf("%s: %+v, want held %v", name, tests, c.held)
		}
	}
}

var ignore = cmp.Options{cmpopts.IgnoreTypes(diag.Pos{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Node{}, "Needs", "Tensors")}

func TestReadWhatIsWritten(t *testing.T) {
	l := sampleLock()
	got, err := Read("x", l.YAML())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(l, got, ignore); d != "" {
		t.Error(d)
	}
	golden := filepath.Join("testdata", "mine.lock.yaml")
	if *update {
		if err := os.WriteFile(golden, l.YAML(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(want, l.YAML()) {
		t.Errorf("the format changed (%v): -update writes testdata/mine.lock.yaml, and Version may have to rise\n%s", err, l.YAML())
	}
}

// Whatever the texts and numbers are, a lock reads back as it was written.
func TestReadWhatIsWrittenProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"yes", "null", "1e5", "~", "- a", "a: b", "#", "", "2026-01-02", "0x1f", "<<", "!!str", "&a", "*a", " a ", "[", "a,b", "1_000", "=", ".inf"}))
		f := rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) })
		l := &Lock{Version: Version, Name: word.Draw(t, "name"),
			Spec:        Spec{Digest: word.Draw(t, "digest"), Profile: word.Draw(t, "profile"), Set: rapid.SliceOf(word).Draw(t, "set")},
			Environment: rapid.MapOf(word, word).Draw(t, "environment"),
			Axes:        rapid.SliceOf(rapid.Custom(func(t *rapid.T) Axis { return Axis{word.Draw(t, "axis"), rapid.SliceOfN(word, 1, 3).Draw(t, "values")} })).Draw(t, "axes"),
			Metrics: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Evaluation {
				return Evaluation{Node: word.Draw(t, "node"), Set: word.Draw(t, "set"), Axes: rapid.MapOf(word, word).Draw(t, "axes"), Values: rapid.MapOf(word, f).Draw(t, "values")}
			}), 0, 3).Draw(t, "metrics"),
			Nodes: []Node{{Name: word.Draw(t, "node"), Stage: word.Draw(t, "stage"), Key: word.Draw(t, "key"), Outputs: rapid.MapOf(word, word).Draw(t, "outputs")}},
		}
		for i, v := range rapid.SliceOfN(word, 0, 4).Draw(t, "settings") {
			l.Settings = append(l.Settings, Setting{Path: fmt.Sprintf("a.%d", i), Value: asJSON(v)}, Setting{Path: fmt.Sprintf("b.%d", i), Value: asJSON([]any{v, i, true})})
		}
		got, err := Read("x", l.YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, l.YAML())
		}
		if d := cmp.Diff(l, got, ignore); d != "" {
			t.Fatalf("%s\n%s", d, l.YAML())
		}
	})
}

const good = "version: 1\nname: a\nspec: {digest: x}\nnodes: []\n"

func TestHostileLocks(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":         {"", "x: this is no lock: a map of keys"},
		"a list":        {"- a", "x: this is no lock: a map of keys"},
		"no yaml":       {"a: [", "x: this is no YAML"},
		"binary":        {"\x00\xff", "x: this is no YAML"},
		"no version":    {"name: a", "x: this is no lock: it has no version"},
		"version 99":    {"version: 99\nfuture: true", "x:1:10: version: this cyborg-run reads locks of version 1, not 99"},
		"a spec":        {"version: 1\nname: a\nstages: {fit: {uses: train}}", `x:3:1: unknown key "stages" in the lock`},
		"missing":       {"version: 1\nname: a\nspec: {}\n", "x:3:7: spec has no digest"},
		"no nodes":      {"version: 1\nname: a\nspec: {digest: x}\n", "the lock has no nodes"},
		"wrong type":    {good + "metrics: [{node: a, set: b, values: {auc: high}}]", `x:5:43: values.auc: a number is needed, this is text ("high")`},
		"not a number":  {good + "metrics: [{node: a, set: b, values: {auc: .nan}}]", "x:5:43: values.auc: a number is needed, this is .nan"},
		"a map is text": {good + "environment: cpu", `x:5:14: environment: a map is needed, this is text ("cpu")`},
		"an alias":      {good + "environment: {a: &a b, c: *a}", "x:5:27: environment.c: text is needed, this is an alias, which a lock has none of"},
		"a bomb":        {"version: 1\nname: &a [x,x]\nspec: {digest: *a}\nnodes: [*a,*a]", "x:3:16: spec.digest: text is needed, this is an alias"},
		"twice":         {good + "name: b", `x:5:1: the lock: "name" is given twice, first in line 2`},
		"nodes twice":   {"version: 1\nname: a\nspec: {digest: x}\nnodes: [{name: n, stage: s, key: k}, {name: n, stage: s, key: k}]", "nodes: n is there twice"},
		"negative":      {good + "data: [{name: a, files: -1, digest: x}]", "x:5:25: files: a whole number is needed, this is -1"},
		"tolerance":     {good + "reproduce: {within: {auc: -1}}", "x:5:12: reproduce.within.auc: -1: a tolerance is 0 or more"},
		"test":          {good + "reproduce: {seeds: {test: anova, level: 0.05, axis: seed}}", `reproduce.seeds.test: "anova" is neither equivalence nor welch`},
		"deep":          {good + "settings: " + strings.Repeat("[", 20000), "x: this is no YAML"},
		"deep setting":  {good + "settings: {a: [[1]]}", "x:5:16: settings.a: a list of scalars is needed"},
		"huge":          {good + "#" + strings.Repeat("x", maxBytes), "x: the lock has more than 32 MiB"},
		"tagged":        {good + "environment: {a: !!binary aGk=}", "x:5:18: environment.a: text is needed"},
	} {
		_, err := Read("x", []byte(c.text))
		var mistakes diag.Error
		if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
	if _, err := Read("x", []byte(good)); err != nil {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(sampleLock().YAML())
	f.Add([]byte(good + "reproduce: {within: {auc: 0.1}, except: [{nodes: 'a*', within: {auc: 1}}], seeds: {test: welch, level: 0.1, axis: seed}}"))
	f.Add([]byte(good + "settings: {a: [1, x, null], b: {}, c: 2026-01-02, d: 0x1f}"))
	f.Add([]byte("version: 1\na: &a [*a]"))
	f.Add([]byte("? [a]\n: b\nversion: 1"))
	f.Add([]byte("version: 99"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := Read("x", raw)
		if err != nil {
			return
		}
		again, err := Read("x", l.YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, l.YAML())
		}
		if d := cmp.Diff(l, again, ignore, cmpopts.IgnoreFields(Node{}, "Seconds")); d != "" {
			t.Fatalf("%s\n%s", d, l.YAML())
		}
		r := Judge(l, again, Options{Bytes: Auto, Reproduce: l.Reproduce})
		if err := r.JUnit(io.Discard); err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		r.Text(io.Discard)
		Differ("a", l, "b", again).Text(io.Discard)
	})
}

// What is a place, a number of threads or words does not make another experiment.
func TestWhatCounts(t *testing.T) {
	for path, want := range map[string]bool{
		"train.epochs": true, "losses.cyborg.1.weight": true, "datasets.train.where": true, "stages.fit.matrix.seed": true, "model.arch": true,
		"datasets.train.csv": false, "datasets.train.saliency.human.maps": false, "train.threads": false, "stages.score.threads": false,
		"title": false, "params.seeds": false, "reproduce.within.auc": false, "stages.fit.resources.cpus": false, "stages.fit.limits.time": false, "train.checkpoint.steps": false,
	} {
		a := &Lock{Settings: Settings{{Path: path, Value: "1"}}}
		b := &Lock{Settings: Settings{{Path: path, Value: "2"}}}
		if c := Compare(a, b); c.Changed() != want || len(c.Settings) != 1 || (a.Settings.Digest() != b.Settings.Digest()) != want {
			t.Errorf("%s: %+v, want %v", path, c, want)
		}
	}
}
