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
	"strings"
	"syscall"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline"
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
	How    string // "killed by signal 9 (killed)", "exit status 2"
	Stderr string // the end of what it printed
}

func (c *Crash) Error() string {
	text := "the worker was " + c.How
	if strings.Contains(c.How, "killed") && strings.Contains(c.How, "signal 9") {
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
	stderr, err := os.Create(filepath.Join(attempt, "stderr.log"))
	if err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	defer stderr.Close()
	cmd := exec.CommandContext(ctx, path, "work", attempt)
	cmd.Env = append(os.Environ(), l.Env...)
	cmd.Stderr, cmd.Stdout = stderr, stderr
	cmd.SysProcAttr = workerAttr()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = l.Grace
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = 10 * time.Second
	}
	return l.verdict(ctx, cmd.Run(), stderr.Name())
}

func (l *Local) verdict(ctx context.Context, err error, stderr string) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.As(err, &exit):
		return fmt.Errorf("start worker: %w", err)
	case exit.ExitCode() == exitFailed:
		return errFailed
	}
	how := exit.String()
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		how = fmt.Sprintf("killed by signal %d (%s)", status.Signal(), status.Signal())
	}
	return &Crash{How: how, Stderr: tail(stderr, 2000)}
}

// exitFailed is the status of a worker whose last event says why it failed.
const exitFailed = 1

var errFailed = errors.New("failed")

func tail(path string, most int) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	if len(raw) > most {
		raw = raw[len(raw)-most:]
	}
	return strings.TrimSpace(string(raw))
}
