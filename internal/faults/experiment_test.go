//go:build slow && linux

// Package faults takes from running experiments what machines take from them: processes, room on the disk, folders,
// permissions, a clock that goes forward. Whatever was taken, nothing that was done may be lost, nothing may be called done
// that is not, the words must say what happened; and when the fault is over, the same command must end in the same bytes as a
// run that nothing befell.
//
// `make faults` runs it, on the programs that `make build` left in bin/ (CYBORG_BIN names another folder).
package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// experiment is a spec with a store and a run's folder of its own.
type experiment struct {
	t          *testing.T
	spec       string
	store, out string
	args       []string              // of each command
	launch     func(*exec.Cmd) error // starts each command
	done       map[string]bool       // nodes that were done when last looked
}

func newExperiment(t *testing.T, spec string) *experiment {
	dir := t.TempDir()
	return &experiment{t: t, spec: spec, store: filepath.Join(dir, "store"), out: filepath.Join(dir, "out"), launch: (*exec.Cmd).Start}
}

// ended is how a command ended.
type ended struct {
	status         int // -1: by a signal
	stdout, stderr string
	took           time.Duration
}

func (e ended) String() string {
	return fmt.Sprintf("exit status %d\n%s%s", e.status, e.stdout, e.stderr)
}

// patience is how long anything here may take before it counts as hanging.
const patience = 20 * time.Minute

// running is a command under way.
type running struct {
	*exec.Cmd
	x              *experiment
	began          time.Time
	mark           string // in the environment of all processes that it starts
	stdout, stderr bytes.Buffer
	over           chan struct{} // closed when it ended
	hung           func() bool
}

func (x *experiment) start(verb string, args ...string) *running {
	x.t.Helper()
	bin := os.Getenv("CYBORG_BIN")
	if bin == "" {
		bin = filepath.Join(testenv.Root(x.t), "bin")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "cyborg-run"), append([]string{verb, x.spec, "--store", x.store, "--out", x.out}, slices.Concat(x.args, args)...)...)
	r := &running{Cmd: cmd, x: x, began: time.Now(), over: make(chan struct{}), hung: func() bool { return ctx.Err() != nil }}
	r.mark = fmt.Sprintf("CYBORG_FAULTS=%d.%d", os.Getpid(), r.began.UnixNano())
	cmd.Env = append(os.Environ(), r.mark, "CYBORG_TORCH="+filepath.Join(bin, "cyborg-torch"), "CUDA_VISIBLE_DEVICES=-1")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &r.stdout, &r.stderr, 10*time.Second
	if err := x.launch(cmd); err != nil {
		cancel()
		x.t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // its state says how it ended
		close(r.over)
	}()
	x.t.Cleanup(func() { cancel(); <-r.over })
	return r
}

// end waits for the end.
func (r *running) end() ended {
	r.x.t.Helper()
	<-r.over
	if r.hung() {
		r.x.t.Fatalf("it hangs\n%s%s", &r.stdout, &r.stderr)
	}
	return ended{r.ProcessState.ExitCode(), r.stdout.String(), r.stderr.String(), time.Since(r.began)}
}

// run runs the experiment to its end.
func (x *experiment) run(args ...string) ended {
	x.t.Helper()
	return x.start("run", append([]string{"--progress", "plain", "--device", "cpu"}, args...)...).end()
}

// fails runs an experiment that cannot be done: exit status 1, with these words, and what was done stays done.
func (x *experiment) fails(ref *reference, words string) {
	x.t.Helper()
	if e := x.run(); e.status != 1 || !regexp.MustCompile(words).MatchString(e.stderr) {
		x.t.Fatalf("%v\nwant exit status 1 and: %s", e, words)
	}
	x.sound(ref)
}

// finishes runs the experiment to its good end.
func (x *experiment) finishes(ref *reference) {
	x.t.Helper()
	if e := x.run(); e.status != 0 {
		x.t.Fatal(e)
	}
	x.complete(ref)
}

// reference is what an experiment leaves that nothing befalls.
type reference struct {
	took    time.Duration
	files   map[string]store.Digest // below the run's folder
	outputs map[store.Key]map[string]store.Digest
	stages  []string // that the spec names
}

// varies are the files of a run's folder that tell when and how it ran.
var varies = []string{"events.jsonl", "report.html", "resolved.yaml"}

func (x *experiment) refer() *reference {
	x.t.Helper()
	e := x.run()
	if e.status != 0 {
		x.t.Fatal(e)
	}
	ref := &reference{took: e.took, files: digests(x.t, x.out), outputs: map[store.Key]map[string]store.Digest{}}
	for _, a := range x.artifacts() {
		ref.outputs[a.Key] = map[string]store.Digest{}
		for _, o := range a.Outputs {
			ref.outputs[a.Key][o.Name] = o.Digest
		}
	}
	for node := range x.states() {
		stage, _, _ := strings.Cut(node, "[")
		if !strings.Contains(stage, ".") && !slices.Contains(ref.stages, stage) { // generate.train is of a data set
			ref.stages = append(ref.stages, stage)
		}
	}
	return ref
}

