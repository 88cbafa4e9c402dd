package experiment_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

var update = flag.Bool("update", false, "write the golden files")

// build makes the graph of a spec on a machine with four cores.
func build(t testing.TB, path string, noFiles bool) (*graph.Graph, error) {
	t.Helper()
	doc, diags := spec.Load(path, spec.Options{Sections: stages.Sections()})
	if doc == nil {
		return nil, diags.Err()
	}
	g, err := experiment.Build(doc, stages.Kinds(), experiment.Options{Cores: 4, NoFiles: noFiles}, diags)
	if mistakes := diags.Err(); mistakes != nil {
		return nil, mistakes
	}
	return g, err
}

// describe writes a graph with all that the nodes are made of.
func describe(t testing.TB, g *graph.Graph) string {
	t.Helper()
	var out strings.Builder
	for _, n := range g.Nodes {
		fmt.Fprintf(&out, "%s (%s, %d cores", n.Name, n.Stage.Kind, n.CPUs)
		if n.GPU {
			out.WriteString(", the device")
		}
		out.WriteString(")\n")
		for _, e := range n.Needs {
			fmt.Fprintf(&out, "  %s: %s/%s\n", e.Port, e.From.Name, e.Output)
		}
		for _, file := range n.Files {
			fmt.Fprintf(&out, "  file %s\n", file)
		}
		params, err := json.Marshal(n.Params)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "  %s\n", params)
	}
	return out.String()
}

// testdata/NAME.yaml becomes the graph in testdata/NAME.golden.
func TestBuild(t *testing.T) {
	specs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(specs) == 0 {
		t.Fatalf("no specs: %v", err)
	}
	for _, path := range specs {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			g, err := build(t, path, true)
			if err != nil {
				t.Fatal(err)
			}
			got, golden := describe(t, g), strings.TrimSuffix(path, ".yaml")+".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("other than %s (go test -update writes it):\n%s", golden, d)
			}
		})
	}
}

// A spec that is right; each case below has one mistake more.
const right = `
version: 1
name: mine
datasets:
  train: {generate: {faces: {count: 4}}, saliency: {human: {maps: "maps/{name}"}}}
  unseen: {generate: {faces: {count: 4, generator: U1}}}
model: {arch: resnet_small}
losses:
  cross_entropy: [{term: cross_entropy}]
  cyborg: [{term: cross_entropy}, {term: cyborg, tap: pooled}]
train: {select: {on: train}}
stages:
  fit: {uses: train, matrix: {loss: [cross_entropy, cyborg], seed: 2}}
  score: {uses: evaluate, needs: fit, matrix: {set: [unseen]}}
  table: {uses: summary, needs: score}
`

func TestBuildSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		old, with string // what is changed in the right spec
		want      []string
	}{
		"nothing":         {"", "", nil},
		"no_stages":       {"stages:", "stages: {}\nprofiles: {main: {}}\nx-stages:", []string{`unknown key "x-stages"`}},
		"loss":            {"[cross_entropy, cyborg]", "[cross_entropy, cyborgs]", []string{`there is no loss "cyborgs", did you mean "cyborg"?; there are: cross_entropy, cyborg`}},
		"no_loss":         {"loss: [cross_entropy, cyborg], ", "", []string{`loss`}},
		"set":             {"set: [unseen]", "set: [unsen]", []string{`there is no data set "unsen", did you mean "unseen"?; there are: train, unseen`}},
		"select":          {"select: {on: train}", "select: {on: validation}", []string{`there is no data set "validation"; there are: train, unseen`}},
		"unused":          {"set: [unseen]", "set: [train]", []string{`the data set "unseen" is used by no stage`}},
		"saliency":        {"{term: cyborg, ", "{term: cyborg, map: humans, ", []string{`the data set "train" has no saliency "humans", did you mean "human"?; there are: human`}},
		"no_saliency":     {`, saliency: {human: {maps: "maps/{name}"}}`, "", []string{`the data set "train" has no saliency "human"; it has none`}},
		"arch":            {"arch: resnet_small", "arch: resnet_smal", []string{`model.arch: there is no network "resnet_smal", did you mean "resnet_small"?; there are: resnet18, `}},
		"by_arch":         {"arch: resnet_small", "arch: resnet_small, by_arch: {resnet19: {side: 64}}", []string{`model.by_arch: there is no network "resnet19", did you mean "resnet18"?`}},
		"no_script":       {"arch: resnet_small", "arch: {torchscript: net.pt, head: fc.weight, map: 7}", []string{"net.pt; write it in Python by torch.jit.script(net).save(...)"}},
		"script_and_name": {"arch: resnet_small", "arch: {torchscript: net.pt, name: resnet18}", []string{"arch: give a name or torchscript: net.pt"}},
		"half_a_head":     {"arch: resnet_small", "arch: {torchscript: net.pt, head: fc.weight}", []string{"arch: CAMs need both head, the name of the linear head's weight, and map"}},
		"no_head":         {"arch: resnet_small", "arch: {torchscript: net.pt}", []string{"model.arch.torchscript: there is no file ", "network torchscript makes no CAMs as it is: name the weight of its head"}},
		"auxiliary":       {"[{term: cross_entropy}]", "[{term: auxiliary_cross_entropy}]", []string{"auxiliary_cross_entropy needs a network with an auxiliary classifier, such as inception_v3_aux; resnet_small has none"}},
		"no_model":        {"model: {arch: resnet_small}\n", "", []string{"a spec that trains needs a model: model: {arch: resnet50}"}},
		"tap":             {"tap: pooled", "tap: layer9", []string{`layer9`}},
		"no_terms":        {"[{term: cross_entropy}]", "[]", []string{"losses.cross_entropy: at least one term is needed: [{term: cross_entropy}]"}},
		"term":            {"{term: cyborg,", "{term: cybrog,", []string{`"cybrog" is not one of cross_entropy, auxiliary_cross_entropy, cyborg, harmonization, cam_entropy, cam_log_entropy, cam_entropy_match, energy_variance, did you mean "cyborg"?`}},
		"needs_nothing":   {"needs: fit, ", "", []string{`stage "score" (evaluate) needs a stage that uses train or weights: write needs: NAME`}},
		"needs_itself":    {"needs: score}", "needs: table}", []string{`stage "table" (summary) needs a stage that uses evaluate or scores or train_log: write needs: NAME`, "the stages need each other in a circle: table needs table"}},
		"same_axis":       {"set: [unseen]", "set: [unseen], seed: 2", []string{`stage "score": the axis "seed" comes from the stage that it needs already`}},
		"kind":            {"uses: evaluate", "uses: evaluates", []string{`stage "score" uses "evaluates", which is not a kind of stage, did you mean "evaluate"?; there are: `}},
		"generated_list":  {"train: {generate", "train: {csv: x.csv, generate", []string{`the data set "train" is generated and has a list of its own: take csv away`}},
		"no_list":         {"{generate: {faces: {count: 4, generator: U1}}}", "{root: photos}", []string{`the data set "unseen" needs csv: FILE, the list of its images, or generate`}},
		"two_sources":     {`maps: "maps/{name}"`, `maps: "maps/{name}", masks: m`, []string{`the data set "train": saliency human: 2 of maps, masks, stage, combine and from are given; give one`}},
		"control":         {`{maps: "maps/{name}"}`, `{from: humans, shuffle: all}`, []string{`from: no source is called "humans"`}},
		"metric":          {"needs: score}", "needs: score, metric: acu}", []string{`there is no metric "acu", did you mean "auc"?; there are: `}},
		"mean":            {"needs: score}", "needs: score, mean: [train]}", []string{`mean: the set "train" is scored by no stage that this one needs`}},
		"chosen_on":       {"needs: score}", "needs: score, chosen_on: unsen}", []string{`chosen_on: the set "unsen" is scored by no stage that this one needs, did you mean "unseen"?; there are: unseen`}},
		"chosen":          {"needs: score}", "needs: score, tables: [acer_chosen]}", []string{`acer_chosen needs a set to choose its threshold on (chosen_on): the set "validation" is scored by no stage`}},
		"chosen_twice":    {"needs: score}", "needs: score, tables: [acer_chosen], chosen_on: nowhere}", []string{`chosen_on: the set "nowhere" is scored by no stage`}},
		"chosen_is_there": {"needs: score}", "needs: score, tables: [acer_chosen], chosen_on: unseen, baseline: cyborg}", nil},
		"baseline":        {"needs: score}", "needs: score, baseline: cros_entropy}", []string{`baseline: "cros_entropy" is no value of loss, did you mean "cross_entropy"?; there are: cross_entropy, cyborg`}},
		"no_baseline":     {"loss: [cross_entropy, cyborg], seed", "loss: [cyborg], seed", nil},
		"no_axis":         {"set: [unseen]}}\n  table: {uses: summary, needs: score}", "set: [unseen]}}\n  only: {uses: evaluate, needs: fit, set: unseen}\n  table: {uses: summary, needs: only, mean: [unseen], chosen_on: unseen}", nil},
		"assertion":       {"needs: score}", "needs: score}\n  gate: {uses: check, needs: table, assert: [\"mean(acu) > 1\"]}", []string{`acu`}},
		"assertion_axis":  {"needs: score}", "needs: score}\n  gate: {uses: check, needs: table, assert: [\"mean(auc, lose == 'cyborg') > 1\"]}", []string{`lose`}},
		"taken_name":      {"  table:", "  data.unseen: {uses: train, loss: cyborg}\n  table:", []string{`stage "data.unseen": names that begin with data. or generate. are those of the data sets' nodes`}},
		"with":            {"{generate: {faces: {count: 4, generator: U1}}}", "{generate: {faces: {count: 4, generator: U1}}, with: [ffhq]}", []string{`there is no data set "ffhq"; there are: train, unseen`}},
		"images":          {"count: 4,", "count: 5,", []string{`the data set "unseen": faces: count 5: must be even`}},
		"made_by_none":    {`{maps: "maps/{name}"}`, `{stage: mark}`, []string{`saliency.human: "mark" is not a stage; there are: fit, score, table`}},
		"made_by_fit":     {`{maps: "maps/{name}"}`, `{stage: score}`, []string{`saliency.human: the stage "score" uses evaluate, which makes no maps; saliency and annotate do`}},
		"combined":        {`{maps: "maps/{name}"}`, `{combine: "max(human, 1)"}`, []string{`combine: max(human, 1): column 5: no map is called "human"; there is no other map that is read`}},
		"several_at_once": {"seed: 2}}", "seed: 2}, batchs: 3, epochs: 0}", []string{`epochs: 0 is less than 1`, `unknown key "batchs"`}},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(right, c.old) {
				t.Fatalf("%q is not in the spec", c.old)
			}
			path := filepath.Join(t.TempDir(), "mine.yaml")
			if err := os.WriteFile(path, []byte(strings.Replace(right, c.old, c.with, 1)), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := build(t, path, false)
			var mistakes diag.Error
			if err != nil && !errors.As(err, &mistakes) {
				t.Fatalf("an error without a place: %v", err)
			}
			if len(mistakes.Diagnostics) != len(c.want) {
				t.Fatalf("%d mistakes, want %d:\n%v", len(mistakes.Diagnostics), len(c.want), err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no mistake says %q:\n%v", want, err)
				}
			}
			for _, d := range mistakes.Diagnostics {
				if d.Pos.File != path || d.Pos.Line == 0 || d.Pos.Column == 0 {
					t.Errorf("%s has no place: %v", d.Message, d.Pos)
				}
			}
		})
	}
}

