package coordinator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// maxOpening is how many new streams may be at their first message: nothing is known of them yet, and each may take the
// memory of a whole message.
const maxOpening = 32

// leastSilence is how long nodes bear a coordinator's silence at least, however short their leases are.
const leastSilence = 3 * time.Second

// nodesServer is the service for nodes.
type nodesServer struct {
	pb.UnimplementedNodesServer
	*Coordinator
}

// nodeStream is one Attach stream. Its handler owns it; others put messages into out and may cancel it.
type nodeStream struct {
	conn     uint64
	name     string
	instance string // tells the process from others that use its name
	out      *queue[*pb.AttachResponse]
	cancel   context.CancelCauseFunc
}

func (s *nodesServer) Attach(stream grpc.BidiStreamingServer[pb.AttachRequest, pb.AttachResponse]) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	t, err := s.leading(ctx)
	if err != nil {
		return err
	}
	first, err := opened(ctx, s.Coordinator, stream.Recv)
	if err != nil {
		return err
	}
	hello := first.GetHello()
	if hello == nil {
		return badField("message", "the first message must be hello")
	}
	incoming := make(chan *pb.AttachRequest)
	received := make(chan error, 1)
	go func() { received <- receive(ctx, stream, incoming) }() // ends with ctx: a handler's return ends its stream

	held, err := runsFromProto("hello.held", hello.GetHeld())
	if err = cmp.Or(err, checkInfo("hello.info", hello.GetInfo()), checkCapacity("hello.capacity", hello.GetCapacity()),
		checkInstance("hello.instance", hello.GetInstance())); err != nil {
		return err
	}
	info := nodeFromProto(hello.GetInfo())
	record, err := encode(&pb.NodeRecord{Info: nodeToProto(info), Since: timestamppb.Now()})
	if err != nil {
		return err
	}
	n, err := t.addNode(info.Name, string(hello.GetInstance()), cancel)
	if err != nil {
		return err
	}
	defer t.removeNode(n)
	n.out.put(&pb.AttachResponse{Message: &pb.AttachResponse_Welcome{Welcome: &pb.Welcome{
		LeaseTtlMs: s.cfg.LeaseTTL.Milliseconds(), HeartbeatMs: (s.cfg.LeaseTTL / 4).Milliseconds(),
		SilenceMs: max(s.cfg.LeaseTTL/2, leastSilence).Milliseconds(),
	}}})
	t.saves.put(save{[]Write{{Key: nodeKey(info.Name), Perishable: true, Value: record}}, func() {}})
	t.post(Attach{Conn: n.conn, Info: info, Capacity: int(hello.GetCapacity()), Held: held})

	sent := make(chan struct{})
	go func() {
		defer close(sent)
		cancel(sendAll(ctx, n.out, stream))
	}()
	left, err := s.converse(ctx, t, n, incoming, received)
	if !left {
		t.post(Broken{Conn: n.conn, Node: n.name})
	}
	cancel(nil)
	<-sent
	return err
}

// converse handles a node's messages until its stream ends; left tells whether it said goodbye.
func (s *nodesServer) converse(ctx context.Context, t *term, n *nodeStream, incoming <-chan *pb.AttachRequest, received <-chan error) (left bool, err error) {
	for {
		select {
		case m := <-incoming:
			if left, err := t.hear(n, m); left || err != nil {
				return left, err
			}
		case err := <-received:
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return false, err
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-t.ended:
			return false, s.notLeader(ctx)
		}
	}
}

