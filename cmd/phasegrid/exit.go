package main

import (
	"errors"
)

// Exit codes of phasegrid.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2   // bad usage or a bad sweep file
	exitQuarantined = 3   // the sweep is done, but shards of it are quarantined
	exitInterrupted = 130 // state is kept: the same command resumes
)

var (
	// errInterrupted is returned by a command that a signal ended before its work was done.
	errInterrupted = errors.New("interrupted")
	// errQuarantined is returned for a sweep that ended without the rows of quarantined shards.
	errQuarantined = errors.New("shards are quarantined")
)

// usageError is a wrong command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitCode maps a command's error to the process's exit code. Nothing else does.
func exitCode(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.Is(err, errQuarantined):
		return exitQuarantined
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}
