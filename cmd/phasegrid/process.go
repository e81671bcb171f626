package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"

	"github.com/spf13/pflag"
)

// restartDelay keeps a node that dies at once from being started in a loop.
const restartDelay = 500 * time.Millisecond

// superviseNode keeps one node process running until ctx ends; then the process drains.
func superviseNode(ctx context.Context, o runOptions, address, name string, earlier *memo) {
	// The death signal comes when the thread that started the process ends, so that thread must
	// stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for life := 1; ctx.Err() == nil; life++ {
		// Each life has a name of its own: a shard that kills three of them is set aside.
		err := nodeProcess(ctx, o, address, fmt.Sprintf("%s-%d-%d", name, os.Getpid(), life), earlier).Run()
		if ctx.Err() == nil {
			o.log.Warn("a node process ended and is started again", "node", name, "error", err)
			client.Pause(ctx, restartDelay)
		}
	}
}

// nodeProcess is `phasegrid node` of this same program.
func nodeProcess(ctx context.Context, o runOptions, address, name string, earlier *memo) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	cmd := exec.CommandContext(
		ctx,
		program,
		"node",
		"--coordinator",
		address,
		"--name",
		name,
		"--slots",
		strconv.Itoa(o.Slots),
		"--grace",
		"0s",
		"--drain-timeout",
		"5s",
		"--log-level",
		o.logLevel,
		"--log-format",
		o.logFormat,
	)
	if earlier != nil {
		cmd.Args = append(cmd.Args, "--memo", earlier.folder)
	}
	cmd.Env = append(withoutNodeFlags(os.Environ()), "GOMAXPROCS="+strconv.Itoa(o.Slots))
	cmd.Stderr = o.stderr
	cmd.SysProcAttr = childAttributes()
	cmd.Cancel = func() error {
		err := cmd.Process.Signal(syscall.SIGTERM)
		if errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		return err
	}
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// withoutNodeFlags leaves out the variables of node's own flags: they are meant for nodes of a
// cluster, whose certificates and ports are none of a local node's.
func withoutNodeFlags(environ []string) []string {
	variables := map[string]bool{}
	Main{}.nodeCommand().Flags().VisitAll(func(f *pflag.Flag) { variables[variableOf(f)] = true })
	return slices.DeleteFunc(environ, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return variables[name]
	})
}
