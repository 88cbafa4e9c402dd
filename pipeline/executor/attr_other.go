//go:build !linux

package executor

import (
	"os/exec"
	"syscall"
)

func workerAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// waitGroup waits for a worker and then ends what is left of its group.
func waitGroup(cmd *exec.Cmd) error {
	err := cmd.Wait()
	endGroup(cmd.Process.Pid)
	return err
}
