package local

import "syscall"

// ChildAttributes make a child process end when this process is killed, and keep the terminal's
// Ctrl-C from it: this process makes it drain. The thread that starts the child must outlive it.
func ChildAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
