package worker

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// A training that starts from someone's weights says, in its log and in run.json, what it did not take and why.
func TestRunListsWhatFirstWeightsLack(t *testing.T) {
	first := done(t, small())
	file, err := checkpoint.Read(filepath.Join(first.dir, "out", "final.pth"))
	if err != nil {
		t.Fatal(err)
	}
	all := len(file.Tensors)
	at := func(name string) *checkpoint.Tensor {
		i := slices.IndexFunc(file.Tensors, func(x checkpoint.Tensor) bool { return x.Name == name })
		if i < 0 {
			t.Fatalf("there is no %s", name)
		}
		return &file.Tensors[i]
	}
	head := at("fc.weight")
	head.Shape, head.Data = []int{1000, 64}, make([]byte, 4*1000*64)
	at("fc.bias").Name = "fc.offset"
	path := filepath.Join(t.TempDir(), "theirs.safetensors")
	if err := checkpoint.WriteSafetensors(path, file); err != nil {
		t.Fatal(err)
	}

	job := small()
	job.Model.Init = experiment.Init{From: path, Except: []string{"fc.*"}}
	a := done(t, job)
	var facts summary
	if err := json.Unmarshal([]byte(a.outputs()["run.json"]), &facts); err != nil {
		t.Fatal(err)
	}
	want := &trained.First{From: path, Taken: all - 2, Excepted: []string{"fc.weight", "fc.bias"}, Missing: []string{"fc.bias"},
		Mismatched: []string{"tensor fc.weight: 1000x64 in the file, 2x64 in the network"}, Unused: []string{"fc.offset"}}
	if diff := cmp.Diff(want, facts.Initial); diff != "" {
		t.Errorf("run.json: -want +got:\n%s", diff)
	}
	if said, line := a.said(), want.String(); !strings.Contains(said, line) {
		t.Errorf("the events do not say %q:\n%s", line, said)
	}
	if strings.Contains(first.outputs()["run.json"], "init") {
		t.Error("run.json speaks of first weights where there were none")
	}
}
