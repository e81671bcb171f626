//go:build !duckdb

package sql

import (
	"context"
	"io"

	"github.com/phasegrid/phasegrid/results"
)

// Session does not exist in this build.
type Session struct{}

// Open returns ErrNotBuilt.
func Open(context.Context, []*results.Set) (*Session, error) { return nil, ErrNotBuilt }

// Close and Write are there for the compiler: no session is ever open.
func (*Session) Close() error                                           { return nil }
func (*Session) Write(context.Context, io.Writer, string, string) error { return ErrNotBuilt }
