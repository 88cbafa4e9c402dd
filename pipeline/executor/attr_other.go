//go:build !linux

package executor

import "syscall"

func workerAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
