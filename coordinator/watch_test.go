package coordinator_test

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// wait watches a sweep until it ends.
func (c *cluster) wait(ctx context.Context, id string) *pb.Sweep {
	c.t.Helper()
	for {
		m, err := c.watch(ctx, id)
		if err == nil {
			return m
		}
		if status.Code(err) != codes.Unavailable || ctx.Err() != nil {
			c.t.Fatalf("Watch = %v", err)
		}
		time.Sleep(50 * time.Millisecond) // until the next attempt
	}
}

// watch watches a sweep until it ends or the watch does, as with a leader that has lost its session
// to a slow disk.
func (c *cluster) watch(ctx context.Context, id string) (*pb.Sweep, error) {
	stream, err := c.sweeps.Watch(ctx, &pb.WatchRequest{Sweep: id}, grpc.WaitForReady(true))
	if err != nil {
		return nil, err
	}
	for {
		m, err := stream.Recv()
		if err != nil || m.GetSweep().GetPhase() >= pb.Phase_PHASE_DONE {
			return m.GetSweep(), err
		}
	}
}
