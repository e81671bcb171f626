package coordinator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/spool"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// Deliver bounds the time of a delivery, since one that stalls holds memory that others wait for.
// Its return ends the stream, and with it any call that deliver is blocked in.
func (s *nodesServer) Deliver(stream grpc.ClientStreamingServer[pb.DeliverRequest, pb.DeliverResponse]) error {
	ctx := stream.Context()
	t, err := s.leader.leading(ctx)
	if err != nil {
		return err
	}
	silence := newSilence(t.cfg.ChunkTimeout)
	done := s.calls.inBackground("Deliver", func() error { return s.deliver(ctx, t, chunkStream{stream, silence}) })
	timeout := time.NewTimer(t.cfg.DeliveryTimeout)
	defer timeout.Stop()
	select {
	case err := <-done:
		return err
	case <-timeout.C:
		return fmt.Errorf(
			"receive delivery: not complete after %v: %w", t.cfg.DeliveryTimeout, context.DeadlineExceeded,
		)
	case <-silence.timer.C:
		return fmt.Errorf("receive delivery: no data for %v: %w", t.cfg.ChunkTimeout, context.DeadlineExceeded)
	case <-t.ended:
		return s.leader.notLeader(ctx)
	}
}

// chunkStream is the stream of a delivery, with a timeout for each message.
type chunkStream struct {
	grpc.ClientStreamingServer[pb.DeliverRequest, pb.DeliverResponse]
	silence silence
}

func (s chunkStream) Recv() (*pb.DeliverRequest, error) {
	defer s.silence.begin()()
	return s.ClientStreamingServer.Recv()
}

// deliver receives one shard, has it committed, and answers.
func (s *nodesServer) deliver(
	ctx context.Context,
	t *term,
	stream grpc.ClientStreamingServer[pb.DeliverRequest, pb.DeliverResponse],
) error {
	first, err := firstMessage(ctx, s.handshakes, stream.Recv)
	if err != nil {
		return err
	}
	h := first.GetHeader()
	e, err := t.admit(h)
	if err != nil {
		t.metrics.rejected.WithLabelValues("header").Inc()
		return err
	}
	if e == nil {
		return stream.SendAndClose(&pb.DeliverResponse{Outcome: pb.DeliverResponse_OUTCOME_UNWANTED})
	}
	// Nothing is received before there is memory for it. Nodes wait meanwhile, and take no more
	// leases. Whatever the header says, one whole message is read before it can be found too long.
	weight := min(h.GetPayloadBytes(), t.cfg.DeliveryMemory)
	receiving := min(max(weight, maxChunkMessage), t.cfg.DeliveryMemory)
	if err := t.budget.Acquire(ctx, receiving); err != nil {
		return err
	}
	in, err := t.receiveShard(stream, e, h)
	if err != nil {
		t.budget.Release(receiving)
		return err
	}
	t.budget.Release(receiving - weight)
	a, err := t.commitDelivery(ctx, in, h, weight)
	if err != nil {
		return err
	}
	return replyTo(stream, a)
}

// replyTo sends the answer to a delivery.
func replyTo(stream grpc.ClientStreamingServer[pb.DeliverRequest, pb.DeliverResponse], a board.Answer) error {
	outcome, ok := map[board.Outcome]pb.DeliverResponse_Outcome{
		board.OutcomeCommitted: pb.DeliverResponse_OUTCOME_COMMITTED,
		board.OutcomeDuplicate: pb.DeliverResponse_OUTCOME_DUPLICATE,
		board.OutcomeUnwanted:  pb.DeliverResponse_OUTCOME_UNWANTED,
	}[a.Outcome]
	if !ok {
		return fmt.Errorf("%w: %s", errRejected, a.Reason)
	}
	return stream.SendAndClose(&pb.DeliverResponse{Outcome: outcome})
}

