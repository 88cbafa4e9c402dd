package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline/event"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

var update = flag.Bool("update", false, "write the golden files")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// arun is a run with everything in it.
func arun() []task.Event {
	all := []task.Event{
		{Type: task.RunStarted, Of: 5, Message: "specs/mine.yaml", Words: map[string]string{"device": "cpu"}},
		{Type: task.NodeStarted, Node: "data.train", Message: "never done"},
		{Type: task.Log, Node: "data.train", Message: "40 images: 20 Real, 20 Synthetic"},
		{Type: task.NodeDone, Node: "data.train", Facts: map[string]float64{"seconds": 0.42}},
		{Type: task.NodeWaits, Node: "fit[seed=2]", Message: "another run works on it"},
		{Type: task.RunWaits, Of: 2, Message: "2 nodes wait for memory"},
		{Type: task.NodeRetries, Node: "fit[seed=1]", Message: "the worker ended with exit status 7",
			Facts: map[string]float64{"try": 1, "of": 3, "wait": 10}},
		{Type: task.RunWaits},
		{Type: task.NodeStarted, Node: "fit[seed=1]", Message: "train.lr 0.005 -> 0.01"},
		{Type: task.Environment, Node: "fit[seed=1]", Words: map[string]string{"libtorch": "2.11.0"}},
		{Type: task.Progress, Node: "fit[seed=2]", Done: 3, Of: 10, Unit: "steps", Facts: map[string]float64{"loss": 0.123456, "epoch": 1}},
		{Type: task.Progress, Node: "fit[seed=2]", Done: 4, Of: 10, Unit: "steps"}, // too soon after the last
		{Type: task.Warning, Node: "fit[seed=1]", Message: "goes on from step 7, in epoch 2"},
		{Type: task.NodeDone, Node: "fit[seed=1]", Facts: map[string]float64{"seconds": 75.2}},
		{Type: task.NodeFailed, Node: "fit[seed=2]", Message: "step 3 (epoch 1): the loss is NaN"},
		{Type: task.NodeSkipped, Node: "score", Message: "needs fit[seed=2], which failed"},
		{Type: task.RunInterrupt, Message: "interrupted"},
		{Type: task.RunFinished, Facts: map[string]float64{"seconds": 80, "done": 2, "failed": 1, "skipped": 2}},
	}
	for i := range all {
		all[i].Time = noon.Add(time.Duration(i) * time.Second)
	}
	return all
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("other than %s (go test -update writes it):\n%s", path, d)
	}
}

func TestPlain(t *testing.T) {
	clock, zone := zerolog.TimestampFunc, time.Local
	zerolog.TimestampFunc, time.Local = func() time.Time { return noon }, time.UTC
	t.Cleanup(func() { zerolog.TimestampFunc, time.Local = clock, zone })
	var got bytes.Buffer
	sink := event.NewPlain(&got, false)
	for _, e := range arun() {
		sink.Emit(e)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "plain.golden", got.Bytes())
}

func TestJSON(t *testing.T) {
	var got bytes.Buffer
	sink := event.JSON{W: &got}
	for _, e := range arun() {
		sink.Emit(e)
	}
	golden(t, "json.golden", got.Bytes())
}

// A record grows by whole lines, over several runs, and what was written can be read.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs", "mine", "events.jsonl")
	for range 2 {
		file, err := event.NewFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range arun() {
			file.Emit(e)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []task.Event
	for line := range strings.Lines(string(raw)) {
		var e task.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, e)
	}
	if d := cmp.Diff(append(arun(), arun()...), got); d != "" {
		t.Error(d)
	}
	if _, err := event.NewFile(filepath.Join(path, "below a file")); err == nil {
		t.Error("a file was made below a file")
	}
}

// Bars never hang and never lose what must be seen, in whatever order the events come.
func TestBars(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got bytes.Buffer
		bars := event.NewBars(&got, 3)
		all := arun()
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(all)-1), 0, 40).Draw(t, "events") {
			bars.Emit(all[i])
		}
		bars.Emit(task.Event{Type: task.Warning, Node: "fit", Message: "do not miss this"})
		if err := bars.Close(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got.String(), "do not miss this") {
			t.Fatalf("the warning is not on the screen:\n%s", got.String())
		}
	})
}

// keeper remembers what it gets.
type keeper struct {
	got    []task.Event
	closed int
	err    error
}

func (k *keeper) Emit(e task.Event) { k.got = append(k.got, e) }

func (k *keeper) Close() error { k.closed++; return k.err }

// Each sink gets all, and each is closed although one before it failed.
func TestAll(t *testing.T) {
	full := errors.New("the disk is full")
	a, b := &keeper{err: full}, &keeper{err: errors.New("later")}
	all := event.All{a, b}
	for _, e := range arun() {
		all.Emit(e)
	}
	if err := all.Close(); err != full {
		t.Errorf("%v, want the first error", err)
	}
	if len(a.got) != len(arun()) || !cmp.Equal(a.got, b.got) || a.closed != 1 || b.closed != 1 {
		t.Errorf("%d and %d events, closed %d and %d times", len(a.got), len(b.got), a.closed, b.closed)
	}
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0s", 0.04: "0s", 0.42: "0.4s", 9: "9s", 9.96: "10s", 12.4: "12s", 59.7: "1m0s", 200: "3m20s", 7265: "2h1m5s",
	} {
		if got := event.Duration(seconds); got != want {
			t.Errorf("%g seconds are %s, want %s", seconds, got, want)
		}
	}
}
