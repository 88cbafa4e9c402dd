package task

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

// Exit statuses of a worker.
const (
	ExitDone        = 0
	ExitFailed      = 1 // the last event says why
	ExitInterrupted = 130
)

// Main is the whole of a worker program: it does the task of an attempt folder with the work of its kind and returns
// the exit status. SIGTERM and SIGINT end the context of the work.
func Main(dir string, works map[string]Work) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	t, err := Read(dir)
	if err == nil {
		err = t.Open()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	switch err := Do(ctx, t, works); {
	case err == nil:
		return ExitDone
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return ExitInterrupted
	default:
		t.Emit(Event{Type: Failed, Message: err.Error()})
		fmt.Fprintln(os.Stderr, err) // on a full disk nothing else may be left
		return ExitFailed
	}
}

// Do does a task. A panic of the work becomes an error that says where it happened.
func Do(ctx context.Context, t *Task, works map[string]Work) (err error) {
	work, ok := works[t.Kind]
	if !ok {
		return fmt.Errorf("%s: this worker does not know stages of kind %q; runner and worker are of different versions: run `make build`", t.Node, t.Kind)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: a defect of the program: %v\n%s", t.Node, p, strings.TrimSpace(string(debug.Stack())))
		}
	}()
	return work(ctx, t)
}
