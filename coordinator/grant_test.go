package coordinator_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// TestGrantsThatNeverArrived: the streams of three nodes break as they are granted the same shard,
// which none of them receives. The shard is not quarantined.
func TestGrantsThatNeverArrived(t *testing.T) {
	t.Parallel()
	store, dir := fileStore(t)
	ctx := deadline(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	attach := func(ctx context.Context, name string) pb.Nodes_AttachClient {
		stream, err := c.nodes.Attach(ctx)
		if err != nil {
			t.Fatal(err)
		}
		hello := &pb.Hello{
			Info:     (&coordtest.Node{Name: name}).Info(),
			Capacity: 8,
			Instance: []byte("process of " + name),
		}
		if err := stream.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: hello}}); err != nil {
			t.Fatal(err)
		}
		for {
			if m, err := stream.Recv(); err != nil {
				t.Fatal(err)
			} else if m.GetGrant() != nil {
				return stream
			}
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		broken, cut := context.WithCancel(ctx)
		attach(broken, name) // this grant is the one that gets lost
		cut()
		again := attach(ctx, name)
		if err := again.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Bye{Bye: &pb.Bye{}}}); err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := again.Recv(); err != nil {
				break
			}
		}
	}
	if p := c.get(ctx, id).GetProgress(); p.GetShardsQuarantined() != 0 || len(p.GetLosses()) != 0 {
		t.Errorf("%d shards are in quarantine, losses are %v", p.GetShardsQuarantined(), p.GetLosses())
	}
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	checkSmallSet(t, filepath.Join(dir, c.wait(ctx, id).GetResultSet()))
}
