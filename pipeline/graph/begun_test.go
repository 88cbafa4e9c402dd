package graph_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

// A node whose attempt was cut off says so, once there is something to go on from.
func TestPlanSaysWhatWasBegun(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(file, []byte("rows"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, filepath.Join(dir, "store"))
	g := chain(t, file, nil)
	try, err := b.store.Begin(b.plan(g).Steps[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"never done", "was begun and cut off; goes on from what it saved"} {
		if s := b.plan(g).Steps[0]; s.State != graph.Run || !cmp.Equal(s.Reasons, []string{want}) {
			t.Errorf("%s: %s %q, want %q", s.Node.Name, s.State, s.Reasons, want)
		}
		if err := os.WriteFile(filepath.Join(try.Dir, "state", "checkpoint"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A parameter is called by its place in the spec, also where the spec has it elsewhere than the node's other parameters.
func TestPlanNamesFieldsWhereTheSpecHasThem(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(file, []byte("rows"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, filepath.Join(dir, "store"))
	with := func(weight float64) *graph.Graph {
		return chain(t, file, func(_, fit, _ *graph.Node) {
			fit.Params = map[string]any{"lr": 0.1, "terms": []any{map[string]any{"weight": weight}}, "arch": "a"}
			fit.Other = map[string]string{"terms": "losses.cyborg", "arch": "model.arch"}
		})
	}
	b.doAll(with(0.5))
	if got := b.plan(with(0.9)).Steps[1].Reasons; !cmp.Equal(got, []string{"losses.cyborg.0.weight 0.5 -> 0.9"}) {
		t.Errorf("%q", got)
	}
}
