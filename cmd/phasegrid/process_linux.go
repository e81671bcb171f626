package main

import "syscall"

// childAttributes let a node process end when this one is killed, and keep the terminal's Ctrl-C
// from it: this process tells it to drain.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
