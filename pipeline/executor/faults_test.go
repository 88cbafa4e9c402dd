package executor_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Whatever a worker does with its events, the run goes on; what was written behind is heard where that can be.
func TestRunOfOddEvents(t *testing.T) {
	for kind, warnings := range map[string][]string{
		"writes_a_long_line_and_stays_small": {"after"},
		"removes_its_events":                 {"before", "after"},
		"makes_a_link_of_its_events":         {"after"},
		"makes_a_folder_of_its_events":       {"after"},
		"empties_its_events":                 {"before" + strings.Repeat(" and", 20), "after"},
		"lives_in_the_past":                  {"after"},
		"closes_its_output":                  {"after"},
	} {
		t.Run(kind, func(t *testing.T) {
			h := newHouse(t, t.TempDir(), node("fit", kind))
			if outcome := h.run(t.Context(), executor.Options{}); outcome.Done != 1 {
				t.Fatalf("%+v", outcome)
			}
			var got []string
			for _, e := range h.events {
				if e.Type == task.Warning {
					got = append(got, e.Message)
				}
				if e.Type == task.NodeDone && e.Facts["seconds"] < 0 {
					t.Errorf("it took %g seconds", e.Facts["seconds"])
				}
			}
			if d := cmp.Diff(warnings, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A flood of events costs the runner neither memory nor disk, and what is said last is heard.
func TestRunOfAFloodOfEvents(t *testing.T) {
	for _, kind := range []string{"floods_its_events", "writes_one_long_line"} {
		t.Run(kind, func(t *testing.T) {
			h := newHouse(t, t.TempDir(), node("fit", kind))
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			peak := uint64(0)
			forwarded := 0
			h.watch = func(e task.Event) {
				forwarded += len(e.Message)
				h.events = nil // the test keeps nothing either
				runtime.ReadMemStats(&after)
				peak = max(peak, after.HeapAlloc)
			}
			var last task.Event
			watch := h.watch
			h.watch = func(e task.Event) {
				if e.Type == task.Progress {
					last = e
				}
				watch(e)
			}
			if kind == "writes_one_long_line" {
				last.Done = 7 // says nothing of progress
			}
			if outcome := h.run(t.Context(), executor.Options{}); outcome.Done != 1 {
				t.Fatalf("%+v", outcome)
			}
			runtime.ReadMemStats(&after)
			if peak = max(peak, after.HeapAlloc); peak > before.HeapAlloc+32<<20 {
				t.Errorf("the heap grew from %d to %d MiB", before.HeapAlloc>>20, peak>>20)
			}
			if forwarded > 20<<20 {
				t.Errorf("%d MiB were handed on", forwarded>>20)
			}
			if last.Done != 7 {
				t.Errorf("the last progress is %+v", last)
			}
			info, err := os.Stat(filepath.Join(h.plan().Steps[0].Artifact.Dir, "events.jsonl"))
			if err != nil || info.Size() > 16<<20 {
				t.Errorf("%v of events are kept (%v)", info.Size()>>20, err)
			}
		})
	}
}

// A worker that removes its own folder loses its work, is told so, and harms nothing else.
func TestRunWithoutItsFolder(t *testing.T) {
	h := newHouse(t, t.TempDir(), node("fit", "removes_its_folder"), node("other", "succeeds"))
	outcome := h.run(t.Context(), executor.Options{KeepGoing: true})
	if outcome.Done != 1 || outcome.Failed != 1 {
		t.Fatalf("%+v", outcome)
	}
	want := "the folder " + h.attempt("fit") + " was removed while the node was at work; the same command makes again what is gone"
	if got := outcome.Failures[0].Reason; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The whole store may be removed in the middle: the run says so, and the next one does it all.
func TestRunWithoutItsStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	h := newHouse(t, dir, node("fit", "talks_and_hangs"))
	h.graph.Nodes[0].Limits.Silence = 2 * time.Second
	h.local.Grace = 100 * time.Millisecond
	h.watch = func(e task.Event) {
		if e.Message == "at work 3" {
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		}
	}
	if outcome := h.run(t.Context(), executor.Options{}); outcome.Failed != 1 {
		t.Fatalf("%+v", outcome)
	}
	again := newHouse(t, dir, node("fit", "succeeds"))
	if outcome := again.run(t.Context(), executor.Options{}); outcome.Done != 1 {
		t.Fatalf("%+v", outcome)
	}
}

// A limit ends a worker that does not listen either, says which it was, and counts as a failure.
func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		kind   string
		limits spec.Limits
		want   string
	}{
		"time": {"lives_long", spec.Limits{Time: 150 * time.Millisecond},
			"the worker was ended: it worked for longer than 150ms (limits.time); the next try goes on from its last checkpoint"},
		"silence": {"talks_and_hangs", spec.Limits{Time: time.Hour, Silence: 2 * time.Second},
			"the worker was ended: it reported nothing for 2s (limits.silence); the next try goes on from its last checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			fit := node("fit", c.kind)
			fit.Limits = c.limits
			h := newHouse(t, t.TempDir(), fit)
			h.local.Grace = 100 * time.Millisecond
			outcome := h.run(t.Context(), executor.Options{})
			if d := cmp.Diff(executor.Outcome{Failed: 1, Failures: []executor.Failure{{Node: "fit", Reason: c.want}}}, outcome); d != "" {
				t.Error(d)
			}
			if said := h.said(task.Log); name == "silence" && len(said) != 10 {
				t.Errorf("it was ended before it was silent: %v", said)
			}
		})
	}
}

// A node that keeps within its limits is not touched by them.
func TestLimitsThatHold(t *testing.T) {
	fit := node("fit", "speaks")
	fit.Limits = spec.Limits{Time: time.Hour, Silence: time.Hour}
	h := newHouse(t, t.TempDir(), fit)
	if outcome := h.run(t.Context(), executor.Options{}); outcome.Done != 1 {
		t.Errorf("%+v", outcome)
	}
}

// A node is tried again as often as its stage says, each try goes on from the state of the one before, and each is told.
func TestRetry(t *testing.T) {
	fit := node("fit", "fails_twice")
	fit.Retry = spec.Retry{Times: 3, Wait: time.Millisecond}
	h := newHouse(t, t.TempDir(), fit)
	if outcome := h.run(t.Context(), executor.Options{}); outcome.Done != 1 {
		t.Fatalf("%+v", outcome)
	}
	if got := h.result("fit"); got != "xxx" {
		t.Errorf("the third try found %q", got)
	}
	if d := cmp.Diff([]string{
		"node started fit: never done", "node retries fit: no luck at try 1",
		"node started fit: try 2 of 4", "node retries fit: no luck at try 2",
		"node started fit: try 3 of 4", "node done fit",
	}, h.said(task.NodeStarted, task.NodeRetries, task.NodeDone, task.NodeFailed)); d != "" {
		t.Error(d)
	}
	for _, e := range h.events {
		if e.Type == task.NodeRetries && e.Facts["of"] != 4 {
			t.Errorf("a retry with %v", e.Facts)
		}
	}
}

// In the end a node fails as often as it was tried.
func TestRetryInVain(t *testing.T) {
	fit := node("fit", "fails")
	fit.Retry = spec.Retry{Times: 2, Wait: time.Millisecond}
	h := newHouse(t, t.TempDir(), fit)
	outcome := h.run(t.Context(), executor.Options{})
	want := []executor.Failure{{Node: "fit", Reason: "failed 3 times, last: read data.pack: 3 bytes are missing"}}
	if d := cmp.Diff(want, outcome.Failures); d != "" || outcome.Failed != 1 {
		t.Error(outcome.Failed, d)
	}
}

// A node that waits for its next try holds nothing: others work meanwhile, and a stop does not wait for it.
func TestRetryHoldsNothing(t *testing.T) {
	fit := node("fit", "fails")
	fit.Retry = spec.Retry{Times: 1, Wait: time.Hour}
	h := newHouse(t, t.TempDir(), fit, node("other", "succeeds"))
	ctx, stop := context.WithCancel(t.Context())
	h.watch = func(e task.Event) {
		if e.Type == task.NodeDone {
			stop()
		}
	}
	outcome := h.run(ctx, executor.Options{Jobs: 1})
	if d := cmp.Diff(executor.Outcome{Done: 1, Skipped: 1, Interrupted: true}, outcome); d != "" {
		t.Error(d)
	}
}

// A node that waits for its next try is given up when another has failed for good.
func TestRetryGivenUp(t *testing.T) {
	fit := node("fit", "fails")
	fit.Retry = spec.Retry{Times: 1, Wait: time.Hour}
	h := newHouse(t, t.TempDir(), fit, node("other", "exits"))
	outcome := h.run(t.Context(), executor.Options{Jobs: 1})
	if outcome.Failed != 2 || outcome.Skipped != 0 || outcome.Failures[1].Reason != "read data.pack: 3 bytes are missing" {
		t.Errorf("%+v", outcome)
	}
}

// What was interrupted is not tried again.
func TestRetryOfAnInterruption(t *testing.T) {
	fit := node("fit", "hangs")
	fit.Retry = spec.Retry{Times: 5, Wait: time.Millisecond}
	h := newHouse(t, t.TempDir(), fit)
	ctx, stop := context.WithCancel(t.Context())
	h.watch = func(e task.Event) {
		if e.Message == "at work" {
			stop()
		}
	}
	outcome := h.run(ctx, executor.Options{})
	if d := cmp.Diff(executor.Outcome{Skipped: 1, Interrupted: true}, outcome); d != "" || len(h.said(task.NodeRetries)) > 0 {
		t.Error(d, h.said(task.NodeRetries))
	}
}
