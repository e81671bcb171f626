package node_test

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/node"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// endedStream is an Attach stream that has ended when the node sends its first heartbeat, while the
// end has not reached the receiver yet.
type endedStream struct {
	grpc.ClientStream
	ctx       context.Context
	receiving *atomic.Int32 // calls of RecvMsg in progress
	overlaps  *atomic.Int32
	received  atomic.Int32
	sent      atomic.Int32
	end       chan struct{}
}

func (s *endedStream) Context() context.Context { return s.ctx }
func (s *endedStream) CloseSend() error         { return nil }

func (s *endedStream) SendMsg(any) error {
	switch s.sent.Add(1) {
	case 1: // hello
		return nil
	case 3:
		close(s.end)
	}
	return io.EOF
}

func (s *endedStream) RecvMsg(m any) error {
	if s.receiving.Add(1) > 1 {
		s.overlaps.Add(1)
	}
	defer s.receiving.Add(-1)
	if s.received.Add(1) == 1 {
		m.(*pb.AttachResponse).Message = &pb.AttachResponse_Welcome{
			Welcome: &pb.Welcome{LeaseTtlMs: 10000, HeartbeatMs: 10},
		}
		return nil
	}
	select {
	case <-s.end:
	case <-s.ctx.Done():
	}
	return status.Error(codes.Unavailable, "this coordinator does not lead any more")
}

// endedConn opens one endedStream after the other.
type endedConn struct {
	grpc.ClientConnInterface
	overlaps atomic.Int32
	streams  chan struct{}
}

func (c *endedConn) NewStream(
	ctx context.Context,
	_ *grpc.StreamDesc,
	_ string,
	_ ...grpc.CallOption,
) (grpc.ClientStream, error) {
	select {
	case c.streams <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return &endedStream{ctx: ctx, receiving: new(atomic.Int32), overlaps: &c.overlaps, end: make(chan struct{})}, nil
}

// TestOneReceiverOfAStream ends streams while the node sends. Two receivers of one stream would
// wait for each other's message, and so would the node's loop.
func TestOneReceiverOfAStream(t *testing.T) {
	conn := &endedConn{streams: make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- node.New(conn, node.Config{Slots: 1}).Run(ctx) }()
	for range 3 { // it comes back each time
		<-conn.streams
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if n := conn.overlaps.Load(); n > 0 {
		t.Errorf("%d receives while another was in progress", n)
	}
}

// TestRejectedNodeEnds: a node that would always be rejected returns the reason.
func TestRejectedNodeEnds(t *testing.T) {
	f := newFake(t, nil)
	f.refusal = status.Error(codes.InvalidArgument, "info.name: bad")
	r := f.run(node.Config{Slots: 1})
	err := <-r.done
	r.done <- nil // for the cleanup
	if err == nil || !strings.Contains(err.Error(), "info.name: bad") {
		t.Errorf("Run = %v", err)
	}
}