// hear turns one message into an event.
func (t *term) hear(n *nodeStream, m *pb.AttachRequest) (left bool, err error) {
	switch {
	case m.GetHeartbeat() != nil:
		if err := checkCapacity("heartbeat.capacity", m.GetHeartbeat().GetCapacity()); err != nil {
			return false, err
		}
		beat := Beat{Conn: n.conn, Node: n.name, Capacity: int(m.GetHeartbeat().GetCapacity())}
		t.inbox.put(func() { // answered by the board's own goroutine: that one must be alive
			t.step(beat)
			n.out.put(&pb.AttachResponse{Message: &pb.AttachResponse_Pulse{Pulse: &pb.Pulse{}}})
		})
	case m.GetDrain() != nil:
		runs, err := runsFromProto("drain.returned", m.GetDrain().GetReturned())
		if err != nil {
			return false, err
		}
		t.post(Drain{Conn: n.conn, Node: n.name, Returned: runs})
	case m.GetBye() != nil:
		if _, err := runsFromProto("bye.returned", m.GetBye().GetReturned()); err != nil { // the board knows what it holds
			return false, err
		}
		t.post(Leave{Conn: n.conn, Node: n.name})
		return true, nil
	case m.GetAbandon() != nil:
		run := m.GetAbandon().GetRun()
		if err := checkRun("abandon.run", run); err != nil {
			return false, err
		}
		t.post(Abandon{Node: n.name, Run: runFromProto(run), Cause: oneLine(m.GetAbandon().GetCause())})
	default:
		return false, badField("message", "a second hello, or a message this coordinator does not know")
	}
	return false, nil
}

func receive(ctx context.Context, stream grpc.BidiStreamingServer[pb.AttachRequest, pb.AttachResponse], to chan<- *pb.AttachRequest) error {
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		select {
		case to <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// opened receives the first message of a stream, whose handler must return where this fails: that ends the receiving.
func opened[M any](ctx context.Context, c *Coordinator, receive func() (M, error)) (first M, err error) {
	if err := c.opening.Acquire(ctx, 1); err != nil {
		return first, err
	}
	defer c.opening.Release(1)
	received := make(chan error, 1)
	var m M
	go func() {
		var err error
		m, err = receive()
		received <- err
	}()
	timeout := time.NewTimer(c.cfg.OpenTimeout)
	defer timeout.Stop()
	select {
	case err := <-received:
		return m, err
	case <-timeout.C:
		return first, fmt.Errorf("no first message within %v: %w", c.cfg.OpenTimeout, context.DeadlineExceeded)
	case <-ctx.Done():
		return first, ctx.Err()
	}
}

func sendAll(ctx context.Context, out *queue[*pb.AttachResponse], stream grpc.BidiStreamingServer[pb.AttachRequest, pb.AttachResponse]) error {
	for {
		messages, err := out.wait(ctx)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if err := stream.Send(m); err != nil {
				return err
			}
		}
	}
}

// addNode lets a process take over its own older stream, and nobody else's: two nodes of one name would take over from
// each other for ever. The stream of a process that is gone ends with its connection, or with its lease.
func (t *term) addNode(name, instance string, cancel context.CancelCauseFunc) (*nodeStream, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, other := range t.nodes {
		if other.name == name && other.instance != instance {
			return nil, fmt.Errorf("node %q: %w", name, errNameTaken)
		}
	}
	t.conns++
	n := &nodeStream{conn: t.conns, name: name, instance: instance, out: newQueue[*pb.AttachResponse](), cancel: cancel}
	t.nodes[n.conn] = n
	return n, nil
}

func (t *term) removeNode(n *nodeStream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.nodes, n.conn)
}

func (t *term) stream(conn uint64) *nodeStream {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.nodes[conn]
}

// proven tells whether a delivery comes from the attached node that it names.
func (t *term) proven(h *pb.DeliverHeader) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, n := range t.nodes {
		if n.name == h.GetNode() && n.instance == string(h.GetInstance()) {
			return true
		}
	}
	return false
}

// closeNodes ends every stream: this coordinator does not lead any more.
func (t *term) closeNodes() {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, n := range t.nodes {
		n.cancel(&notLeader{})
	}
}

func (t *term) grant(a Grant) {
	n := t.stream(a.Conn)
	if n == nil {
		return
	}
	runs := make([]*pb.ShardRun, 0, len(a.Runs))
	for _, r := range a.Runs {
		if e := t.lookup(r.Sweep); e != nil {
			runs = append(runs, runToProto(r, e.bounds(r)))
			t.log.Debug("shards granted", "node_id", n.name, "sweep_id", r.Sweep, "first", r.First, "shards", r.Count)
		}
	}
	n.out.put(&pb.AttachResponse{Message: &pb.AttachResponse_Grant{Grant: &pb.Grant{Runs: runs}}})
}

