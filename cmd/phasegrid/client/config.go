package client

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/node"
)

// electionTimeout bounds how long a cluster may be without a leader: the session of a lost one, and
// the election.
const electionTimeout = ledger.DefaultSessionTTL + 2*time.Second

// Config configures how a command reaches its coordinators.
type Config struct {
	Coordinator string // host:port, several with commas, or a gRPC target
	TLS         TLS
	Notes       io.Writer // gets a line when no coordinator answers
}

// With calls f with a client whose unary calls are repeated while no coordinator leads. If ctx has
// ended, the error is that of ctx.
func (o Config) With(ctx context.Context, f func(context.Context, *Client) error) error {
	creds, err := o.Transport()
	if err != nil {
		return InvalidError{err}
	}
	c, conn, err := Dial(o.Coordinator, creds, grpc.WithChainUnaryInterceptor(o.repeat))
	if err != nil {
		return InvalidError{err}
	}
	defer conn.Close()
	c.waiting = o.waiting
	err = f(ctx, c)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// WithSweep calls f with a client and the sweep that ref names now. f must use the sweep's id:
// by the time a call is repeated, the name may be that of another sweep.
func (o Config) WithSweep(ctx context.Context, ref string, f func(context.Context, *Client, Sweep) error) error {
	return o.With(ctx, func(ctx context.Context, c *Client) error {
		s, err := c.Get(ctx, ref)
		if err != nil {
			return err
		}
		return f(ctx, c, s)
	})
}

// repeat is a gRPC interceptor that repeats a call while no coordinator leads. The time that an
// election may take counts from the first failure: the call may have lasted long when its leader
// died.
func (o Config) repeat(
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
			o.waiting(err)
		}
		if time.Since(failed) > electionTimeout {
			return cmp.Or(o.reasonWithoutLeader(ctx), err)
		}
		if gax.Sleep(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}

// reasonWithoutLeader asks any coordinator why it does not lead, and returns nil if none answers.
// Calls on other connections reach the leader only.
func (o Config) reasonWithoutLeader(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, electionTimeout)
	defer cancel()
	creds, err := o.Transport()
	if err != nil {
		return nil
	}
	conn, err := node.Dial(o.Coordinator, "", creds) // "" is healthy wherever a coordinator runs
	if err != nil {
		return nil
	}
	defer conn.Close()
	return askFollower(ctx, conn)
}

func (o Config) waiting(why error) {
	fmt.Fprintf(o.Notes, "waiting for a coordinator at %s (%s)\n", o.Coordinator, status.Convert(why).Message())
}
