package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/node"
)

// defaultCoordinator is where a coordinator listens when it is told nothing.
const defaultCoordinator = "127.0.0.1:7443"

// remote is how a client command reaches its coordinator.
type remote struct {
	Coordinator string
	TLS         tlsOptions
	notes       io.Writer // says what is waited for
}

// leaderless is how long a cluster may be without a leader: its election's TTL and two seconds.
const leaderless = 7 * time.Second

func (r *remote) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(
		&r.Coordinator,
		"coordinator",
		defaultCoordinator,
		"`address` of the coordinators: host:port, several with commas, or dns:///name:port",
	)
	r.TLS.addFlags(flags)
}

// with calls f with a client of the coordinator.
func (r *remote) with(ctx context.Context, f func(ctx context.Context, c *sweepClient) error) error {
	creds, _, err := r.TLS.transport(r.Coordinator)
	if err != nil {
		return usageError{err}
	}
	conn, err := node.Dial(r.Coordinator, sweepsService, creds, grpc.WithChainUnaryInterceptor(r.patient))
	if err != nil {
		return usageError{err}
	}
	defer conn.Close()
	c := newSweepClient(conn)
	c.waiting = r.waiting
	err = f(ctx, c)
	if err != nil && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// withSweep calls f with a client and the sweep that ref names now. f goes on with its id: by the
// time a call is made again, a name may be that of another sweep.
func (r *remote) withSweep(
	ctx context.Context,
	ref string,
	f func(ctx context.Context, c *sweepClient, s sweepView) error,
) error {
	return r.with(ctx, func(ctx context.Context, c *sweepClient) error {
		s, err := c.get(ctx, ref)
		if err != nil {
			return err
		}
		return f(ctx, c, s)
	})
}

// patient makes a call again while no coordinator leads, for as long as an election may take after
// the first failure: the call may have been under way for long when its leader died.
func (r *remote) patient(
	ctx context.Context,
	method string,
	request, reply any,
	conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker,
	opts ...grpc.CallOption,
) error {
	for failed := (time.Time{}); ; {
		err := invoke(ctx, method, request, reply, conn, opts...)
		if status.Code(err) != codes.Unavailable {
			return err
		}
		if failed.IsZero() {
			failed = time.Now()
			r.waiting(err)
		}
		if time.Since(failed) > leaderless {
			return cmp.Or(r.whyUnled(ctx), err)
		}
		if !pause(ctx, 100*time.Millisecond) {
			return err
		}
	}
}

// whyUnled asks any coordinator why it does not lead, and returns nil where none says. Calls on
// other connections reach the leader alone.
func (r *remote) whyUnled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaderless)
	defer cancel()
	creds, _, err := r.TLS.transport(r.Coordinator)
	if err != nil {
		return nil
	}
	conn, err := node.Dial(r.Coordinator, "", creds) // "" is healthy wherever a coordinator runs
	if err != nil {
		return nil
	}
	defer conn.Close()
	return askFollower(ctx, conn)
}

func (r *remote) waiting(why error) {
	fmt.Fprintf(r.notes, "waiting for a coordinator at %s (%s)\n", r.Coordinator, status.Convert(why).Message())
}