func (t *term) revoke(a Revoke) {
	n := t.stream(a.Conn)
	if n == nil {
		return
	}
	runs := make([]*pb.ShardRun, len(a.Runs))
	for i, r := range a.Runs {
		runs[i] = runToProto(r, nil)
	}
	n.out.put(&pb.AttachResponse{Message: &pb.AttachResponse_Revoke{Revoke: &pb.Revoke{Runs: runs}}})
}

func (t *term) dismiss(a Dismiss) {
	n := t.stream(a.Conn)
	if n == nil {
		return
	}
	if a.Close {
		n.cancel(fmt.Errorf("node %s: %s", a.Node, a.Reason))
		return
	}
	n.out.put(&pb.AttachResponse{Message: &pb.AttachResponse_Refused{Refused: &pb.Refused{Reason: a.Reason}}})
}

func (s *nodesServer) GetSpec(ctx context.Context, r *pb.GetSpecRequest) (*pb.GetSpecResponse, error) {
	t, err := s.leading(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkName("sweep_id", r.GetSweepId()); err != nil {
		return nil, err
	}
	e := t.lookup(r.GetSweepId())
	if e == nil {
		return nil, fmt.Errorf("%q: %w", r.GetSweepId(), ErrUnknownSweep)
	}
	return &pb.GetSpecResponse{Spec: specToProto(e.design, "")}, nil
}

// Deliver bounds the time of a delivery: one that stalls holds memory that others wait for. When it returns the stream
// ends, and with it whatever deliver was waiting for.
func (s *nodesServer) Deliver(stream grpc.ClientStreamingServer[pb.DeliverRequest, pb.DeliverResponse]) error {
	ctx := stream.Context()
	t, err := s.leading(ctx)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- s.panicked("Deliver", p)
			}
		}()
		done <- s.deliver(ctx, t, stream)
	}()
	timeout := time.NewTimer(s.cfg.DeliveryTimeout)
	defer timeout.Stop()
	select {
	case err := <-done:
		return err
	case <-timeout.C:
		return fmt.Errorf("a delivery of more than %v: %w", s.cfg.DeliveryTimeout, context.DeadlineExceeded)
	case <-t.ended:
		return s.notLeader(ctx)
	}
}

// deliver receives one shard, has it committed, and answers.
func (s *nodesServer) deliver(ctx context.Context, t *term, stream grpc.ClientStreamingServer[pb.DeliverRequest, pb.DeliverResponse]) error {
	first, err := opened(ctx, s.Coordinator, stream.Recv)
	if err != nil {
		return err
	}
	h := first.GetHeader()
	e, err := t.wanted(h)
	if err != nil {
		s.metrics.rejected.WithLabelValues("header").Inc()
		return err
	}
	if e == nil {
		return stream.SendAndClose(&pb.DeliverResponse{Outcome: pb.DeliverResponse_OUTCOME_UNWANTED})
	}
	// Nothing is received before there is room for it: nodes wait, and with them their appetite for more.
	// Whatever the header says, one message comes in before it can be found too long.
	weight := min(h.GetPayloadBytes(), s.cfg.DeliveryMemory)
	receiving := min(max(weight, maxMessageBytes), s.cfg.DeliveryMemory)
	if err := t.budget.Acquire(ctx, receiving); err != nil {
		return err
	}
	in, err := t.receiveShard(stream, e, h)
	if err != nil {
		t.budget.Release(receiving)
		return err
	}
	t.budget.Release(receiving - weight)
	a, err := t.await(ctx, in, h, weight)
	if err != nil {
		return err
	}
	return replyTo(stream, a)
}

func replyTo(stream grpc.ClientStreamingServer[pb.DeliverRequest, pb.DeliverResponse], a Answer) error {
	outcome, ok := map[Outcome]pb.DeliverResponse_Outcome{
		OutcomeCommitted: pb.DeliverResponse_OUTCOME_COMMITTED, OutcomeDuplicate: pb.DeliverResponse_OUTCOME_DUPLICATE,
		OutcomeUnwanted: pb.DeliverResponse_OUTCOME_UNWANTED,
	}[a.Outcome]
	if !ok {
		return fmt.Errorf("%w: %s", ErrRejected, a.Reason)
	}
	return stream.SendAndClose(&pb.DeliverResponse{Outcome: outcome})
}

