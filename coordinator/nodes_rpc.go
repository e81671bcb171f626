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

// maxOpening is how many new streams may be at their first message: nothing is known of them yet,
// and each may take the memory of a whole message.
const maxHandshakes = 32

// leastSilence is how long nodes bear a coordinator's silence at least, however short their leases
// are.
const minSilence = 3 * time.Second

// nodesServer is the service for nodes.
type nodesServer struct {
	pb.UnimplementedNodesServer
	leader     leader
	calls      *calls
	handshakes *handshakes
}

// maxUnread is how many messages may wait for a node to read them. The board may say as much at
// once as revoke every shard that a node holds, one by one.
const maxUnread = 2 * board.MaxCapacity

// nodeStream is one Attach stream. Its handler owns it; others send to it and may cancel it.
type nodeStream struct {
	conn     uint64
	name     string
	instance string // tells the process from others that use its name
	out      *queue[*pb.AttachResponse]
	pulsing  atomic.Bool // a pulse is in out: one is enough, however often the node beats
	cancel   context.CancelCauseFunc
}

// send leaves a message to the stream's sender. A node that does not read is cut off, before it
// fills the memory.
func (n *nodeStream) send(m *pb.AttachResponse) {
	if n.out.put(m) > maxUnread {
		n.cancel(
			fmt.Errorf(
				"node %s: more than %d messages wait to be read by it; it does not read, or its connection is too slow",
				n.name,
				maxUnread,
			),
		)
	}
}

func (n *nodeStream) pulse() {
	if n.pulsing.CompareAndSwap(false, true) {
		n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Pulse{Pulse: &pb.Pulse{}}})
	}
}

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
	go func() { received <- receive(ctx, stream, incoming) }() // ends with ctx: a handler's return ends its stream

	held, err := runsFromProto("hello.held", hello.GetHeld())
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
	t.post(board.NodeAttached{Conn: n.conn, Info: info, Instance: n.instance, Capacity: int(hello.GetCapacity()), Held: held})

	// This one ends with the stream too, and is not waited for: where a node does not read, only
	// the end of the stream ends it.
	go func() { cancel(n.sendAll(ctx, stream)) }()
	left, err := s.serve(ctx, t, n, incoming, received)
	if !left {
		t.post(board.StreamBroken{Conn: n.conn, Node: n.name})
	}
	return err
}

// converse handles a node's messages until its stream ends; left tells whether it said goodbye.
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
			// The next message is read when the board has had this one: a node that talks faster
			// than it is heard waits. And a beat is answered by the board's own goroutine: that one
			// must be alive.
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

// hear turns one message into an event.
func (n *nodeStream) eventOf(m *pb.AttachRequest) (board.Event, error) {
	switch {
	case m.GetHeartbeat() != nil:
		if err := checkCapacity("heartbeat.capacity", m.GetHeartbeat().GetCapacity()); err != nil {
			return nil, err
		}
		return board.NodeHeartbeat{Conn: n.conn, Node: n.name, Capacity: int(m.GetHeartbeat().GetCapacity())}, nil
	case m.GetDrain() != nil:
		runs, err := runsFromProto("drain.returned", m.GetDrain().GetReturned())
		return board.NodeDraining{Conn: n.conn, Node: n.name, Returned: runs}, err
	case m.GetBye() != nil:
		_, err := runsFromProto("bye.returned", m.GetBye().GetReturned()) // the board knows what it holds
		return board.NodeLeft{Conn: n.conn, Node: n.name}, err
	case m.GetAbandon() != nil:
		run := m.GetAbandon().GetRun()
		if err := checkRun("abandon.run", run); err != nil {
			return nil, err
		}
		return board.ShardsAbandoned{Node: n.name, Range: runFromProto(run), Cause: board.OneLine(m.GetAbandon().GetCause())}, nil
	}
	return nil, badField("message", "a second hello, or a message this coordinator does not know")
}

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

// openings are the streams that have not sent their first message.
type handshakes struct {
	limit   *semaphore.Weighted // of streams
	timeout time.Duration
}

func newHandshakes(timeout time.Duration) *handshakes {
	return &handshakes{semaphore.NewWeighted(maxHandshakes), timeout}
}

// opened receives the first message of a stream, whose handler must return where this fails: that
// ends the receiving.
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
		return first, fmt.Errorf("no first message within %v: %w", o.timeout, context.DeadlineExceeded)
	case <-ctx.Done():
		return first, ctx.Err()
	}
}

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

// addNode lets a process take over its own older stream, and nobody else's: two nodes of one name
// would take over from each other for ever. The stream of a process that is gone ends with its
// connection, or with its lease.
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

// closeNodes ends every stream: this coordinator does not lead any more.
func (t *term) closeNodes() {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, n := range t.nodes {
		n.cancel(&notLeaderError{})
	}
}

func (t *term) grant(a board.Grant) {
	n := t.stream(a.Conn)
	if n == nil {
		return
	}
	runs := make([]*pb.ShardRun, 0, len(a.Ranges))
	for _, r := range a.Ranges {
		if e := t.lookup(r.Sweep); e != nil {
			runs = append(runs, runToProto(r, e.design.bounds(r)))
			t.log.Debug("shards granted", "node_id", n.name, "sweep_id", r.Sweep, "first", r.First, "shards", r.Count)
		}
	}
	n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Grant{Grant: &pb.Grant{Runs: runs}}})
}

func (t *term) revoke(a board.Revoke) {
	n := t.stream(a.Conn)
	if n == nil {
		return
	}
	runs := make([]*pb.ShardRun, len(a.Ranges))
	for i, r := range a.Ranges {
		runs[i] = runToProto(r, nil)
	}
	n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Revoke{Revoke: &pb.Revoke{Runs: runs}}})
}

func (t *term) dismiss(a board.Dismiss) {
	n := t.stream(a.Conn)
	if n == nil {
		return
	}
	if a.Close {
		n.cancel(fmt.Errorf("node %s: %s", a.Node, a.Reason))
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
		return nil, fmt.Errorf("%q: %w", r.GetSweepId(), errUnknownSweep)
	}
	return &pb.GetSpecResponse{Spec: specToProto(e.design, "")}, nil
}