// admit returns the sweep of a delivery after all checks that need no payload; nil if there is no
// such sweep.
func (t *term) admit(h *pb.DeliverHeader) (*entry, error) {
	if err := checkHeader(h); err != nil {
		return nil, err
	}
	e := t.lookup(h.GetSweepId())
	if e == nil || e.failure != "" {
		return nil, nil
	}
	if got := ledger.SolverFromProto(h.GetSolver(), h.GetSolverVersion()); got != e.design.solver {
		return nil, fmt.Errorf("%w: got solver %s, want %s", errRejected, got, e.design.solver)
	}
	return e, checkRange("header.shard", h.GetShard(), 0, e.design.plan.Shards()-1)
}

// receiveShard receives a payload and verifies that it is that of the shard. A payload that fails a
// check is rejected as a whole, and counts as a failure of the node.
func (t *term) receiveShard(
	stream grpc.ClientStreamingServer[pb.DeliverRequest, pb.DeliverResponse],
	e *entry,
	h *pb.DeliverHeader,
) (*incoming, error) {
	payload := make([]byte, 0, min(h.GetPayloadBytes(), 1<<20))
	for int64(len(payload)) < h.GetPayloadBytes() {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, t.reject(h, "truncated", fmt.Errorf("got %d bytes, want %d", len(payload), h.GetPayloadBytes()))
		}
		if err != nil {
			return nil, err
		}
		if len(m.GetChunk()) == 0 || int64(len(payload)+len(m.GetChunk())) > h.GetPayloadBytes() {
			return nil, t.reject(h, "size", fmt.Errorf("got a chunk of %d bytes after %d bytes, want %d in total",
				len(m.GetChunk()), len(payload), h.GetPayloadBytes()))
		}
		payload = append(payload, m.GetChunk()...)
	}
	d, err := deliveryFromProto(h, payload)
	if err != nil {
		return nil, t.reject(h, string(results.BadTables), err)
	}
	shard, err := e.design.schema.Decode(d, e.design.expectation(int(h.GetShard())))
	if err != nil {
		return nil, t.reject(h, string(results.ReasonOf(err)), err)
	}
	stored := proto.CloneOf(h)
	stored.Instance = nil // a secret that is not needed later
	header, err := ledger.Encode(stored)
	if err != nil {
		return nil, t.reject(h, "header", err)
	}
	return &incoming{
		entry: e,
		shard: int(h.GetShard()),
		frame: spool.Frame{Header: header, Payload: payload},
		rows:  countsOf(shard),
	}, nil
}

// reject counts a rejected delivery and fails the lease of the shard. Certificates prove roles and
// not names: a delivery that is not proven to come from the node that it names counts against no
// node.
func (t *term) reject(h *pb.DeliverHeader, reason string, err error) error {
	t.metrics.rejected.WithLabelValues(reason).Inc()
	t.log.Warn("delivery rejected",
		"sweep_id", h.GetSweepId(), "shard_id", h.GetShard(), "node", h.GetNode(), "reason", reason,
		"error", err)
	if t.isAttached(h) {
		t.post(board.DeliveryRejected{
			Node: h.GetNode(), Sweep: h.GetSweepId(), Shard: int(h.GetShard()), Cause: board.OneLine(err.Error()),
		})
	}
	return badField("payload", "%w", err)
}

// commitDelivery lets the board decide about a verified shard and waits for the answer. The memory
// is released when the bytes are on disk or dropped, even if the caller is gone.
func (t *term) commitDelivery(
	ctx context.Context,
	in *incoming,
	h *pb.DeliverHeader,
	weight int64,
) (board.Answer, error) {
	answer := make(chan board.Answer, 1)
	start := time.Now()
	t.inbox.put(func() {
		t.tokens++
		in.token = t.tokens
		t.incoming[in.token] = in
		t.waiters[in.token] = func(a board.Answer) {
			t.budget.Release(weight)
			answer <- a
		}
		t.step(board.ShardDelivered{
			Token: in.token, Sweep: in.entry.design.id, Shard: in.shard, Node: h.GetNode(),
			Solver: in.entry.design.solver.String(), Class: h.GetArithmeticClass(), Counts: in.rows,
		})
	})
	a, err := await(ctx, t, answer)
	if err == nil {
		t.metrics.observeAnswer(a.Outcome, time.Since(start), h.GetFinished().AsTime().Sub(h.GetStarted().AsTime()))
	}
	return a, err
}
