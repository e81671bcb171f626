package coordinator

import (
	"context"
	"fmt"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/phasegrid/phasegrid/coordinator/board"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

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
		n.cancel(fmt.Errorf("disconnect node %s: more than %d unread messages; check the node and its connection",
			n.name, maxUnread))
	}
}

// pulse queues the answer to a heartbeat.
func (n *nodeStream) pulse() {
	if n.pulsing.CompareAndSwap(false, true) {
		n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Pulse{Pulse: &pb.Pulse{}}})
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
		returned, err := rangesFromProto("drain.returned", m.GetDrain().GetReturned())
		return board.NodeDraining{Conn: n.conn, Node: n.name, Returned: returned}, err
	case m.GetBye() != nil:
		_, err := rangesFromProto("bye.returned", m.GetBye().GetReturned()) // the board knows what the node holds
		return board.NodeLeft{Conn: n.conn, Node: n.name}, err
	case m.GetAbandon() != nil:
		run := m.GetAbandon().GetRun()
		if err := checkShardRange("abandon.run", run); err != nil {
			return nil, err
		}
		return board.ShardsAbandoned{
			Node:  n.name,
			Range: rangeFromProto(run),
			Cause: board.OneLine(m.GetAbandon().GetCause()),
		}, nil
	}
	return nil, badField("message", "got a second hello or an unknown message")
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

// isAttached reports whether a delivery comes from the attached node that it names.
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
			t.log.Debug("shards granted", "node", n.name, "sweep_id", r.Sweep, "first", r.First, "shards", r.Count)
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
