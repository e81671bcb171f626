package main

import (
	"errors"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/cmd/phasegrid/sql"
)

// Exit codes of phasegrid.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2   // bad usage or sweep file
	exitQuarantined = 3   // the sweep is done, but has quarantined shards
	exitInterrupted = 130 // finished work is kept: the same command resumes
)

var (
	// errInterrupted is returned by a command that a signal interrupted.
	errInterrupted = errors.New("interrupted")
	// errQuarantined is returned for a sweep that is done without the rows of quarantined shards.
	errQuarantined = errors.New("shards are quarantined")
)

// usageError is a wrong command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// isUsage reports whether an error is about what the user gave: flags, arguments, SQL or a sweep
// file.
func isUsage(err error) bool {
	return errors.As(err, new(usageError)) || errors.As(err, new(client.InvalidError)) ||
		errors.As(err, new(*sql.QueryError))
}

// exitCode maps a command's error to the exit code of the process. Nothing else does.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.Is(err, errQuarantined):
		return exitQuarantined
	case isUsage(err):
		return exitUsage
	}
	return exitFailed
}