// small is the reference of testdata/small.yaml, once it was made.
var small *reference

// newSmall is the small experiment, and what it leaves when nothing befalls it.
func newSmall(t *testing.T) (*experiment, *reference) {
	t.Helper()
	spec, err := filepath.Abs("testdata/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if small == nil {
		small = newExperiment(t, spec).refer()
	}
	return newExperiment(t, spec), small
}

// digests are those of all files below a folder that are the same each time.
func digests(t *testing.T, dir string) map[string]store.Digest {
	t.Helper()
	all := map[string]store.Digest{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains(varies, d.Name()) {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all[name], err = store.DigestFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// artifacts are all that the store holds, each read in full and found to be as its manifest says.
func (x *experiment) artifacts() map[string]*store.Artifact {
	x.t.Helper()
	st, err := store.Open(x.store)
	if err != nil {
		x.t.Fatal(err)
	}
	defer st.Close()
	st.Verify()
	entries, err := os.ReadDir(filepath.Join(x.store, "artifacts"))
	if err != nil {
		x.t.Fatal(err)
	}
	all := map[string]*store.Artifact{}
	for _, e := range entries {
		a, err := st.Find(store.Key(e.Name()))
		if err != nil {
			x.t.Fatalf("artifact %s: %v", e.Name(), err)
		}
		if all[a.Node] != nil {
			x.t.Fatalf("%s has two artifacts", a.Node)
		}
		all[a.Node] = a
	}
	return all
}

// states are those of all nodes, as the plan says.
func (x *experiment) states() map[string]string {
	x.t.Helper()
	e := x.start("plan", "--json", "--device", "cpu").end()
	var plan struct {
		Nodes []struct{ Name, State string }
	}
	if err := json.Unmarshal([]byte(e.stdout), &plan); err != nil || e.status != 0 {
		x.t.Fatalf("%v\n%v", err, e)
	}
	states := map[string]string{}
	for _, n := range plan.Nodes {
		states[n.Name] = n.State
	}
	return states
}

// sound looks at what an experiment that was cut off left: what was done stays done, what the plan calls done is whole, and
// holds the reference's bytes.
func (x *experiment) sound(ref *reference) {
	x.t.Helper()
	done := map[string]bool{}
	artifacts := x.artifacts()
	for node, state := range x.states() {
		if state != "done" {
			continue
		}
		done[node] = true
		a := artifacts[node]
		if a == nil {
			x.t.Fatalf("%s is called done, and has no artifact", node)
		}
		got := map[string]store.Digest{}
		for _, o := range a.Outputs {
			got[o.Name] = o.Digest
		}
		if d := cmp.Diff(ref.outputs[a.Key], got); d != "" {
			x.t.Fatalf("%s is called done, and left something else\n%s", node, d)
		}
	}
	for node := range x.done {
		if !done[node] {
			x.t.Fatalf("%s was done, and is not any more", node)
		}
	}
	x.done = done
}

// complete holds a finished experiment to the reference, byte for byte.
func (x *experiment) complete(ref *reference) {
	x.t.Helper()
	x.sound(ref)
	x.published(ref)
	if got := slices.Sorted(maps.Keys(x.done)); len(got) != len(ref.outputs) {
		x.t.Fatalf("done are only %v", got)
	}
	left, err := os.ReadDir(filepath.Join(x.store, "attempts"))
	if err != nil || len(left) > 0 {
		x.t.Fatalf("attempts are left behind: %v %v", left, err)
	}
	if e := x.run(); e.status != 0 || !strings.HasPrefix(e.stdout, "nothing to do") {
		x.t.Fatal(e)
	}
}

// published holds the run's folder to the reference's.
func (x *experiment) published(ref *reference) {
	x.t.Helper()
	if d := cmp.Diff(ref.files, digests(x.t, x.out)); d != "" {
		x.t.Fatalf("the run's folder differs\n%s", d)
	}
	for _, name := range []string{"report.html", "resolved.yaml"} {
		if info, err := os.Stat(filepath.Join(x.out, name)); err != nil || info.Size() == 0 {
			x.t.Fatalf("%s is empty, or not there (%v)", name, err)
		}
	}
}

// empty takes away all that the experiment left.
func (x *experiment) empty() {
	for _, dir := range []string{x.store, x.out} {
		if err := os.RemoveAll(dir); err != nil {
			x.t.Fatal(err)
		}
	}
	x.done = nil
}
