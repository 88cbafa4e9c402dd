//go:build slow && linux

package faults

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// TestFaultKills kills an experiment with SIGKILL at random moments of its length, the runner or one of its workers, and
// starts it again, until it is done; then it begins anew, until there were 100 kills. In half of the runs, stages may be
// tried once more (`retry`).
//
//	CYBORG_SEED=N                                                   the same kills again
//	CYBORG_KILLS=10 CYBORG_KILL_SPEC=specs/quickstart.yaml          ten kills of the quick start
func TestFaultKills(t *testing.T) {
	x, ref := subject(t)
	kills := 100
	if text := os.Getenv("CYBORG_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	k := &killer{experiment: x, ref: ref, random: testenv.Random(t)}
	began := time.Now()
	for starts := 1; k.runners+k.workers < kills; starts++ {
		if starts > 10*kills+10 {
			t.Fatal("hardly any kill hits")
		}
		k.once()
	}
	x.finishes(ref)
	t.Logf("%d kills in %.0f s: %d of the runner, %d of a worker, %d of which were tried again; checkpoints were taken up %d times; "+
		"%d complete runs were compared, each of %.1f s when left alone", kills, time.Since(began).Seconds(), k.runners, k.workers, k.retried,
		k.takenUp, k.complete+1, ref.took.Seconds())
	if kills >= 100 && (k.runners < 10 || k.workers < 10 || k.retried == 0 || k.takenUp == 0 || k.complete == 0) {
		t.Error("something of it hardly happened: this test shows too little")
	}
}

// subject is the experiment that is killed, and what it leaves when it is left alone.
func subject(t *testing.T) (*experiment, *reference) {
	t.Helper()
	spec := os.Getenv("CYBORG_KILL_SPEC")
	if spec == "" {
		return newSmall(t)
	}
	spec = filepath.Join(testenv.Root(t), spec)
	return newExperiment(t, spec), newExperiment(t, spec).refer()
}

type killer struct {
	*experiment
	ref    *reference
	random *rand.Rand

	runners, workers, retried, takenUp, complete int
}

// killed is how a run tells of a worker that was.
var killed = regexp.MustCompile(`(?m)ERR (\S+) failed: the worker was killed by signal 9 \(killed\): memory may have run out; the next run goes on from its last checkpoint$` +
	`|WRN (\S+) failed at try 1 of 2: the worker was killed by signal 9 `)

// once starts the experiment, kills and looks.
func (k *killer) once() {
	args := []string{"--progress", "plain", "--device", "cpu"}
	retry := k.random.IntN(2) == 0
	for _, stage := range k.ref.stages {
		if retry {
			args = append(args, "--set", "stages."+stage+".retry={times: 1, wait: 0s}")
		}
	}
	saved := k.checkpoints()
	r := k.start("run", args...)
	victim := ""
	select {
	case <-r.over:
	case <-time.After(time.Duration(k.random.Int64N(int64(k.ref.took)))):
		victim = k.strike(r)
	}
	e := r.end()
	r.leavesNobody()
	told := killed.FindStringSubmatch(e.stderr)
	switch {
	case victim == "runner" && e.status == -1:
		k.runners++
	case victim != "" && told != nil && told[1]+told[2] != victim:
		k.t.Fatalf("%s was killed\n%v", victim, e)
	case victim != "" && told != nil:
		k.workers++
		again := told[2] != ""
		if again {
			k.retried++
		}
		mayRetry := retry && !strings.Contains(victim, ".") // the nodes of data sets are of no stage
		if again != mayRetry || again != (e.status == 0) || e.status > 1 {
			k.t.Fatalf("%s was killed, may be tried again: %v\n%v", victim, mayRetry, e)
		}
	case e.status != 0: // nobody was hit
		k.t.Fatal(e)
	}
	k.takenUp += strings.Count(e.stderr, ": goes on from step ")
	k.records()
	if e.status == 0 {
		k.experiment.complete(k.ref)
	} else {
		k.sound(k.ref)
	}
	for node, checkpoints := range saved {
		if k.done[node] && !strings.Contains(e.stderr, node+": goes on from step ") {
			k.t.Fatalf("%s had %v, and began anew\n%v", node, checkpoints, e)
		}
	}
	if e.status == 0 {
		k.complete++
		k.empty()
	}
}

// strike kills the runner, or one of its workers where there are any; it returns the worker's node.
func (k *killer) strike(r *running) string {
	if workers := r.workers(); len(workers) > 0 && k.random.IntN(2) == 0 {
		w := workers[k.random.IntN(len(workers))]
		var task struct{ Node string }
		raw, err := os.ReadFile(filepath.Join(w.attempt, "task.json"))
		if err == nil && json.Unmarshal(raw, &task) == nil && syscall.Kill(w.pid, syscall.SIGKILL) == nil {
			return task.Node
		}
		return "" // it has just ended
	}
	_ = r.Process.Kill() // its end tells whether it was hit
	return "runner"
}

// checkpoints are those of attempts that were cut off, by node.
func (k *killer) checkpoints() map[string][]string {
	all := map[string][]string{}
	attempts, _ := filepath.Glob(filepath.Join(k.store, "attempts", "*"))
	for _, dir := range attempts {
		found, _ := filepath.Glob(filepath.Join(dir, "state", "checkpoint-*.pth"))
		var task struct{ Node string }
		if raw, err := os.ReadFile(filepath.Join(dir, "task.json")); len(found) > 0 && err == nil && json.Unmarshal(raw, &task) == nil {
			all[task.Node] = found
		}
	}
	return all
}

// records sees that each line of the run's record is whole.
func (k *killer) records() {
	raw, err := os.ReadFile(filepath.Join(k.out, "events.jsonl"))
	if os.IsNotExist(err) {
		return // it was killed before
	}
	if err != nil {
		k.t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		if !json.Valid(line) || !bytes.HasSuffix(line, []byte("\n")) {
			k.t.Fatalf("events.jsonl: %q", line)
		}
	}
}

// process is one that a run started.
type process struct {
	pid     int
	line    string
	attempt string // of a worker
}

// processes are all that live and were started by a run, by its runner or by others on its behalf.
func (r *running) processes() (all []process) {
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		raw, err := os.ReadFile(path)
		if err != nil || !slices.Contains(strings.Split(string(raw), "\x00"), r.mark) {
			continue // it has ended, or is none of ours
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		p := process{pid: pid, line: strings.ReplaceAll(string(line), "\x00", " ")}
		if args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00"); len(args) == 3 && args[1] == "work" {
			p.attempt = args[2]
		}
		all = append(all, p)
	}
	return all
}

func (r *running) workers() []process {
	return slices.DeleteFunc(r.processes(), func(p process) bool { return p.attempt == "" })
}

// leavesNobody waits until none of its processes is left.
func (r *running) leavesNobody() {
	r.x.t.Helper()
	var left []process
	for range 500 {
		if left = r.processes(); len(left) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.x.t.Fatalf("processes are left behind: %v", left)
}
