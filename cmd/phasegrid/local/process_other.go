//go:build !linux

package local

import "syscall"

// ChildAttributes keep the terminal's Ctrl-C from a child process: this process makes it drain.
func ChildAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
