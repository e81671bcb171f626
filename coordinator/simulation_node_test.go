package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// errCut ends the stream of a node whose connection is cut.
var errCut = errors.New("connection is cut")

// simShard names a shard of a simulation.
type simShard struct {
	sweep string
	shard int64
}

// simLease is a shard that a node holds.
type simLease struct {
	simShard
	epoch      uint64
	delivering bool
}

// simNode is a node that solves nothing. The scheduler decides what it does and when.
type simNode struct {
	world    *world
	number   int
	lives    int // of its process
	stream   *attachStream
	process  *process // that serves the stream
	leases   []*simLease
	lastBeat time.Time
	draining bool
}

func (n *simNode) name() string { return fmt.Sprint("n", n.number) }
func (n *simNode) instance() []byte {
	return fmt.Appendf(nil, "%-32s", fmt.Sprint(n.name(), "-", n.lives))
}

func (n *simNode) info() *pb.NodeInfo {
	return &pb.NodeInfo{
		Name: n.name(), Slots: 2, MemoryBytes: 1 << 40, Solver: simDeliveries.solver,
		ArithmeticClass: "test", Kernel: "none",
	}
}

// attach opens a stream to a leader.
func (n *simNode) attach(p *process) {
	w := n.world
	w.mu.Lock()
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &attachStream{
		simStream: simStream{ctx},
		node:      n,
		process:   p,
		cancel:    cancel,
		in:        newQueue[*pb.AttachRequest](),
	}
	hello := &pb.Hello{Info: n.info(), Capacity: 3, Instance: n.instance()}
	for _, l := range n.leases {
		hello.Held = append(hello.Held, l.run())
	}
	s.in.put(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: hello}})
	n.stream, n.process, n.lastBeat, n.draining = s, p, time.Now(), false
	w.note("%s attaches to p%d with %d shards", n.name(), p.number, len(n.leases))
	w.mu.Unlock()
	go func() {
		_ = p.nodes.Attach(s)
		cancel(errCut)
		w.mu.Lock()
		defer w.mu.Unlock()
		if n.stream == s {
			n.stream, n.process = nil, nil
		}
	}()
}

func (l *simLease) run() *pb.ShardRun {
	return &pb.ShardRun{SweepId: l.sweep, FirstShard: l.shard, Shards: 1, Epoch: l.epoch}
}

// detach cuts the stream. Call it with world.mu.
func (n *simNode) detach() {
	if n.stream != nil {
		n.stream.cancel(errCut)
		n.stream, n.process = nil, nil
	}
}

// die ends the node's process; the next one has its name. Call it with world.mu.
func (n *simNode) die() {
	n.world.note("%s dies with %d shards", n.name(), len(n.leases))
	n.detach()
	n.leases = nil
	n.lives++
}

// beat sends a heartbeat if it is time, and leaves a coordinator that is silent.
func (n *simNode) beat() {
	n.world.mu.Lock()
	defer n.world.mu.Unlock()
	if n.stream == nil {
		return
	}
	if n.process.paused && time.Since(n.process.pausedAt) > sessionTTL {
		n.world.note("%s leaves p%d, which is silent", n.name(), n.process.number)
		n.detach()
		return
	}
	if time.Since(n.lastBeat) >= 2*time.Second && !n.draining {
		n.lastBeat = time.Now()
		n.send(&pb.AttachRequest{Message: &pb.AttachRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Capacity: 3}}})
	}
}

// send sends a message on the stream. Call it with world.mu.
func (n *simNode) send(m *pb.AttachRequest) { n.stream.in.put(m) }

// leave drains the node: it returns a shard, or says goodbye. Call it with world.mu.
func (n *simNode) leave(bye bool) {
	n.draining = true
	if !bye {
		m := &pb.Drain{}
		for _, l := range slices.Clone(n.leases) {
			if !l.delivering {
				m.Returned = append(m.Returned, l.run())
				n.forget(l.simShard)
			}
		}
		n.world.note("%s drains and returns %d shards", n.name(), len(m.Returned))
		n.send(&pb.AttachRequest{Message: &pb.AttachRequest_Drain{Drain: m}})
		return
	}
	n.world.note("%s says goodbye", n.name())
	n.leases = nil
	n.send(&pb.AttachRequest{Message: &pb.AttachRequest_Bye{Bye: &pb.Bye{}}})
}

func (n *simNode) forget(s simShard) {
	n.leases = slices.DeleteFunc(n.leases, func(l *simLease) bool { return l.simShard == s })
}

