package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/googleapis/gax-go/v2"
)

// restartDelay is the time between the end of a node process and the start of the next.
const restartDelay = 500 * time.Millisecond

// superviseNode keeps one node process running until ctx ends; then the process drains.
func (c *cluster) superviseNode(ctx context.Context, name string) {
	// The kernel sends the death signal when the thread that started the process ends, so this
	// goroutine keeps its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for instance := 1; ctx.Err() == nil; instance++ {
		err := c.nodeProcess(ctx, fmt.Sprintf("%s-%d-%d", name, os.Getpid(), instance)).Run()
		if ctx.Err() == nil {
			c.cfg.Log.Warn("node process ended; restarting it", "node", name, "error", err)
			_ = gax.Sleep(ctx, restartDelay)
		}
	}
}

// nodeProcess is `phasegrid node` of this same program.
func (c *cluster) nodeProcess(ctx context.Context, name string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, program, "node", "--coordinator", c.address, "--name", name,
		"--slots", strconv.Itoa(c.cfg.Slots), "--grace", "0s", "--drain-timeout", drainTimeout.String())
	cmd.Args = append(cmd.Args, c.cfg.NodeFlags...)
	if c.cfg.Memo != nil {
		cmd.Args = append(cmd.Args, "--memo", c.cfg.MemoFolder)
	}
	cmd.Env = slices.Concat(c.cfg.Environ, []string{"GOMAXPROCS=" + strconv.Itoa(c.cfg.Slots)})
	cmd.Stderr = c.cfg.Stderr
	cmd.SysProcAttr = ChildAttributes()
	cmd.Cancel = func() error {
		err := cmd.Process.Signal(syscall.SIGTERM)
		if errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		return err
	}
	cmd.WaitDelay = 2 * drainTimeout
	return cmd
}
