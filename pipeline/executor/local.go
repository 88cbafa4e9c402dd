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
	"io"
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
//
// A worker gets a process group of its own, and with it the children that it may start. When it ends, however it ends,
// so does what is left of its group. Should the runner be killed, the kernel kills the worker, and the Guard the group.
type Local struct {
	Programs map[pipeline.Program]string // paths of the executables
	Env      []string                    // added to this process's environment
	Grace    time.Duration               // between SIGTERM and SIGKILL; 0: ten seconds
	Guard    []string                    // a command that calls GuardGroups; none: a killed runner leaves workers' children

	guard guard
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
	stderr := newTail(filepath.Join(attempt, "stderr.log"))
	defer stderr.close()
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	defer read.Close()
	cmd := exec.CommandContext(ctx, path, "work", attempt)
	cmd.Env = append(os.Environ(), l.Env...)
	cmd.Stderr, cmd.Stdout = write, write
	cmd.SysProcAttr = workerAttr()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = l.Grace
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = 10 * time.Second
	}
	err = cmd.Start()
	_ = write.Close()
	if err != nil {
		return verdict(ctx, err, stderr)
	}
	l.guard.watch(l.Guard, cmd.Process.Pid)
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		_, _ = io.Copy(stderr, read)
	}()
	err = waitGroup(cmd)
	l.guard.release(cmd.Process.Pid)
	_ = read.SetReadDeadline(time.Now().Add(lastWords)) // a child that left the group may hold the pipe open
	<-printed
	return verdict(ctx, err, stderr)
}

// lastWords is how long what a worker printed is waited for after its end.
const lastWords = time.Second

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
