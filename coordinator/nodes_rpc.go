package coordinator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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

// minSilence is the minimum time for which nodes accept a silent coordinator, however short their
// leases are.
const minSilence = 3 * time.Second

// nodesServer is the service for nodes.
type nodesServer struct {
	pb.UnimplementedNodesServer
	leader     leader
	calls      *calls
	handshakes *handshakes
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
	incoming := make(chan *pb.AttachRequest)
	received := make(chan error, 1)
	go func() { received <- receive(ctx, stream, incoming) }() // ends with the stream, as the handler returns

	attached, err := attachedFromProto(first.GetHello())
	if err != nil {
		return err
	}
	value, err := ledger.Encode(&pb.NodeRecord{Info: nodeToProto(attached.Info), Since: timestamppb.Now()})
	if err != nil {
		return err
	}
	n, err := t.addNode(attached.Info.Name, attached.Instance, cancel)
	if err != nil {
		return err
	}
	defer t.removeNode(n)
	attached.Conn = n.conn
	n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Welcome{Welcome: &pb.Welcome{
		LeaseTtlMs: t.cfg.LeaseTTL.Milliseconds(), HeartbeatMs: (t.cfg.LeaseTTL / 4).Milliseconds(),
		SilenceMs: max(t.cfg.LeaseTTL/2, minSilence).Milliseconds(),
	}}})
	t.saves.put(save{
		writes: []ledger.Write{{Key: ledger.NodeKey(n.name), Ephemeral: true, Value: value}},
		then:   func() {},
	})
	t.log.Info("node attached", "node", n.name, "slots", attached.Info.Slots,
		"solver", attached.Info.Solver, "arithmetic_class", attached.Info.Class)
	t.post(attached)

	// The sender also ends with the stream, and is not waited for: if the node does not read, only
	// the end of the stream ends it.
	go func() { cancel(n.sendAll(ctx, stream)) }()
	left, err := s.serve(ctx, t, n, incoming, received)
	if !left {
		t.post(board.StreamBroken{Conn: n.conn, Node: n.name})
	}
	return err
}

// attachedFromProto checks and converts the first message of a node.
func attachedFromProto(m *pb.Hello) (board.NodeAttached, error) {
	if m == nil {
		return board.NodeAttached{}, badField("message", "the first message must be hello")
	}
	held, err := rangesFromProto("hello.held", m.GetHeld())
	err = cmp.Or(err, checkInfo("hello.info", m.GetInfo()), checkCapacity("hello.capacity", m.GetCapacity()),
		checkInstance("hello.instance", m.GetInstance()))
	return board.NodeAttached{
		Info: nodeFromProto(m.GetInfo()), Instance: string(m.GetInstance()), Capacity: int(m.GetCapacity()), Held: held,
	}, err
}

// serve handles the messages of a node until its stream ends; left reports whether it said goodbye.
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
func firstMessage[M any](ctx context.Context, h *handshakes, receive func() (M, error)) (first M, err error) {
	if err := h.limit.Acquire(ctx, 1); err != nil {
		return first, err
	}
	defer h.limit.Release(1)
	received := make(chan error, 1)
	var m M
	go func() {
		var err error
		m, err = receive()
		received <- err
	}()
	timeout := time.NewTimer(h.timeout)
	defer timeout.Stop()
	select {
	case err := <-received:
		return m, err
	case <-timeout.C:
		return first, fmt.Errorf("receive first message: none within %v: %w", h.timeout, context.DeadlineExceeded)
	case <-ctx.Done():
		return first, ctx.Err()
	}
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
