package trained_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/internal/trained/trainedtest"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// First weights come from the input of another node before anything that the spec names, and what has no place in the network
// is said, or left aside in silence.
func TestBegin(t *testing.T) {
	path, _ := trainedtest.Save(t)
	network, err := experiment.Network(trainedtest.Small())
	if err != nil {
		t.Fatal(err)
	}
	begin := func(init experiment.Init, made string, aside ...string) (*trained.First, string, error) {
		dir := t.TempDir()
		tk := &task.Task{Node: "fit", Params: json.RawMessage("{}"), Device: "cpu", Threads: 1, Inputs: map[string][]task.Input{}}
		if made != "" {
			tk.Inputs[experiment.FirstPort] = []task.Input{{Node: "pre[seed=1]", Path: made}}
		}
		tk, err := tk.In(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := tk.Open(); err != nil {
			t.Fatal(err)
		}
		net, err := model.New(network, torch.CPU, torch.Float32, model.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer net.Close()
		first, err := trained.Begin(net, tk, 1, init, aside...)
		said, _ := os.ReadFile(filepath.Join(dir, "events.jsonl"))
		return first, string(said), err
	}
	if first, said, err := begin(experiment.Init{}, ""); first != nil || strings.Contains(said, "first weights") || err != nil {
		t.Errorf("without first weights: %+v, %v, %s", first, err, said)
	}
	all := len(network.Parameters())
	head := []string{"fc.weight", "fc.bias"}
	none := []string{}
	for name, c := range map[string]struct {
		init  experiment.Init
		made  string
		aside []string
		want  *trained.First
	}{
		"file":   {init: experiment.Init{From: path}, want: &trained.First{From: path, Taken: all, Excepted: none, Missing: none, Mismatched: none, Unused: none}},
		"node":   {made: path, want: &trained.First{Node: "pre[seed=1]", Taken: all, Excepted: none, Missing: none, Mismatched: none, Unused: none}},
		"except": {init: experiment.Init{Except: []string{"fc.*"}}, made: path, want: &trained.First{Node: "pre[seed=1]", Taken: all - 2, Excepted: head, Missing: none, Mismatched: none, Unused: none}},
		"aside":  {made: path, aside: head, want: &trained.First{Node: "pre[seed=1]", Taken: all - 2, Excepted: none, Missing: none, Mismatched: none, Unused: none}},
	} {
		t.Run(name, func(t *testing.T) {
			got, said, err := begin(c.init, c.made, c.aside...)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if !strings.Contains(said, c.want.String()) {
				t.Errorf("the events do not say %q:\n%s", c.want, said)
			}
		})
	}
	if err := os.Truncate(path, 3000); err != nil {
		t.Fatal(err)
	}
	if _, _, err := begin(experiment.Init{}, path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("damaged weights: %v", err)
	}
}
