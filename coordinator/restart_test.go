package coordinator

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/googleapis/gax-go/v2"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/node/solver"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/sweep"
)

// BenchmarkRestart measures the time from the start of a coordinator with embedded etcd, where
// 100,000 shards of an unfinished sweep are committed, to its first lease.
func BenchmarkRestart(b *testing.B) {
	const shards = 100_000
	folder := b.TempDir()
	size := committedShards(b, folder, shards)
	for b.Loop() {
		start := time.Now()
		sets, err := store.OpenFolder(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		c, err := New(Config{Embedded: folder, Store: sets, Listener: listener})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		firstLease(ctx, b, listener.Addr().String())
		b.ReportMetric(time.Since(start).Seconds(), "lease-s")
		cancel()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size)/1e6, "etcd-MB")
}

// committedShards fills a ledger with a sweep of which all shards but the last are committed, and
// returns its size.
func committedShards(b *testing.B, folder string, shards int) (size int) {
	b.Helper()
	file, err := coordtest.SweepFile(shards+100, 1)
	if err != nil {
		b.Fatal(err)
	}
	spec, err := sweep.Parse("bench.yaml", file, sweep.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	plan, err := sweep.NewPlan(b.Context(), spec, sweep.PlanVersion)
	if err != nil {
		b.Fatal(err)
	}
	d, err := newDesign(spec, plan, spec.Name(), sweep.BuiltinSolver(solver.Version), sweep.PlanVersion)
	if err != nil {
		b.Fatal(err)
	}
	d.created, d.weight = time.Now(), 1
	embedded, err := ledger.StartEmbedded(b.Context(), folder, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	leadership, err := embedded.Campaign(b.Context(), "bench", func() {})
	if err != nil {
		b.Fatal(err)
	}
	writes := []ledger.Write{
		{Key: ledger.SweepKey(d.id), Value: must(ledger.EncodeSweep(d.state()))},
		{Key: ledger.PhaseKey(d.id), Value: []byte("running")},
		{Key: ledger.ClassKey(d.id), Value: []byte("bench")},
	}
	var items []ledger.DoneShard
	folded := 0
	for s := range shards {
		items = append(
			items,
			ledger.DoneShard{
				Shard: s, Object: fmt.Sprintf("spool/0000000000000001-%06d", s/20000),
				Offset: int64(s) * 3000, Bytes: 3000, Rows: board.Counts{OK: 1},
			},
		)
		if len(items) == compactAt*8 || s == shards-1 {
			writes = append(
				writes,
				ledger.Write{
					Key:   ledger.DoneKey(d.id, int(d.plan.PartOf(int64(s))), folded),
					Value: must(ledger.EncodeDone(items)),
				},
			)
			items = nil
			folded++
		}
	}
	for i := range writes {
		size += len(writes[i].Key) + len(writes[i].Value)
		if err := leadership.Ledger.Commit(b.Context(), writes[i:i+1]); err != nil {
			b.Fatal(err)
		}
	}
	if err := leadership.Resign(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := embedded.Close(); err != nil {
		b.Fatal(err)
	}
	return size
}

func firstLease(ctx context.Context, b *testing.B, address string) {
	b.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	for {
		stream, err := pb.NewNodesClient(conn).Attach(ctx)
		if err == nil {
			err = stream.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{Capacity: 1,
				Info: &pb.NodeInfo{Name: "n", Slots: 1, SolverVersion: 1, ArithmeticClass: "bench"}}}})
		}
		for err == nil {
			var m *pb.AttachResponse
			if m, err = stream.Recv(); m.GetGrant() != nil {
				return
			}
		}
		if ctx.Err() != nil {
			b.Fatal(err)
		}
		_ = gax.Sleep(ctx, 5*time.Millisecond)
	}
}
