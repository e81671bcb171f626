package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/node"
)

// maxLocalNodes bounds the processes that run starts.
const maxLocalNodes = 256

// runLocal runs a sweep on a cluster of its own, in this process and the node processes it starts,
// until the sweep ends or ctx does. It returns when all of the cluster has ended.
func runLocal(ctx context.Context, o runOptions, state string, file []byte, earlier *memo) (client.Sweep, error) {
	out, err := store.OpenFolder(o.Out)
	if err != nil {
		return client.Sweep{}, fmt.Errorf("--out: %w", err)
	}
	spool, err := store.OpenFolder(filepath.Join(state, "spool"))
	if err != nil {
		return client.Sweep{}, fmt.Errorf("--state: %w", err)
	}
	listener, address, closeSocket, err := listenPrivately()
	if err != nil {
		return client.Sweep{}, err
	}
	defer closeSocket()
	c, err := coordinator.New(coordinator.Config{
		Name: "local", Listener: listener, Store: out, Spool: spool, Embedded: filepath.Join(state, "etcd"),
		MaxPointBytes: o.MaxPointBytes, GitRevision: currentVersion().Revision, Logger: o.coordinator,
	})
	if err != nil {
		return client.Sweep{}, err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return client.Sweep{}, fmt.Errorf("connect to the local coordinator: %w", err)
	}
	defer conn.Close()

	// Nodes end before the coordinator does: what they have finished is delivered.
	serving, stopServing := context.WithCancelCause(context.WithoutCancel(ctx))
	working, stopWorking := context.WithCancelCause(ctx)
	var servers, nodes sync.WaitGroup
	var broken error  // why the coordinator ended by itself; whoever calls it only sees that it is gone
	var refused error // why the node in this process ended by itself: nobody would solve anything
	servers.Go(func() {
		if err := c.Run(serving); err != nil && serving.Err() == nil {
			broken = fmt.Errorf("coordinator: %w", err)
			stopWorking(broken)
		}
	})
	nodes.Go(func() {
		switch err := runLocalNodes(working, o, address, earlier); {
		case err != nil && working.Err() == nil:
			refused = fmt.Errorf("node: %w", err)
			stopWorking(refused)
		case err != nil:
			o.log.Warn("node", "error", err)
		}
	})
	view, err := followSweep(working, conn, o, file)
	stopWorking(nil)
	nodes.Wait()
	stopServing(nil)
	servers.Wait()
	switch {
	case err == nil:
		return view, nil
	case ctx.Err() != nil:
		return view, fmt.Errorf("%w: what is finished is kept, the same command goes on", errInterrupted)
	case broken != nil:
		return view, broken
	case refused != nil:
		return view, refused
	}
	return view, err
}

// runLocalNodes works with one node in this process, or with several processes of their own, until
// ctx ends or the coordinator refuses the node.
func runLocalNodes(ctx context.Context, o runOptions, address string, earlier *memo) error {
	if o.Nodes > 0 {
		var processes sync.WaitGroup
		for i := range o.Nodes {
			processes.Go(func() { superviseNode(ctx, o, address, fmt.Sprintf("node-%d", i), earlier) })
		}
		processes.Wait()
		return nil
	}
	conn, err := node.Dial(address, nodesService, insecure.NewCredentials())
	if err != nil {
		return err
	}
	defer conn.Close()
	cfg := node.Config{
		Name:         "local",
		Slots:        o.Slots,
		Version:      currentVersion().Version,
		DrainTimeout: 5 * time.Second,
		Log:          o.log,
	}
	if earlier != nil {
		cfg.Memo = earlier
	}
	return node.New(conn, cfg).Run(ctx)
}

// followSweep submits the sweep and shows its progress until it ends.
func followSweep(ctx context.Context, conn grpc.ClientConnInterface, o runOptions, file []byte) (client.Sweep, error) {
	c := client.New(conn)
	view, err := c.SubmitWhenLed(ctx, o.File, file)
	if err != nil {
		return view, err
	}
	if view.Progress.ShardsQuarantined > 0 {
		if view, _, err = c.Retry(ctx, view.ID); err != nil {
			return view, err
		}
	}
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	watchAlarm := alarmWatch{giveUp: giveUp}
	defer watchAlarm.stop()
	bar := newProgress(o.stderr)
	view, err = c.Watch(ctx, view.ID, func(v client.Sweep) {
		bar.show(v)
		watchAlarm.see(v)
	})
	bar.close()
	if cause := context.Cause(ctx); err != nil && errors.As(cause, new(alarmError)) {
		return view, cause
	}
	return view, err
}
