package executor

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// workerAttr puts a worker into a process group of its own, so that the terminal's Ctrl-C reaches the runner alone,
// and has the kernel kill it should the runner die.
func workerAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// waitGroup waits for a worker and then ends what is left of its group. Until the worker is reaped, nobody else has its
// number.
func waitGroup(cmd *exec.Cmd) error {
	for unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	endGroup(cmd.Process.Pid)
	return cmd.Wait()
}
