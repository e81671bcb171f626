package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/phasegrid/phasegrid/node"
)

// defaultCoordinator is where a coordinator listens when it is told nothing.
const defaultCoordinator = "127.0.0.1:7443"

// remote is how a client command reaches its coordinator.
type remote struct {
	Coordinator string
	TLS         tlsOptions
}

func (r *remote) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&r.Coordinator, "coordinator", defaultCoordinator, "`address` of the coordinators: host:port, several with commas, or dns:///name:port")
	r.TLS.addFlags(flags)
}

// with calls f with a client of the coordinator.
func (r *remote) with(ctx context.Context, f func(ctx context.Context, c *sweepClient) error) error {
	creds, _, err := r.TLS.transport(r.Coordinator)
	if err != nil {
		return usageError{err}
	}
	conn, err := node.Dial(r.Coordinator, sweepsService, creds)
	if err != nil {
		return usageError{err}
	}
	defer conn.Close()
	err = f(ctx, newSweepClient(conn))
	if err != nil && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}
