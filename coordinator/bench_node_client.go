package coordinator

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// startPace hands out tokens at the rate.
func (r *benchRun) startPace(ctx context.Context, g *errgroup.Group) {
	if r.Rate <= 0 {
		return
	}
	r.pace = make(chan struct{}, r.Nodes*r.Slots)
	g.Go(func() error {
		start, sent := time.Now(), 0
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			for due := int(time.Since(start).Seconds() * r.Rate); sent < due; sent++ {
				select {
				case r.pace <- struct{}{}:
				case <-ctx.Done():
					return nil
				}
			}
		}
	})
}

// node is one simulated node: it delivers what it is granted, Slots shards at once.
func (r *benchRun) node(ctx context.Context, client pb.NodesClient, i int) error {
	name := fmt.Sprintf("bench-%04d", i)
	stream, err := client.Attach(ctx)
	if err != nil {
		return benchEnd(ctx, err)
	}
	info := &pb.NodeInfo{
		Name:            name,
		Slots:           int32(r.Slots),
		SolverVersion:   int32(r.plan.solver),
		ArithmeticClass: "bench",
		Kernel:          "none",
	}
	err = stream.Send(
		&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{Info: info, Capacity: int32(2 * r.Slots)}}},
	)
	if err != nil {
		return benchEnd(ctx, err)
	}
	g, ctx := errgroup.WithContext(ctx)
	work := newQueue[*pb.DeliverHeader]()
	for range r.Slots {
		g.Go(func() error { return r.slot(ctx, client, name, work) })
	}
	g.Go(func() error {
		for {
			m, err := stream.Recv()
			if err != nil {
				return benchEnd(ctx, err)
			}
			for _, run := range m.GetGrant().GetRuns() {
				r.granted()
				for s := range run.GetShards() {
					work.put(
						&pb.DeliverHeader{
							SweepId: run.GetSweepId(),
							Shard:   run.GetFirstShard() + s,
							Epoch:   run.GetEpoch(),
						},
					)
				}
			}
		}
	})
	g.Go(func() error { // heartbeats
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			beat := &pb.AttachRequest{
				Message: &pb.AttachRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Capacity: int32(2 * r.Slots)}},
			}
			if err := stream.Send(beat); err != nil {
				return benchEnd(ctx, err)
			}
		}
	})
	return g.Wait()
}

// benchEnd is nil for the end of a stream that was wanted.
func benchEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, io.EOF) || status.Code(err) == codes.Canceled {
		return nil
	}
	return err
}

func (r *benchRun) granted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first.IsZero() {
		r.first = time.Now()
	}
}

// slot makes deliveries, one after the other.
func (r *benchRun) slot(ctx context.Context, client pb.NodesClient, name string, work *queue[*pb.DeliverHeader]) error {
	for {
		h, err := work.next(ctx)
		if err != nil {
			return nil
		}
		now := timestamppb.Now()
		d, err := r.rows(int(h.GetShard()))
		if err != nil {
			return err
		}
		if r.pace != nil {
			select {
			case <-r.pace:
			case <-ctx.Done():
				return nil
			}
		}
		h.Node, h.SolverVersion, h.ArithmeticClass, h.Kernel = name, int32(r.plan.solver), "bench", "none"
		h.PayloadBytes, h.Crc32C, h.Started, h.Finished = int64(len(d.Payload)), d.CRC32C, now, now
		for _, s := range d.Segments {
			h.Segments = append(
				h.Segments,
				&pb.Segment{Table: pb.Table(s.Table) + pb.Table_TABLE_POINTS, Bytes: s.Bytes, Rows: s.Rows},
			)
		}
		start := time.Now()
		if err := benchDeliver(ctx, client, h, d.Payload); err != nil {
			return benchEnd(ctx, err)
		}
		r.mu.Lock()
		r.last = time.Now()
		r.acks = append(r.acks, r.last.Sub(start))
		if len(r.acks) == r.StopAfter {
			r.stop()
		}
		r.mu.Unlock()
	}
}

// rows borrows a builder: simulated nodes by the thousand do not have one each.
func (r *benchRun) rows(shard int) (results.Delivery, error) {
	var b *results.Builder
	select {
	case b = <-r.builders:
	default:
		b = r.plan.schema.NewBuilder()
	}
	d, err := benchRows(r.plan, b, shard)
	select {
	case r.builders <- b:
	default:
		b.Release()
	}
	return d, err
}

// benchRows are rows as wide as a solver's.
func benchRows(d *design, b *results.Builder, shard int) (results.Delivery, error) {
	first, end := d.plan.Shard(int64(shard))
	parameters := make([]results.Cell, len(d.schema.Parameters()))
	for i, c := range d.schema.Parameters() {
		parameters[i] = results.Cell{Int: 100, Float: float64(shard), Text: "population", Null: c.Kind == results.Bool}
	}
	for i := first; i < end; i++ {
		id := sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24), byte(i >> 32)})
		x := 1 / float64(1+i)
		err := b.AddPoint(results.PointRow{
			Point: i, PointID: [16]byte(id[:16]), Parameters: parameters, Representation: "reduced", Status: results.StatusOK,
			RunSummary: results.RunSummary{
				Metrics: results.Metrics{
					Loss: x, SignalAlignment: 1 - x, SpikeAlignment: x / 2, BulkAlignment: x / 2,
					SignalEnergy: 1 - x, WeightNorm2: 1, TopEigenvectorOverlap: 1, StableRank: 1 + x,
				},
				EscapeStep: i, StepsTo90: i + 1, StepsTo99: i + 2, PeakSpikeAlignment: x,
				PeakSpikeStep: i, DivergedStep: -1, StepsRun: 1000, TailSignalAlignment: 1 - x, TailLoss: x,
			},
		})
		if err != nil {
			return results.Delivery{}, err
		}
	}
	return b.Encode()
}

func benchDeliver(ctx context.Context, client pb.NodesClient, h *pb.DeliverHeader, payload []byte) error {
	stream, err := client.Deliver(ctx)
	if err != nil {
		return err
	}
	err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Header{Header: h}})
	for err == nil && len(payload) > 0 {
		n := min(len(payload), 1<<20)
		err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Chunk{Chunk: payload[:n]}})
		payload = payload[n:]
	}
	answer, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	if answer.GetOutcome() != pb.DeliverResponse_OUTCOME_COMMITTED {
		return fmt.Errorf("bench: shard %d was answered %v", h.GetShard(), answer.GetOutcome())
	}
	return nil
}