// What is wrong with a list has its place in the list, and makes no mistake of the spec: the set "unseen" is not unused because
// the training that it is for cannot be wired.
func TestBuildOfBadData(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mine.yaml")
	text := strings.Replace(right, "generate: {faces: {count: 4}}", "csv: rows.csv", 1)
	for name, file := range map[string]string{path: text, filepath.Join(dir, "rows.csv"): "test,Real,a.png\ntest,Unreal,b.png\n"} {
		if err := os.WriteFile(name, []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, noFiles := range []bool{false, true} { // lists that are there are read all the same
		_, err := build(t, path, noFiles)
		var mistakes diag.Error
		if !errors.As(err, &mistakes) || len(mistakes.Diagnostics) != 1 {
			t.Fatalf("%v", err)
		}
		d := mistakes.Diagnostics[0]
		if d.Code != spec.BadRow || d.Pos != (diag.Pos{File: filepath.Join(dir, "rows.csv"), Line: 2}) || !strings.HasPrefix(d.Message, `label "Unreal" is not known`) {
			t.Errorf("%v", d)
		}
	}
}

// A list must be as long as the spec says, whether or not its images are at hand.
func TestBuildCountsImages(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mine.yaml")
	for counts, want := range map[string]string{
		"{Real: 1, Synthetic: 2}": "",
		"{Synthetic: 2}":          "",
		"{Real: 3}":               `the data set "train" has 1 Real images in`,
		"{Synthetic: 0}":          "and 0 are declared",
		"{Real: 1, Fake: 2}":      `counts: there is no class "Fake"; there are: Real, Synthetic`,
	} {
		text := strings.Replace(right, "{generate: {faces: {count: 4}}, saliency", "{csv: rows.csv, counts: "+counts+", saliency", 1)
		for name, file := range map[string]string{path: text, filepath.Join(dir, "rows.csv"): "test,Real,a.png\ntest,Synthetic,b.png\ntest,Synthetic,c.png\n"} {
			if err := os.WriteFile(name, []byte(file), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		switch _, err := build(t, path, true); {
		case want == "" && err != nil:
			t.Errorf("%s: %v", counts, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", counts, err, want)
		}
	}
}

// What a network has of its own holds wherever that one is taken, and nowhere else.
func TestBuildByArch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.yaml")
	text := strings.Replace(right, "{arch: resnet_small}", "{arch: resnet_small, init: own.pth, by_arch: {resnet18: {side: 64, dropout: 0.25, init: other.pth}, densenet121: {batch_norm: twice}}}", 1)
	text = strings.Replace(text, "matrix: {", "matrix: {arch: [resnet_small, resnet18, densenet121], ", 1)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	g, err := build(t, path, true)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, n := range g.Nodes {
		if arch, ok := n.Axis("arch"); ok && n.Stage.Kind == "train" {
			raw, err := json.Marshal(n.Params)
			if err != nil {
				t.Fatal(err)
			}
			var job struct{ Model experiment.Model }
			if err := json.Unmarshal(raw, &job); err != nil {
				t.Fatal(err)
			}
			dropout := 0.0
			if job.Model.Dropout != nil {
				dropout = *job.Model.Dropout
			}
			got[arch] = fmt.Sprint(job.Model.Side, " ", filepath.Base(job.Model.Init.From), " ", dropout, " ", job.Model.BatchNorm)
		}
	}
	want := map[string]string{"resnet_small": "96 own.pth 0 once", "resnet18": "64 other.pth 0.25 once", "densenet121": "224 own.pth 0 twice"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("models (- want, + got):\n%s", diff)
	}
}
