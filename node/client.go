package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

const (
	deliveryTimeout = 2 * time.Minute
	specTimeout     = 30 * time.Second
)

// client calls the coordinator on behalf of a node. It is safe for concurrent use.
type client struct {
	service nodesService
	conn    grpc.ClientConnInterface
}

func newClient(conn grpc.ClientConnInterface) *client { return &client{newNodesService(conn), conn} }

// reconnect replaces the connection, if it can be replaced: deliveries that wait for a silent
// coordinator fail and are sent again.
func (c *client) reconnect() error {
	if link, ok := c.conn.(interface{ Renew() error }); ok {
		return link.Renew()
	}
	return nil
}

// spec fetches a sweep's canonical spec and the solver that it needs.
func (c *client) spec(ctx context.Context, sweepID string) (canonical []byte, solver sweep.SolverIdentity, err error) {
	ctx, cancel := context.WithTimeout(ctx, specTimeout)
	defer cancel()
	canonical, solver, err = c.service.getSpec(ctx, sweepID)
	if err != nil {
		return nil, solver, fmt.Errorf("get spec of sweep %s: %w", sweepID, err)
	}
	return canonical, solver, nil
}

// delivery is one solved shard.
type delivery struct {
	lease             lease
	rows              results.Delivery
	started, finished time.Time
}

// deliver sends a shard and waits for the coordinator's answer; committed is false if another node
// was first or the sweep has ended.
func (c *client) deliver(ctx context.Context, id identity, d delivery) (committed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	stream, err := c.service.deliver(ctx)
	if err != nil {
		return false, err
	}
	err = stream.sendHeader(id, d)
	for chunk := range results.Chunks(d.rows.Payload) {
		if err != nil {
			break
		}
		err = stream.sendChunk(chunk)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return stream.close() // after io.EOF this returns why the coordinator ended the stream
}
