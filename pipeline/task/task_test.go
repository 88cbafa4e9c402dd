package task_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// TestMain lets this test binary be a worker.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CYBORG_TEST_ATTEMPT"); dir != "" {
		os.Exit(task.Main(dir, map[string]task.Work{
			"succeeds": func(_ context.Context, t *task.Task) error {
				return os.WriteFile(t.Out("models/final.pth"), []byte("weights"), 0o644)
			},
			"fails":  func(context.Context, *task.Task) error { return errors.New("no luck") },
			"panics": func(context.Context, *task.Task) error { panic("no luck at all") },
			"hangs": func(ctx context.Context, t *task.Task) error {
				t.Emit(task.Event{Type: task.Log, Message: "at work"})
				fmt.Println("at work")
				<-ctx.Done()
				return fmt.Errorf("wait: %w", ctx.Err())
			},
		}))
	}
	os.Exit(m.Run())
}

// attempt is a folder with a task file.
func attempt(t testing.TB, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "task.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// events are those of an attempt, without times.
func events(t *testing.T, dir string) []task.Event {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var out []task.Event
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		var e task.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if e.Time.IsZero() {
			t.Errorf("%s has no time", lines.Text())
		}
		e.Time = e.Time.Add(-e.Time.Sub(e.Time))
		out = append(out, e)
	}
	return out
}

// A worker's exit status says how it ended, and its last event why.
func TestMainStatus(t *testing.T) {
	for name, c := range map[string]struct {
		file   string
		signal syscall.Signal
		status int
		why    string // of the last event; "": none
		stderr string
	}{
		"succeeds":   {file: `{"node":"fit","kind":"succeeds"}`, status: task.ExitDone},
		"fails":      {file: `{"node":"fit","kind":"fails"}`, status: task.ExitFailed, why: "no luck", stderr: "no luck"},
		"panics":     {file: `{"node":"fit","kind":"panics"}`, status: task.ExitFailed, why: "fit: a defect of the program: no luck at all\n", stderr: "no luck at all"},
		"unknown":    {file: `{"node":"fit","kind":"sings"}`, status: task.ExitFailed, why: `fit: this worker does not know stages of kind "sings"`, stderr: "sings"},
		"terminated": {file: `{"node":"fit","kind":"hangs"}`, signal: syscall.SIGTERM, status: task.ExitInterrupted},
		"ctrl_c":     {file: `{"node":"fit","kind":"hangs"}`, signal: syscall.SIGINT, status: task.ExitInterrupted},
		"damaged":    {file: `{"node":`, status: 2, stderr: "read task "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := attempt(t, c.file)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "CYBORG_TEST_ATTEMPT="+dir)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if c.signal != 0 {
				if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
					t.Fatal(err)
				}
				if err := cmd.Process.Signal(c.signal); err != nil {
					t.Fatal(err)
				}
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != c.status {
				t.Errorf("exit status %d, want %d\n%s", got, c.status, &stderr)
			}
			if !strings.Contains(stderr.String(), c.stderr) || c.stderr == "" && stderr.Len() > 0 {
				t.Errorf("standard error is %q", &stderr)
			}
			if c.status == 2 {
				return
			}
			why := ""
			for _, e := range events(t, dir) {
				if e.Type == task.Failed {
					why = e.Message
				}
				if e.Node != "fit" {
					t.Errorf("an event of node %q", e.Node)
				}
			}
			if !strings.HasPrefix(why, c.why) || c.why == "" && why != "" {
				t.Errorf("the last event says %q, want %q", why, c.why)
			}
		})
	}
}

// Whole lines are appended, whoever emits at the same time.
func TestEmitAtOnce(t *testing.T) {
	dir := attempt(t, `{"node":"data.train"}`)
	tk, err := task.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := tk.Open(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 50 {
				tk.Emit(task.Event{Type: task.Log, Message: strings.Repeat("long ", 100), Done: i, Of: k})
			}
		})
	}
	all.Wait()
	next := map[int]int{}
	for _, e := range events(t, dir) {
		if e.Of != next[e.Done] {
			t.Fatalf("event %d of goroutine %d came as number %d", e.Of, e.Done, next[e.Done])
		}
		next[e.Done]++
	}
	if len(next) != 8 || next[0] != 50 {
		t.Errorf("events are lost: %v", next)
	}
}

// Of a flood of progress a few lines are written, and always the last unit.
func TestProgress(t *testing.T) {
	dir := attempt(t, `{"node":"fit"}`)
	tk, err := task.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	tk.Progress(1, 10, "steps", nil) // no event file is open: dropped
	if err := tk.Open(); err != nil {
		t.Fatal(err)
	}
	const steps = 100_000
	for i := range steps {
		tk.Progress(i+1, steps, "steps", map[string]float64{"loss": 1 / float64(i+1)})
	}
	tk.Progress(steps, steps, "steps", map[string]float64{"loss": math.NaN()}) // no JSON: dropped, and the work goes on
	tk.Warn("done")
	got := events(t, dir)
	if len(got) < 2 || len(got) > steps/10 {
		t.Fatalf("%d events of %d steps", len(got), steps)
	}
	last := got[len(got)-2]
	if last.Done != steps || last.Of != steps || last.Unit != "steps" || last.Facts["loss"] != 1.0/steps {
		t.Errorf("the last progress is %+v", last)
	}
	if e := got[len(got)-1]; e.Type != task.Warning || e.Message != "done" {
		t.Errorf("the warning is %+v", e)
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	tk, err := (&task.Task{Node: "fit", Inputs: map[string][]task.Input{"model": {{Path: "/a"}}, "data": {{Path: "/b"}, {Path: "/c"}}}}).In(dir)
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		tk.Out("scores.csv"):       "out/scores.csv",
		tk.Out("cams/mean.png"):    "out/cams/mean.png",
		tk.State("checkpoint.pth"): "state/checkpoint.pth",
	} {
		if got != filepath.Join(dir, filepath.FromSlash(want)) {
			t.Errorf("%s, want %s below %s", got, want, dir)
		}
		if err := os.WriteFile(got, nil, 0o644); err != nil {
			t.Error(err)
		}
	}
	if in, err := tk.One("model"); err != nil || in.Path != "/a" {
		t.Errorf("%v %v", in, err)
	}
	for _, port := range []string{"data", "init"} {
		if _, err := tk.One(port); err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("fit: input %q: ", port)) {
			t.Errorf("One(%q): %v", port, err)
		}
	}
}

// FuzzRead: a task file may hold anything; what is read can be written and read again.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `[]`, `{"node":`, `{"node":"fit","kind":"train","params":{"lr":0.02},"threads":2}`,
		`{"params":null,"inputs":{"data":[{"node":"data.train","axes":{"size":"32"},"path":"/x"}],"init":[]}}`,
		`{"threads":1e99}`, `{"inputs":[1]}`, `{"axes":{"seed":3}}`, "\xff\xfe{}", `{"node":"a"}{"node":"b"}`, strings.Repeat("[", 10_000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		one, err := task.Read(attempt(t, string(raw)))
		if err != nil {
			if one != nil || !strings.HasPrefix(err.Error(), "read task ") {
				t.Fatalf("%v with %v", err, one)
			}
			return
		}
		_ = one.Decode(new(map[string]any))
		_, _ = one.One("data")
		again, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		two, err := task.Read(attempt(t, string(again)))
		if err != nil {
			t.Fatalf("%s was read, and then %s was not: %v", raw, again, err)
		}
		third, err := json.Marshal(two)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(again), string(third)); d != "" {
			t.Fatal(d)
		}
	})
}
