package summary

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// What prepare left out is listed once for each data set, also where it was packed at two sizes.
func TestSkipped(t *testing.T) {
	list := func(node, text string) task.Input {
		dir := t.TempDir()
		put(t, dir, "skipped.csv", []byte(text))
		return task.Input{Node: node, Path: dir + "/skipped.csv"}
	}
	inputs := two(t)
	const train = "path,reason\n/a.png,empty file (0 bytes)\n\"/b,c.png\",\"damaged: \"\"x\"\"\"\n"
	inputs[Skipped] = []task.Input{list("data.train", train), list("data.u1", "path,reason\n"), list("data.train[size=299to10x10]", train)}
	s := read(t, summarise(t, Params{}, inputs))
	want := []results.Skipped{{Set: "train", Path: "/a.png", Reason: "empty file (0 bytes)"}, {Set: "train", Path: "/b,c.png", Reason: `damaged: "x"`}}
	if d := cmp.Diff(want, s.Skipped); d != "" {
		t.Error(d)
	}
	if note := "Data set train is without images that could not be read: 2. The record below lists them."; !strings.Contains(strings.Join(s.Notes, "\n"), note) {
		t.Errorf("notes %q, want %s", s.Notes, note)
	}
}
