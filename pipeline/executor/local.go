// Package executor does the nodes of a plan: the scheduler decides when, an Executor where.
//
// A stage's work is always done by a worker process that was given an attempt folder (package task). A worker that
// crashes, is killed or runs out of memory is an event of the run, never the end of the runner; when the runner ends,
// its workers end too.
package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Executor runs one worker to its end. It returns ctx.Err() when it was told to stop, and a *Crash when the worker
// ended without saying why.
type Executor interface {
	Execute(ctx context.Context, program pipeline.Program, attempt string) error
}

// Local starts workers as child processes on this machine.
type Local struct {
	Programs map[pipeline.Program]string // paths of the executables
	Env      []string                    // added to this process's environment
	Grace    time.Duration               // between SIGTERM and SIGKILL; 0: ten seconds
}

// Crash is a worker that ended without saying why.
type Crash struct {
	How    string // "was killed by signal 9 (killed)", "ended with exit status 2"
	Killed bool   // by SIGKILL, as the kernel does when memory runs out
	Stderr string // the end of what it printed
}

func (c *Crash) Error() string {
	text := "the worker " + c.How
	if c.Killed {
		text += ": memory may have run out; the next run goes on from its last checkpoint"
	}
	if c.Stderr != "" {
		text += "\n" + c.Stderr
	}
	return text
}

// Execute implements Executor.
func (l *Local) Execute(ctx context.Context, program pipeline.Program, attempt string) error {
	runtime.LockOSThread() // the kernel watches the thread that forked, not the process: see workerAttr
	defer runtime.UnlockOSThread()
	path, ok := l.Programs[program]
	if !ok {
		return fmt.Errorf("%s is not there: build it with `make build`, or name it by CYBORG_TORCH", program)
	}
	stderr, err := newTail(filepath.Join(attempt, "stderr.log"))
	if err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	defer stderr.close()
	cmd := exec.CommandContext(ctx, path, "work", attempt)
	cmd.Env = append(os.Environ(), l.Env...)
	cmd.Stderr, cmd.Stdout = stderr, stderr
	cmd.SysProcAttr = workerAttr()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = l.Grace
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = 10 * time.Second
	}
	return verdict(ctx, cmd.Run(), stderr)
}

func verdict(ctx context.Context, err error, stderr *tail) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.As(err, &exit):
		return fmt.Errorf("start worker: %w", err)
	case exit.ExitCode() == task.ExitFailed:
		return &failed{stderr.String()}
	}
	crash := &Crash{How: "ended with " + exit.String(), Stderr: stderr.String()}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		crash.How = fmt.Sprintf("was killed by signal %d (%s)", status.Signal(), status.Signal())
		crash.Killed = status.Signal() == syscall.SIGKILL
	}
	return crash
}

// failed is a worker that said why it failed: by its last event, and once more on standard error, for when the event
// could not be written.
type failed struct{ stderr string }

func (f *failed) Error() string {
	if f.stderr == "" {
		return "the worker failed and could not say why"
	}
	return f.stderr
}
