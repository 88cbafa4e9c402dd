package publish_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/publish"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

var stage = &pipeline.Stage{Kind: "train", Revision: 1, Outputs: []string{"final.pth"}, Publish: []pipeline.Publication{
	{Output: "final.pth", To: "models/{node}/final.pth"},
	{Output: "cams", To: "cams/{node}"},
}}

// step is a finished step with these outputs.
func step(t *testing.T, dir string, files map[string]string) *graph.Step {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	key := store.MakeKey([]store.Part{{Name: "files", Value: files["final.pth"]}})
	try, err := st.Begin(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(try.Dir, "out", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a, err := try.Commit(store.Manifest{Node: "fit"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &graph.Step{Node: &graph.Node{Name: "fit[loss=cyborg,seed=1]", Stage: stage}, State: graph.Done, Artifact: a}
}

// tree is the files below a folder with what they hold.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var files = map[string]string{"final.pth": "weights", "cams/mean.png": "mean", "cams/a/x.npy": "grid", "run.json": "not published"}

var published = map[string]string{
	"models/fit[loss=cyborg,seed=1]/final.pth": "weights",
	"cams/fit[loss=cyborg,seed=1]/mean.png":    "mean",
	"cams/fit[loss=cyborg,seed=1]/a/x.npy":     "grid",
}

// Files appear under their names as hard links, outlive the store, come back when they were deleted, and are replaced
// when there is something new.
func TestStep(t *testing.T) {
	base := t.TempDir()
	run, cache := filepath.Join(base, "runs", "mine"), filepath.Join(base, "store")
	publishAll := func(s *graph.Step, want map[string]string) {
		t.Helper()
		for range 2 {
			if err := publish.Step(run, s); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, tree(t, run)); d != "" {
				t.Fatal(d)
			}
		}
	}
	first := step(t, cache, files)
	publishAll(first, published)
	model := filepath.Join(run, "models", "fit[loss=cyborg,seed=1]", "final.pth")
	if !sameFile(t, model, first.Artifact.Path("final.pth")) {
		t.Error("the model is a copy where a link would do")
	}

	if err := os.Remove(model); err != nil {
		t.Fatal(err)
	}
	publishAll(first, published)

	if err := errors.Join(os.Remove(model), os.Mkdir(model, 0o755)); err != nil { // something else in its place
		t.Fatal(err)
	}
	publishAll(first, published)

	other := map[string]string{"final.pth": "other weights", "cams/mean.png": "mean", "cams/a/x.npy": "grid"}
	second := step(t, cache, other)
	want := map[string]string{}
	for name, text := range published {
		want[name] = strings.ReplaceAll(text, "weights", "other weights")
	}
	publishAll(second, want)
	if raw, err := os.ReadFile(first.Artifact.Path("final.pth")); string(raw) != "weights" {
		t.Errorf("the artifact of before was overwritten: %q %v", raw, err)
	}

	if err := os.RemoveAll(cache); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, tree(t, run)); d != "" {
		t.Error(d)
	}
}

func sameFile(t *testing.T, a, b string) bool {
	t.Helper()
	one, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.Stat(b)
	if err != nil {
		t.Fatal(err)
	}
	return os.SameFile(one, two)
}

// Where the run's folder is on another file system, files are copied: read-only, with their times, and once.
func TestStepCopies(t *testing.T) {
	run, err := os.MkdirTemp("/dev/shm", "cyborg-test-*")
	if err != nil {
		t.Skipf("there is no second file system to copy to: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	dir := t.TempDir()
	if device(t, run) == device(t, dir) {
		t.Skip("temporary files and /dev/shm are on the same file system: nothing has to be copied")
	}
	s := step(t, dir, files)
	var first []os.FileInfo
	for range 2 {
		if err := publish.Step(run, s); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(published, tree(t, run)); d != "" {
			t.Fatal(d)
		}
		info, err := os.Stat(filepath.Join(run, "models", "fit[loss=cyborg,seed=1]", "final.pth"))
		if err != nil {
			t.Fatal(err)
		}
		first = append(first, info)
	}
	if !os.SameFile(first[0], first[1]) {
		t.Error("it was copied again")
	}
	source, err := os.Stat(s.Artifact.Path("final.pth"))
	if err != nil {
		t.Fatal(err)
	}
	if first[0].Mode().Perm() != 0o444 || !first[0].ModTime().Equal(source.ModTime()) {
		t.Errorf("the copy is %v of %v, the artifact's file of %v", first[0].Mode(), first[0].ModTime(), source.ModTime())
	}
}

func device(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return uint64(info.Sys().(*syscall.Stat_t).Dev)
}

func TestStepOfALostFile(t *testing.T) {
	s := step(t, t.TempDir(), files)
	if err := os.Remove(s.Artifact.Path("final.pth")); err != nil {
		t.Fatal(err)
	}
	err := publish.Step(t.TempDir(), s)
	if err == nil || !strings.HasPrefix(err.Error(), "publish final.pth of fit[loss=cyborg,seed=1]: ") {
		t.Errorf("%v", err)
	}
}

// Two nodes must not be published at the same place.
func TestConflicts(t *testing.T) {
	table := &pipeline.Stage{Kind: "summary", Publish: []pipeline.Publication{{Output: "metrics.csv", To: "metrics.csv"}}}
	for name, c := range map[string]struct {
		nodes []*graph.Node
		want  string
	}{
		"by_node":   {[]*graph.Node{{Name: "a", Stage: stage}, {Name: "b", Stage: stage}, {Name: "t", Stage: table}}, ""},
		"same_name": {[]*graph.Node{{Name: "a", Stage: stage}, {Name: "a", Stage: stage}}, "a and a both leave models/a/final.pth: a run has room for one"},
		"one_place": {[]*graph.Node{{Name: "t", Stage: table}, {Name: "u", Stage: table}}, "t and u both leave metrics.csv: a run has room for one"},
	} {
		t.Run(name, func(t *testing.T) {
			err := publish.Conflicts(&graph.Graph{Nodes: slices.Clone(c.nodes)})
			if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}
