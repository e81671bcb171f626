package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/local"
)

// exitPatience bounds how long a process may take to end after SIGTERM.
const exitPatience = 30 * time.Second

// chaosProcess is one process of the cluster under chaos. It is started again and again under the
// same name; its log is appended to one file.
type chaosProcess struct {
	name string
	args []string
	log  string // file
	env  []string

	mu     sync.Mutex
	cmd    *exec.Cmd
	wanted bool          // to be running: an exit while it is so was its own
	exited chan struct{} // closed when cmd has ended
	deaths []string      // exits of its own
}

func newChaosProcess(folder, name string, args ...string) *chaosProcess {
	return &chaosProcess{
		name: name,
		args: args,
		log:  filepath.Join(folder, name+".log"),
		env:  append(os.Environ(), "GOMAXPROCS=1"),
	}
}

// start starts the process, unless it runs.
func (p *chaosProcess) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted {
		return nil
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("log of %s: %w", p.name, err)
	}
	cmd := exec.Command(program, p.args...)
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.SysProcAttr = log, log, p.env, local.ChildAttributes()
	exited, started := make(chan struct{}), make(chan error)
	go func() {
		// The death signal comes when the thread that started the process ends, so that thread must
		// stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		defer close(exited)
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		err = cmd.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.wanted && p.cmd == cmd {
			p.wanted = false
			p.deaths = append(p.deaths, fmt.Sprintf("%s ended by itself: %v", p.name, err))
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd, p.exited, p.wanted = cmd, exited, true
	return nil
}

// signal sends a signal to the process if it runs.
func (p *chaosProcess) signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%v to %s: %w", s, p.name, err)
	}
	return nil
}

// kill ends the process by SIGKILL and waits for its end.
func (p *chaosProcess) kill() error {
	p.mu.Lock()
	p.wanted = false
	exited := p.exited
	p.mu.Unlock()
	if exited == nil {
		return nil
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-exited
	return nil
}

// terminate asks the process to end and returns an error where it does not end well.
func (p *chaosProcess) terminate(ctx context.Context) error {
	p.mu.Lock()
	p.wanted = false
	exited, cmd := p.exited, p.cmd
	p.mu.Unlock()
	if exited == nil {
		return nil
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	bound := time.NewTimer(exitPatience)
	defer bound.Stop()
	select {
	case <-exited:
		if how, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && how.Signal() == syscall.SIGTERM {
			return nil // it had just been started, and did not listen for signals yet
		}
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			return exitError{p.name, code}
		}
		return nil
	case <-bound.C:
		// SIGQUIT has it write what its goroutines are at into its log.
		err := errors.Join(
			fmt.Errorf("%s still runs %v after SIGTERM; its log has its goroutines", p.name, exitPatience),
			p.signal(syscall.SIGQUIT),
		)
		bound.Reset(exitPatience)
		select {
		case <-exited:
		case <-bound.C:
		}
		return errors.Join(err, p.kill())
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.kill())
	}
}

// exitError is an exit after SIGTERM that does not say that all went well.
type exitError struct {
	name string
	code int
}

func (e exitError) Error() string {
	return fmt.Sprintf("%s answered SIGTERM with exit code %d", e.name, e.code)
}

// endedByItself lists the exits that nobody asked for.
func (p *chaosProcess) endedByItself() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.deaths...)
}
