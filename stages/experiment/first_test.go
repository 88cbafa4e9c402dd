package experiment_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

// chained is a spec in which trainings start from pretrained encoders, and students learn from a teacher's maps.
const chained = `
version: 1
name: mine
datasets:
  train: {generate: {faces: {count: 4}}, saliency: {human: {maps: "maps/{name}"}}}
  student: {generate: {faces: {count: 4}}, saliency: {teacher: {stage: annotate}}}
model: {arch: resnet_small, init: {stage: pre, except: [fc.*]}}
losses:
  cross_entropy: [{term: cross_entropy}]
  cyborg: [{term: cross_entropy}, {term: cyborg, tap: pooled, map: teacher}]
train: {select: {on: train}}
pretrain: {validation: train}
stages:
  pre: {uses: pretrain, matrix: {seed: 2}}
  fit: {uses: train, matrix: {loss: [cross_entropy], seed: 2}}
  teacher: {uses: train, loss: cross_entropy, init: ''}
  annotate: {uses: annotate, needs: teacher, method: rise}
  pupil: {uses: train, loss: cyborg, data: student, init: {stage: teacher}}
`

func chain(t *testing.T, old, with string) (*graph.Graph, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mine.yaml")
	text := strings.Replace(chained, old, with, 1)
	if old != "" && text == chained {
		t.Fatalf("%q is not in the spec", old)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return build(t, path, true)
}

// First weights come from the node of the stage with the same values on the axes that both have.
func TestFirst(t *testing.T) {
	g, err := chain(t, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"fit[loss=cross_entropy,seed=1]": "pre[seed=1]/final.pth",
		"fit[loss=cross_entropy,seed=2]": "pre[seed=2]/final.pth",
		"teacher":                        "",
		"pupil":                          "teacher/final.pth",
		"pre[seed=1]":                    "",
	} {
		node, ok := g.Find(name)
		if !ok {
			t.Fatalf("no node %s", name)
		}
		got := ""
		for _, e := range node.Needs {
			if e.Port == "init" {
				got = e.From.Name + "/" + e.Output
			}
		}
		if got != want {
			t.Errorf("%s starts from %q, want %q", name, got, want)
		}
	}
	maps, _ := g.Find("data.student")
	found := false
	for _, e := range maps.Needs {
		found = found || e.Port == "maps.teacher" && e.From.Name == "annotate" && e.Output == "maps"
	}
	if !found {
		t.Errorf("the student's maps do not come from the teacher: %+v", maps.Needs)
	}
}

func TestFirstSaysWhatIsWrong(t *testing.T) {
	const init = "init: {stage: pre, except: [fc.*]}"
	for name, c := range map[string]struct{ old, with, want string }{
		"unknown_stage": {init, "init: {stage: prae}",
			`mine.yaml:7:35: model.init: "prae" is not a stage, did you mean "pre"?; there are: pre, fit, teacher, annotate, pupil [E207]`},
		"wrong_kind": {init, "init: {stage: annotate}", `mine.yaml:7:35: model.init: the stage "annotate" uses annotate; first weights come from one that uses train or pretrain [E109]`},
		"itself": {init, "init: {stage: fit}",
			`model.init: fit[loss=cross_entropy,seed=1] starts from the stage "fit", which starts from it or needs it, a circle; give the stage that comes first an init of its own: {uses: train, init: ''} [E208]`},
		"circle": {"init: ''", "init: {stage: pupil}", "the stage teacher needs the stage pupil needs the data set student needs the stage annotate needs the stage teacher, a circle"},
		"head":   {init, "init: {stage: pre}", `mine.yaml:7:35: model.init: the weights of pre[seed=1] do not fit: tensor fc.weight of resnet_small is not in the encoder of resnet_small; the same network is needed, but for what ` + "`except` names, such as fc.* [E109]"},
		"another_network": {"fit: {uses: train,", "fit: {uses: train, arch: resnet18,",
			`do not fit: tensor conv1.weight is 16x3x5x5 in the encoder of resnet_small, 64x3x7x7 in resnet18`},
		"too_many": {"matrix: {loss: [cross_entropy], seed: 2}", "loss: cross_entropy",
			`model.init: 2 nodes of the stage "pre" could be where fit starts, such as pre[seed=1] and pre[seed=2]; give this stage the axis in which they differ`},
		"none": {"loss: [cross_entropy], seed: 2", "loss: [cross_entropy], seed: [7]",
			`model.init: none of the 2 nodes of the stage "pre" has the axes of fit[loss=cross_entropy,seed=7]; give both stages the same values [E201]`},
		"maps_in_a_circle": {"data: student, init: {stage: teacher}}", "data: student, init: ''}\n  again: {uses: annotate, needs: pupil, set: student}\n  last: {uses: train, loss: cyborg, data: student, init: {stage: nothing}}",
			`"nothing" is not a stage`},
		"auxiliary":  {"arch: resnet_small", "arch: inception_v3_aux", "pretrain: network inception_v3_aux has an auxiliary classifier, which an autoencoder does not train; take the network without"},
		"no_map":     {"pretrain: {validation: train}", "pretrain: {validation: train, map: humans}", `the data set "train" has no saliency "humans", did you mean "human"?`},
		"no_teacher": {"needs: teacher, method: rise", "needs: pre, method: rise", `stage "annotate" (annotate)`},
		"other_tap":  {"method: rise", "tap: layer9", "network resnet_small has no module"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := chain(t, c.old, c.with); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant ... %s", err, c.want)
			}
		})
	}
}
