package executor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// TestMain lets this test binary be the worker of its own tests.
func TestMain(m *testing.M) {
	if os.Getenv("CYBORG_TEST_WORKER") != "" && len(os.Args) == 3 && os.Args[1] == "work" {
		works := map[string]task.Work{}
		maps.Copy(works, behaviours)
		maps.Copy(works, faults)
		os.Exit(task.Main(os.Args[2], works))
	}
	switch os.Getenv("CYBORG_TEST_ROLE") {
	case "guard":
		executor.GuardGroups(os.Stdin)
		os.Exit(0)
	case "runner":
		os.Exit(beRunner(os.Args[1]))
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
	"says_how": func(_ context.Context, t *task.Task) error {
		how := map[string]int{"steps": 7}
		if err := t.DecodeHow(&how); err != nil {
			return err
		}
		return os.WriteFile(t.Out("result"), []byte(fmt.Sprint(how)), 0o644)
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

// faults are what a worker must not do, and may do all the same.
var faults = map[string]task.Work{
	"lives_long": func(context.Context, *task.Task) error { // and says nothing
		signal.Ignore(syscall.SIGTERM)
		select {}
	},
	"talks_and_hangs": func(_ context.Context, t *task.Task) error {
		for i := range 10 {
			t.Emit(task.Event{Type: task.Log, Message: fmt.Sprint("at work ", i)})
			time.Sleep(20 * time.Millisecond)
		}
		select {}
	},
	"fails_twice": func(ctx context.Context, t *task.Task) error {
		before, _ := os.ReadFile(t.State("tries"))
		if err := os.WriteFile(t.State("tries"), append(before, 'x'), 0o644); err != nil {
			return err
		}
		if len(before) < 2 {
			return fmt.Errorf("no luck at try %d", len(before)+1)
		}
		return os.WriteFile(t.Out("result"), append(before, 'x'), 0o644)
	},
	"floods_its_events": func(ctx context.Context, t *task.Task) error {
		t.Emit(task.Event{Type: task.Log, Message: "before"})
		block := bytes.Repeat([]byte(`{"type":"log","message":"`+strings.Repeat("x", 200)+`"}`+"\n"), 4096)
		for range floodBytes / len(block) {
			if err := appendEvents(t, block); err != nil {
				return err
			}
		}
		for range 3 { // what comes last is heard
			time.Sleep(150 * time.Millisecond)
			t.Progress(7, 7, "steps", nil)
		}
		return succeed(ctx, t)
	},
	"writes_one_long_line": func(ctx context.Context, t *task.Task) error {
		block := bytes.Repeat([]byte("x"), 1<<20)
		for range floodBytes >> 20 {
			if err := appendEvents(t, block); err != nil {
				return err
			}
		}
		if err := appendEvents(t, []byte("\n")); err != nil {
			return err
		}
		t.Warn("after")
		return succeed(ctx, t)
	},
	"writes_a_long_line_and_stays_small": func(ctx context.Context, t *task.Task) error {
		if err := appendEvents(t, append(bytes.Repeat([]byte("x"), 3<<20), '\n')); err != nil {
			return err
		}
		t.Warn("after")
		return succeed(ctx, t)
	},
	"closes_its_output": func(ctx context.Context, t *task.Task) error {
		fmt.Fprintln(os.Stderr, "before")
		for fd := range 3 {
			_ = syscall.Close(fd)
		}
		t.Warn("after")
		return succeed(ctx, t)
	},
	"removes_its_events": func(ctx context.Context, t *task.Task) error {
		t.Warn("before")
		if err := os.Remove(eventFile(t)); err != nil {
			return err
		}
		t.Warn("after")
		return succeed(ctx, t)
	},
	"makes_a_link_of_its_events": func(ctx context.Context, t *task.Task) error {
		if err := errors.Join(os.Remove(eventFile(t)), os.Symlink("/dev/zero", eventFile(t))); err != nil {
			return err
		}
		t.Warn("after")
		return succeed(ctx, t)
	},
	"makes_a_folder_of_its_events": func(ctx context.Context, t *task.Task) error {
		if err := errors.Join(os.Remove(eventFile(t)), os.MkdirAll(filepath.Join(eventFile(t), "deep"), 0o755)); err != nil {
			return err
		}
		t.Warn("after")
		return succeed(ctx, t)
	},
	"empties_its_events": func(ctx context.Context, t *task.Task) error {
		t.Warn("before" + strings.Repeat(" and", 20))
		time.Sleep(250 * time.Millisecond)
		if err := os.Truncate(eventFile(t), 0); err != nil {
			return err
		}
		t.Warn("after")
		return succeed(ctx, t)
	},
	"lives_in_the_past": func(ctx context.Context, t *task.Task) error {
		line := `{"time":"1970-01-01T00:00:00Z","type":"warning","message":"after"}` + "\n"
		if err := appendEvents(t, []byte(line)); err != nil {
			return err
		}
		return succeed(ctx, t)
	},
	"removes_its_folder": func(_ context.Context, t *task.Task) error {
		return os.RemoveAll(filepath.Dir(eventFile(t)))
	},
	"has_a_child": func(_ context.Context, t *task.Task) error {
		child := exec.Command("sleep", "1000")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr // which holds the runner's pipe open
		if err := child.Start(); err != nil {
			return err
		}
		t.Emit(task.Event{Type: task.Log, Message: fmt.Sprint("child ", child.Process.Pid)})
		return os.WriteFile(t.Out("result"), fmt.Append(nil, child.Process.Pid), 0o644)
	},
	"has_a_child_and_hears_nothing": func(_ context.Context, t *task.Task) error {
		signal.Ignore(syscall.SIGTERM)
		child := exec.Command("sleep", "1000")
		if err := child.Start(); err != nil {
			return err
		}
		t.Emit(task.Event{Type: task.Log, Message: fmt.Sprintf("at work %d %d", os.Getpid(), child.Process.Pid)})
		select {}
	},
}

const floodBytes = 96 << 20

func eventFile(t *task.Task) string {
	return filepath.Join(filepath.Dir(filepath.Dir(t.Out("result"))), "events.jsonl")
}

func appendEvents(t *task.Task, raw []byte) error {
	file, err := os.OpenFile(eventFile(t), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(raw)
	return errors.Join(err, file.Close())
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
