package coordinator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// maxHandshakes bounds the streams that wait for their first message: nothing is known about them
// yet, and each may take the memory of a whole message.
const maxHandshakes = 32

// minSilence is the least time for which nodes accept a silent coordinator, however short their
// leases are.
const minSilence = 3 * time.Second

// nodesServer is the service for nodes.
type nodesServer struct {
	pb.UnimplementedNodesServer
	leader     leader
	calls      *calls
	handshakes *handshakes
}

// maxUnread bounds the messages that wait for a node to read them. The board may revoke every shard
// that a node holds at once, one by one.
const maxUnread = 2 * board.MaxCapacity

// nodeStream is one Attach stream. Its handler owns it; others may send to it and cancel it.
type nodeStream struct {
	conn     uint64
	name     string
	instance string // of the process; it is secret
	out      *queue[*pb.AttachResponse]
	pulsing  atomic.Bool // a pulse is in out; one answers any number of heartbeats
	cancel   context.CancelCauseFunc
}

// send queues a message for the stream's sender. A node that does not read is disconnected before
// its messages fill the memory.
func (n *nodeStream) send(m *pb.AttachResponse) {
	if n.out.put(m) > maxUnread {
		n.cancel(
			fmt.Errorf(
				"disconnect node %s: it left more than %d messages unread; check the node and its connection",
				n.name,
				maxUnread,
			),
		)
	}
}

// pulse queues the answer to a heartbeat.
func (n *nodeStream) pulse() {
	if n.pulsing.CompareAndSwap(false, true) {
		n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Pulse{Pulse: &pb.Pulse{}}})
	}
}

// Attach serves the stream of a node.
func (s *nodesServer) Attach(stream grpc.BidiStreamingServer[pb.AttachRequest, pb.AttachResponse]) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	t, err := s.leader.leading(ctx)
	if err != nil {
		return err
	}
	first, err := firstMessage(ctx, s.handshakes, stream.Recv)
	if err != nil {
		return err
	}
	hello := first.GetHello()
	if hello == nil {
		return badField("message", "the first message must be hello")
	}
	incoming := make(chan *pb.AttachRequest)
	received := make(chan error, 1)
	go func() { received <- receive(ctx, stream, incoming) }() // ends with the stream, which ends when the handler returns

	held, err := rangesFromProto("hello.held", hello.GetHeld())
	if err = cmp.Or(err, checkInfo("hello.info", hello.GetInfo()), checkCapacity("hello.capacity", hello.GetCapacity()),
		checkInstance("hello.instance", hello.GetInstance())); err != nil {
		return err
	}
	info := nodeFromProto(hello.GetInfo())
	record, err := ledger.Encode(&pb.NodeRecord{Info: nodeToProto(info), Since: timestamppb.Now()})
	if err != nil {
		return err
	}
	n, err := t.addNode(info.Name, string(hello.GetInstance()), cancel)
	if err != nil {
		return err
	}
	defer t.removeNode(n)
	n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Welcome{Welcome: &pb.Welcome{
		LeaseTtlMs: t.cfg.LeaseTTL.Milliseconds(), HeartbeatMs: (t.cfg.LeaseTTL / 4).Milliseconds(),
		SilenceMs: max(t.cfg.LeaseTTL/2, minSilence).Milliseconds(),
	}}})
	t.saves.put(save{writes: []ledger.Write{{Key: ledger.NodeKey(info.Name), Ephemeral: true, Value: record}}, then: func() {}})
	t.log.Info("node attached", "node_id", info.Name, "slots", info.Slots, "solver_version", info.Solver, "class", info.Class)
	t.post(board.NodeAttached{Conn: n.conn, Info: info, Instance: n.instance, Capacity: int(hello.GetCapacity()), Held: held})

	// The sender also ends with the stream, and is not waited for: if the node does not read, only
	// the end of the stream ends it.
	go func() { cancel(n.sendAll(ctx, stream)) }()
	left, err := s.serve(ctx, t, n, incoming, received)
	if !left {
		t.post(board.StreamBroken{Conn: n.conn, Node: n.name})
	}
	return err
}

// serve handles the messages of a node until its stream ends; left tells whether it said goodbye.
func (s *nodesServer) serve(
	ctx context.Context,
	t *term,
	n *nodeStream,
	incoming <-chan *pb.AttachRequest,
	received <-chan error,
) (left bool, err error) {
	for {
		select {
		case m := <-incoming:
			event, err := n.eventOf(m)
			if err != nil {
				return false, err
			}
			// The next message is read after the board has handled this one, which slows a node
			// down that sends too fast. A heartbeat is answered by the loop itself, which shows
			// that the loop is alive.
			_, err = ask(ctx, t, func() struct{} {
				t.step(event)
				if _, beat := event.(board.NodeHeartbeat); beat {
					n.pulse()
				}
				return struct{}{}
			})
			if err != nil {
				continue // ctx or the term has ended
			}
			if _, left := event.(board.NodeLeft); left {
				return true, nil
			}
		case err := <-received:
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return false, err
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-t.ended:
			return false, s.leader.notLeader(ctx)
		}
	}
}

