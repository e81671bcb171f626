//go:build !linux

package main

import "syscall"

// childAttributes keep the terminal's Ctrl-C from a node process: this process tells it to drain.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
