package chaos

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

// exitTimeout bounds how long a process may take to end after SIGTERM.
const exitTimeout = 30 * time.Second

// process is one process of the cluster. It is started again and again under the same name, and
// appends to the same log. It is safe for concurrent use.
type process struct {
	name string
	args []string
	log  string // file
	env  []string

	mu     sync.Mutex
	cmd    *exec.Cmd
	wanted bool          // to run: an exit meanwhile is unexpected
	exited chan struct{} // closed when cmd has ended
	exits  []string      // unexpected ones
}

func newProcess(folder, name string, args ...string) *process {
	return &process{
		name: name,
		args: args,
		log:  filepath.Join(folder, name+".log"),
		env:  append(os.Environ(), "GOMAXPROCS=1"),
	}
}

// start starts the process, unless it runs.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted {
		return nil
	}
	program, err := program()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", p.name, err)
	}
	cmd := exec.Command(program, p.args...)
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.SysProcAttr = log, log, p.env, local.ChildAttributes()
	exited, started := make(chan struct{}), make(chan error)
	go func() {
		// The kernel sends the death signal when the thread that started the process ends, so this
		// goroutine keeps its thread.
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
			p.exits = append(p.exits, fmt.Sprintf("%s exited unexpectedly: %v", p.name, err))
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd, p.exited, p.wanted = cmd, exited, true
	return nil
}

// signal sends a signal to the process if it runs.
func (p *process) signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v to %s: %w", s, p.name, err)
	}
	return nil
}

// kill ends the process by SIGKILL and waits until it has ended.
func (p *process) kill() error {
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

// terminate ends the process by SIGTERM and returns an error if it does not exit with 0.
func (p *process) terminate(ctx context.Context) error {
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
	bound := time.NewTimer(exitTimeout)
	defer bound.Stop()
	select {
	case <-exited:
		if how, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && how.Signal() == syscall.SIGTERM {
			return nil // it had just started, and did not handle signals yet
		}
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			return exitError{p.name, code}
		}
		return nil
	case <-bound.C:
		// On SIGQUIT it writes the stacks of its goroutines to its log.
		err := errors.Join(
			fmt.Errorf("%s still runs %v after SIGTERM; see the goroutines in its log", p.name, exitTimeout),
			p.signal(syscall.SIGQUIT),
		)
		bound.Reset(exitTimeout)
		select {
		case <-exited:
		case <-bound.C:
		}
		return errors.Join(err, p.kill())
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.kill())
	}
}

// exitError is an exit after SIGTERM with a code other than 0.
type exitError struct {
	name string
	code int
}

func (e exitError) Error() string {
	return fmt.Sprintf("%s exited with code %d after SIGTERM", e.name, e.code)
}

// unexpectedExits lists the exits that neither kill nor terminate caused.
func (p *process) unexpectedExits() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.exits...)
}

// program is the path of this program.
func program() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return path, nil
}