// wanted finds the sweep of a delivery and checks all that can be checked before its bytes; nil for a sweep that is not there.
func (t *term) wanted(h *pb.DeliverHeader) (*entry, error) {
	if err := checkHeader(h); err != nil {
		return nil, err
	}
	e := t.lookup(h.GetSweepId())
	if e == nil || e.failure != "" {
		return nil, nil
	}
	if int(h.GetSolverVersion()) != e.solver {
		return nil, fmt.Errorf("%w: the sweep needs solver %d, this node has %d", ErrRejected, e.solver, h.GetSolverVersion())
	}
	return e, checkRange("header.shard", h.GetShard(), 0, e.plan.Shards()-1)
}

// receiveShard receives a payload and verifies that it is the shard it should be. What does not verify is refused as a
// whole, counted, and held against the node.
func (t *term) receiveShard(stream grpc.ClientStreamingServer[pb.DeliverRequest, pb.DeliverResponse], e *entry, h *pb.DeliverHeader) (*incoming, error) {
	payload := make([]byte, 0, min(h.GetPayloadBytes(), 1<<20))
	for int64(len(payload)) < h.GetPayloadBytes() {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, t.refuse(h, "truncated", fmt.Errorf("%d bytes of %d", len(payload), h.GetPayloadBytes()))
		}
		if err != nil {
			return nil, err
		}
		if len(m.GetChunk()) == 0 || int64(len(payload)+len(m.GetChunk())) > h.GetPayloadBytes() {
			return nil, t.refuse(h, "size", fmt.Errorf("a chunk of %d bytes after %d of %d", len(m.GetChunk()), len(payload), h.GetPayloadBytes()))
		}
		payload = append(payload, m.GetChunk()...)
	}
	d, err := deliveryFromProto(h, payload)
	if err != nil {
		return nil, t.refuse(h, string(results.Tables), err)
	}
	shard, err := e.schema.Decode(d, e.expectation(int(h.GetShard())))
	if err != nil {
		return nil, t.refuse(h, string(results.ReasonOf(err)), err)
	}
	stored := proto.CloneOf(h)
	stored.Instance = nil // a secret, and of no use later
	header, err := encode(stored)
	if err != nil {
		return nil, t.refuse(h, "header", err)
	}
	return &incoming{entry: e, shard: int(h.GetShard()), frame: frame{header: header, payload: payload}, rows: countsOf(shard)}, nil
}

// refuse counts a bad delivery and takes the shard from the node. Certificates tell roles and not names: what does not
// prove to come from the node that it names is held against nobody.
func (t *term) refuse(h *pb.DeliverHeader, reason string, err error) error {
	t.metrics.rejected.WithLabelValues(reason).Inc()
	t.log.Warn("delivery refused", "sweep_id", h.GetSweepId(), "shard_id", h.GetShard(), "node_id", h.GetNode(), "reason", reason, "error", err)
	if t.proven(h) {
		t.post(Refuse{Node: h.GetNode(), Sweep: h.GetSweepId(), Shard: int(h.GetShard()), Cause: oneLine(err.Error())})
	}
	return badField("payload", "%w", err)
}

// await lets the board decide about a verified shard and waits for the answer. The memory is given back when the bytes are
// on disk or dropped, not when the caller goes away.
func (t *term) await(ctx context.Context, in *incoming, h *pb.DeliverHeader, weight int64) (Answer, error) {
	answer := make(chan Answer, 1)
	start := time.Now()
	t.inbox.put(func() {
		t.tokens++
		in.token = t.tokens
		t.incoming[in.token] = in
		t.waiters[in.token] = func(a Answer) {
			t.budget.Release(weight)
			answer <- a
		}
		t.step(Deliver{
			Token: in.token, Sweep: in.entry.id, Shard: in.shard, Node: h.GetNode(), Solver: int(h.GetSolverVersion()),
			Class: h.GetArithmeticClass(), Counts: in.rows,
		})
	})
	select {
	case a := <-answer:
		t.metrics.observeAnswer(a.Outcome, time.Since(start), h.GetFinished().AsTime().Sub(h.GetStarted().AsTime()))
		return a, nil
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	case <-t.ended:
		return Answer{}, &notLeader{}
	}
}