// receive handles what a coordinator sends. Call it with world.mu.
func (n *simNode) receive(m *pb.AttachResponse) {
	for _, run := range m.GetGrant().GetRuns() {
		for i := range run.GetShards() {
			s := simShard{run.GetSweepId(), run.GetFirstShard() + i}
			if n.world.client.acked[s] {
				n.world.violated(
					"shard %d of %.4s was granted to %s after it was acknowledged",
					s.shard,
					s.sweep,
					n.name(),
				)
			}
			n.forget(s)
			n.leases = append(n.leases, &simLease{simShard: s, epoch: run.GetEpoch()})
		}
	}
	for _, run := range m.GetRevoke().GetRuns() {
		for i := range run.GetShards() {
			n.forget(simShard{run.GetSweepId(), run.GetFirstShard() + i})
		}
	}
}

// deliver delivers a shard to a coordinator, perhaps with damaged bytes.
func (n *simNode) deliver(p *process, l *simLease, damaged bool) {
	w := n.world
	w.mu.Lock()
	defer w.mu.Unlock()
	d := simDeliveries.of(l.simShard)
	header := proto.CloneOf(d.header)
	header.Epoch, header.Node, header.Instance = l.epoch, n.name(), n.instance()
	payload := d.payload
	if damaged {
		payload = slices.Clone(payload)
		payload[len(payload)/2] ^= 1
	}
	l.delivering = true
	w.note("%s delivers shard %d of %.4s to p%d", n.name(), l.shard, l.sweep, p.number)
	ctx, cancel := context.WithCancel(context.Background())
	s := &deliverStream{simStream: simStream{ctx}, process: p, header: header, payload: payload}
	lost := w.chance(0.05)
	life, removals := n.lives, w.client.removals[l.sweep]
	go func() {
		defer cancel()
		err := p.nodes.Deliver(s)
		w.mu.Lock()
		defer w.mu.Unlock()
		l.delivering = false
		if n.lives != life || lost || p.dead || err != nil || s.answer == nil {
			return
		}
		n.forget(l.simShard)
		if s.answer.GetOutcome() == pb.DeliverResponse_OUTCOME_COMMITTED && w.client.removals[l.sweep] == removals {
			if w.client.acked[l.simShard] {
				w.violated("shard %d of %.4s was committed twice", l.shard, l.sweep)
			}
			w.client.acked[l.simShard] = true
		}
	}()
}

// simStream is what streams of a simulation have in common.
type simStream struct{ ctx context.Context }

func (s simStream) Context() context.Context     { return s.ctx }
func (s simStream) SetHeader(metadata.MD) error  { return nil }
func (s simStream) SendHeader(metadata.MD) error { return nil }
func (s simStream) SetTrailer(metadata.MD)       {}
func (s simStream) SendMsg(any) error            { return errCut }
func (s simStream) RecvMsg(any) error            { return errCut }

// attachStream is the coordinator's end of the stream of a node.
type attachStream struct {
	simStream
	node    *simNode
	process *process
	cancel  context.CancelCauseFunc
	in      *queue[*pb.AttachRequest]
}

var _ grpc.BidiStreamingServer[pb.AttachRequest, pb.AttachResponse] = (*attachStream)(nil)

func (s *attachStream) Recv() (*pb.AttachRequest, error) { return s.in.next(s.ctx) }

func (s *attachStream) Send(m *pb.AttachResponse) error {
	w := s.node.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.process.dead || s.node.stream != s {
		return errCut
	}
	s.node.receive(m)
	return nil
}

// deliverStream is the coordinator's end of a delivery.
type deliverStream struct {
	simStream
	process *process
	header  *pb.DeliverHeader // nil once it is read
	payload []byte
	answer  *pb.DeliverResponse
}

var _ grpc.ClientStreamingServer[pb.DeliverRequest, pb.DeliverResponse] = (*deliverStream)(nil)

func (s *deliverStream) Recv() (*pb.DeliverRequest, error) {
	if h := s.header; h != nil {
		s.header = nil
		return &pb.DeliverRequest{Message: &pb.DeliverRequest_Header{Header: h}}, nil
	}
	for chunk := range results.Chunks(s.payload) {
		s.payload = s.payload[len(chunk):]
		return &pb.DeliverRequest{Message: &pb.DeliverRequest_Chunk{Chunk: chunk}}, nil
	}
	<-s.ctx.Done()
	return nil, s.ctx.Err()
}

func (s *deliverStream) SendAndClose(m *pb.DeliverResponse) error {
	w := s.process.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.process.dead {
		return errCut
	}
	s.answer = m
	return nil
}
