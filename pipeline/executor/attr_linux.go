package executor

import "syscall"

// workerAttr puts a worker into a process group of its own, so that the terminal's Ctrl-C reaches the runner alone,
// and has the kernel kill it should the runner die.
func workerAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
