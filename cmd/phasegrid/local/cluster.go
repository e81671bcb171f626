package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/owner"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/node"
)

// drainTimeout bounds how long nodes deliver finished shards once the sweep has ended.
const drainTimeout = 5 * time.Second

// Run runs a sweep file until the sweep ends or ctx does, and calls see with the sweep whenever it
// changes. The error is that of ctx if it has ended.
func Run(
	ctx context.Context,
	cfg Config,
	filename string,
	file []byte,
	see func(client.Sweep),
) (client.Sweep, error) {
	out, err := store.OpenFolder(cfg.Out)
	if err != nil {
		return client.Sweep{}, fmt.Errorf("--out: %w", err)
	}
	spool, err := store.OpenFolder(filepath.Join(cfg.State, "spool"))
	if err != nil {
		return client.Sweep{}, fmt.Errorf("--state: %w", err)
	}
	listener, address, closeSocket, err := listenPrivately()
	if err != nil {
		return client.Sweep{}, err
	}
	defer closeSocket()
	c, err := coordinator.New(coordinator.Config{
		Name: "local", Listener: listener, Store: out, Spool: spool, Embedded: filepath.Join(cfg.State, "etcd"),
		Cluster:       cfg.Owner,
		MaxPointBytes: cfg.MaxPointBytes, GitRevision: cfg.Revision, Logger: cfg.CoordinatorLog,
	})
	if err != nil {
		return client.Sweep{}, err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return client.Sweep{}, fmt.Errorf("connect to the local coordinator: %w", err)
	}
	defer conn.Close()
	cluster := cluster{cfg: cfg, coordinator: c, address: address, client: client.New(conn)}
	return cluster.run(ctx, filename, file, see)
}

// cluster is a coordinator, its nodes and a client.
type cluster struct {
	cfg         Config
	coordinator *coordinator.Coordinator
	address     string // of the coordinator
	client      *client.Client
}

func (c *cluster) run(ctx context.Context, filename string, file []byte, see func(client.Sweep)) (client.Sweep, error) {
	serving, stopServing := context.WithCancelCause(context.WithoutCancel(ctx))
	working, stopWorking := context.WithCancelCause(ctx)
	var servers, nodes sync.WaitGroup
	// What ended by itself is the cause of what its callers see, and is returned instead of it.
	var coordinatorFailed, nodeFailed error
	servers.Go(func() {
		if err := c.coordinator.Run(serving); err != nil && serving.Err() == nil {
			coordinatorFailed = fmt.Errorf("coordinator: %w", c.explain(err))
			stopWorking(coordinatorFailed)
		}
	})
	nodes.Go(func() {
		switch err := c.runNodes(working); {
		case err != nil && working.Err() == nil:
			nodeFailed = fmt.Errorf("node: %w", err)
			stopWorking(nodeFailed)
		case err != nil:
			c.cfg.Log.Warn("node ended with an error", "error", err)
		}
	})
	s, err := c.follow(working, filename, file, see)
	stopWorking(nil)
	nodes.Wait()
	stopServing(nil)
	servers.Wait()
	switch {
	case err == nil:
		return s, nil
	case ctx.Err() != nil:
		return s, ctx.Err()
	case coordinatorFailed != nil:
		return s, coordinatorFailed
	case nodeFailed != nil:
		return s, nodeFailed
	}
	return s, err
}

// explain says what to do about state that cannot be used.
func (c *cluster) explain(err error) error {
	cause := err
	switch {
	case errors.Is(err, owner.ErrForeign):
		cause = errors.New("its spool does not belong to its etcd")
	case !errors.Is(err, ledger.ErrDamaged):
		return err
	}
	return fmt.Errorf(
		"use the state in %s: %w; remove that directory and run the same command again: files of the result set in "+
			"%s are kept, and finished shards that are not merged into them are computed again",
		c.cfg.State, cause, c.cfg.Out,
	)
}

// runNodes runs one node in this process, or the node processes, until ctx ends or the coordinator
// rejects the node.
func (c *cluster) runNodes(ctx context.Context) error {
	if c.cfg.Nodes > 0 {
		var processes sync.WaitGroup
		for i := range c.cfg.Nodes {
			processes.Go(func() { c.superviseNode(ctx, fmt.Sprintf("node-%d", i)) })
		}
		processes.Wait()
		return nil
	}
	conn, err := node.Dial(c.address, node.Service, insecure.NewCredentials())
	if err != nil {
		return err
	}
	defer conn.Close()
	return node.New(conn, node.Config{
		Name:         "local",
		Slots:        c.cfg.Slots,
		Version:      c.cfg.Version,
		DrainTimeout: drainTimeout,
		Log:          c.cfg.Log,
		Memo:         c.cfg.Memo,
	}).Run(ctx)
}

// follow submits the sweep and watches it until it ends. Shards that were quarantined before are
// retried.
func (c *cluster) follow(
	ctx context.Context,
	filename string,
	file []byte,
	see func(client.Sweep),
) (client.Sweep, error) {
	s, err := c.client.SubmitWhenReady(ctx, filename, file)
	if err != nil {
		return s, err
	}
	if s.Progress.ShardsQuarantined > 0 {
		if s, _, err = c.client.Retry(ctx, s.ID); err != nil {
			return s, err
		}
	}
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	alarms := alarmWatch{giveUp: giveUp}
	defer alarms.stop()
	s, err = c.client.Watch(ctx, s.ID, func(s client.Sweep) {
		see(s)
		alarms.see(s)
	})
	if cause := context.Cause(ctx); err != nil && errors.As(cause, new(alarmError)) {
		return s, cause
	}
	return s, err
}