// eventOf converts one message to an event.
func (n *nodeStream) eventOf(m *pb.AttachRequest) (board.Event, error) {
	switch {
	case m.GetHeartbeat() != nil:
		if err := checkCapacity("heartbeat.capacity", m.GetHeartbeat().GetCapacity()); err != nil {
			return nil, err
		}
		return board.NodeHeartbeat{Conn: n.conn, Node: n.name, Capacity: int(m.GetHeartbeat().GetCapacity())}, nil
	case m.GetDrain() != nil:
		runs, err := rangesFromProto("drain.returned", m.GetDrain().GetReturned())
		return board.NodeDraining{Conn: n.conn, Node: n.name, Returned: runs}, err
	case m.GetBye() != nil:
		_, err := rangesFromProto("bye.returned", m.GetBye().GetReturned()) // the board knows what the node holds
		return board.NodeLeft{Conn: n.conn, Node: n.name}, err
	case m.GetAbandon() != nil:
		run := m.GetAbandon().GetRun()
		if err := checkShardRange("abandon.run", run); err != nil {
			return nil, err
		}
		return board.ShardsAbandoned{Node: n.name, Range: rangeFromProto(run), Cause: board.OneLine(m.GetAbandon().GetCause())}, nil
	}
	return nil, badField("message", "second hello, or unknown message")
}

// receive passes the messages of a stream on until it ends.
func receive(
	ctx context.Context,
	stream grpc.BidiStreamingServer[pb.AttachRequest, pb.AttachResponse],
	to chan<- *pb.AttachRequest,
) error {
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

// handshakes limits the streams that wait for their first message.
type handshakes struct {
	limit   *semaphore.Weighted // of streams
	timeout time.Duration
}

func newHandshakes(timeout time.Duration) *handshakes {
	return &handshakes{semaphore.NewWeighted(maxHandshakes), timeout}
}

// firstMessage receives the first message of a stream. If it fails the handler must return, which
// ends the receiving goroutine.
func firstMessage[M any](ctx context.Context, o *handshakes, receive func() (M, error)) (first M, err error) {
	if err := o.limit.Acquire(ctx, 1); err != nil {
		return first, err
	}
	defer o.limit.Release(1)
	received := make(chan error, 1)
	var m M
	go func() {
		var err error
		m, err = receive()
		received <- err
	}()
	timeout := time.NewTimer(o.timeout)
	defer timeout.Stop()
	select {
	case err := <-received:
		return m, err
	case <-timeout.C:
		return first, fmt.Errorf("receive first message: none within %v: %w", o.timeout, context.DeadlineExceeded)
	case <-ctx.Done():
		return first, ctx.Err()
	}
}

// sendAll sends queued messages until ctx or the stream ends.
func (n *nodeStream) sendAll(
	ctx context.Context,
	stream grpc.BidiStreamingServer[pb.AttachRequest, pb.AttachResponse],
) error {
	for {
		messages, err := n.out.wait(ctx)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if err := stream.Send(m); err != nil {
				return err
			}
			if m.GetPulse() != nil {
				n.pulsing.Store(false)
			}
		}
	}
}

// addNode registers a stream. A process may replace its own older stream, but not that of another
// process: two nodes of one name would replace each other forever. The stream of a process that
// died ends with its connection or its leases.
func (t *term) addNode(name, instance string, cancel context.CancelCauseFunc) (*nodeStream, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, other := range t.nodes {
		if other.name == name && other.instance != instance {
			return nil, fmt.Errorf("attach node %q: %w", name, errNameTaken)
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

// isAttached tells whether a delivery comes from the attached node that it names.
func (t *term) isAttached(h *pb.DeliverHeader) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, n := range t.nodes {
		if n.name == h.GetNode() && n.instance == string(h.GetInstance()) {
			return true
		}
	}
	return false
}

// closeNodes ends every stream, at the end of the term.
func (t *term) closeNodes() {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, n := range t.nodes {
		n.cancel(&notLeaderError{})
	}
}

// grant sends a grant to its node.
func (t *term) grant(a board.Grant) {
	n := t.stream(a.Conn)
	if n == nil {
		return
	}
	runs := make([]*pb.ShardRun, 0, len(a.Ranges))
	for _, r := range a.Ranges {
		if e := t.lookup(r.Sweep); e != nil {
			runs = append(runs, rangeToProto(r, e.design.bounds(r)))
			t.log.Debug("shards granted", "node_id", n.name, "sweep_id", r.Sweep, "first", r.First, "shards", r.Count)
		}
	}
	n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Grant{Grant: &pb.Grant{Runs: runs}}})
}

// revoke sends a revocation to its node.
func (t *term) revoke(a board.Revoke) {
	n := t.stream(a.Conn)
	if n == nil {
		return
	}
	runs := make([]*pb.ShardRun, len(a.Ranges))
	for i, r := range a.Ranges {
		runs[i] = rangeToProto(r, nil)
	}
	n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Revoke{Revoke: &pb.Revoke{Runs: runs}}})
}

// dismiss tells a node that it gets no leases, or ends its stream.
func (t *term) dismiss(a board.Dismiss) {
	n := t.stream(a.Conn)
	if n == nil {
		return
	}
	if a.Close {
		n.cancel(fmt.Errorf("disconnect node %s: %s", a.Node, a.Reason))
		return
	}
	n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Refused{Refused: &pb.Refused{Reason: a.Reason}}})
}

func (s *nodesServer) GetSpec(ctx context.Context, r *pb.GetSpecRequest) (*pb.GetSpecResponse, error) {
	t, err := s.leader.leading(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkName("sweep_id", r.GetSweepId()); err != nil {
		return nil, err
	}
	e := t.lookup(r.GetSweepId())
	if e == nil {
		return nil, fmt.Errorf("find sweep %q: %w", r.GetSweepId(), errUnknownSweep)
	}
	return &pb.GetSpecResponse{Spec: specToProto(e.design, "")}, nil
}
