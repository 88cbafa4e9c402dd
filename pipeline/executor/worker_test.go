package executor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// TestMain lets this test binary be the worker of its own tests.
func TestMain(m *testing.M) {
	if os.Getenv("CYBORG_TEST_WORKER") != "" && len(os.Args) == 3 && os.Args[1] == "work" {
		works := map[string]task.Work{}
		for kind, work := range behaviours {
			works[kind] = work
		}
		os.Exit(task.Main(os.Args[2], works))
	}
	os.Exit(m.Run())
}

// behaviours are what a worker may do, by the kind of its stage.
var behaviours = map[string]task.Work{
	"succeeds": succeed,
	"fails":    func(context.Context, *task.Task) error { return errors.New("read data.pack: 3 bytes are missing") },
	"panics":   func(context.Context, *task.Task) error { panic("index out of range") },
	"exits": func(context.Context, *task.Task) error {
		fmt.Fprintln(os.Stderr, "fatal error: out of patience")
		os.Exit(7)
		return nil
	},
	"says_nothing": func(context.Context, *task.Task) error {
		os.Exit(task.ExitFailed)
		return nil
	},
	"has_no_room_for_events": func(context.Context, *task.Task) error {
		fmt.Fprintln(os.Stderr, "write scores.csv: no space left on device")
		os.Exit(task.ExitFailed)
		return nil
	},
	"is_killed": func(context.Context, *task.Task) error {
		fmt.Fprintln(os.Stderr, "almost there")
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	},
	"leaves_nothing": func(context.Context, *task.Task) error { return nil },
	"hangs": func(ctx context.Context, t *task.Task) error {
		t.Emit(task.Event{Type: task.Log, Message: "at work"})
		<-ctx.Done()
		if err := os.WriteFile(t.State("checkpoint"), []byte("saved"), 0o644); err != nil {
			return err
		}
		return ctx.Err()
	},
	"hears_nothing": func(_ context.Context, t *task.Task) error {
		signal.Ignore(syscall.SIGTERM)
		t.Emit(task.Event{Type: task.Log, Message: "at work"})
		select {}
	},
	"floods": func(ctx context.Context, t *task.Task) error {
		line := strings.Repeat("x", 99) + "\n"
		for range 50_000 { // 5 MB
			fmt.Fprint(os.Stderr, line)
		}
		return succeed(ctx, t)
	},
	"floods_and_dies": func(context.Context, *task.Task) error {
		line := strings.Repeat("x", 99) + "\n"
		for range 50_000 {
			fmt.Fprint(os.Stderr, line)
		}
		fmt.Fprintln(os.Stderr, "the last line says why")
		os.Exit(7)
		return nil
	},
	"damages_its_events": func(ctx context.Context, t *task.Task) error {
		t.Emit(task.Event{Type: task.Log, Message: "before"})
		file, err := os.OpenFile(filepath.Join(filepath.Dir(t.Out("")), "events.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer file.Close()
		for _, line := range []string{"{\"type\": \"log\", \"mess\n", "\n", "\x00\xff\n", "null\n", "[1]\n", "{\"done\": \"many\"}\n", "{\"type\": \"node done\"}\n"} {
			if _, err := file.WriteString(line); err != nil {
				return err
			}
		}
		t.Warn("after")
		if _, err := file.WriteString(`{"type": "log", "message": "cut off in the mid`); err != nil {
			return err
		}
		return succeed(ctx, t)
	},
	"speaks": func(ctx context.Context, t *task.Task) error {
		t.Emit(task.Event{Type: task.Environment, Words: map[string]string{"libtorch": "2.11.0"}})
		t.Warn("two images have no map")
		for i := range 50 {
			t.Progress(i+1, 50, "steps", map[string]float64{"loss": 0.5})
		}
		return succeed(ctx, t)
	},
	"goes_on": func(ctx context.Context, t *task.Task) error {
		before, err := os.ReadFile(t.State("checkpoint"))
		if err != nil {
			if err := os.WriteFile(t.State("checkpoint"), []byte("step 7"), 0o644); err != nil {
				return err
			}
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return os.WriteFile(t.Out("result"), before, 0o644)
	},
}

// succeed writes what the parameters say, then what the inputs hold.
func succeed(_ context.Context, t *task.Task) error {
	var params map[string]string
	if err := t.Decode(&params); err != nil {
		return err
	}
	text := []byte(t.Node + " of " + params["of"] + "\n")
	for _, in := range t.Inputs["in"] {
		raw, err := os.ReadFile(in.Path)
		if err != nil {
			return err
		}
		text = append(text, raw...)
	}
	return os.WriteFile(t.Out("result"), text, 0o644)
}
