package executor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// guard is a process that ends what the runner cannot when it is killed: the children of its workers, which the kernel
// would hand to init. It hears by its standard input of every group that begins and ends. When that input ends, so does
// the guard, and every group that is left.
type guard struct {
	mu    sync.Mutex
	input *os.File
	tried bool
}

// watch starts the guard where there is none yet, and names a group to it.
func (g *guard) watch(command []string, group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(command) > 0 && !g.tried {
		g.tried = true
		g.input = startGuard(command)
	}
	if g.input != nil {
		_, _ = fmt.Fprintf(g.input, "+%d\n", group)
	}
}

// release tells the guard that a group is gone: its number may be given to others.
func (g *guard) release(group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.input != nil {
		_, _ = fmt.Fprintf(g.input, "-%d\n", group)
	}
}

// startGuard is nil where it cannot be had: the work goes on without it.
func startGuard(command []string) *os.File {
	read, write, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer read.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = read
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return nil
	}
	go func() { _ = cmd.Wait() }()
	return write
}

// GuardGroups is the whole of a guard's process; in is its standard input.
func GuardGroups(in io.Reader) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	groups := map[int]bool{}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		text, begins := strings.CutPrefix(lines.Text(), "+")
		if n, err := strconv.Atoi(strings.TrimPrefix(text, "-")); err == nil && n > 1 {
			groups[n] = begins
		}
	}
	for group, there := range groups {
		if there {
			endGroup(group)
		}
	}
}

// endGroup kills what is left of a process group.
func endGroup(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }
