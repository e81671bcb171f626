package coordinator

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// deafStream is the stream of a node that sends what it has and reads nothing.
type deafStream struct {
	grpc.ServerStream
	ctx    context.Context
	has    chan *pb.AttachRequest
	silent chan struct{} // closed when all of it has been received
}

func (s *deafStream) Context() context.Context { return s.ctx }

func (s *deafStream) Recv() (*pb.AttachRequest, error) {
	select {
	case m := <-s.has:
		return m, nil
	default:
		close(s.silent)
	}
	<-s.ctx.Done()
	return nil, s.ctx.Err()
}

func (s *deafStream) Send(*pb.AttachResponse) error {
	<-s.ctx.Done()
	return s.ctx.Err()
}

// TestNodeThatDoesNotRead: a node that sends heartbeats and never reads does not fill the memory.
// It is disconnected when more messages wait than any node needs.
func TestNodeThatDoesNotRead(t *testing.T) {
	sets, err := store.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Ledger: ledger.NewMemory(), Store: sets, Listener: listener})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	running := make(chan error, 1)
	go func() { running <- c.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-running; err != nil {
			t.Errorf("Run = %v", err)
		}
	}()
	for c.term.Load() == nil {
		time.Sleep(time.Millisecond) // a poll of another goroutine's progress
	}
	leader := c.term.Load()

	const beats = 10_000
	streamCtx, endStream := context.WithCancel(ctx)
	defer endStream() // as the handler's return does
	stream := &deafStream{ctx: streamCtx, has: make(chan *pb.AttachRequest, beats+1), silent: make(chan struct{})}
	stream.has <- &pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{Capacity: 1, Info: &pb.NodeInfo{
		Name: "deaf", Slots: 1, SolverVersion: 1, ArithmeticClass: "test"}}}}
	for range beats {
		stream.has <- &pb.AttachRequest{Message: &pb.AttachRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Capacity: 1}}}
	}
	handled := make(chan error, 1)
	go func() { handled <- (&nodesServer{leader: c, calls: c.calls, handshakes: c.handshakes}).Attach(stream) }()
	select {
	case <-stream.silent:
	case err := <-handled:
		t.Fatalf("Attach = %v", err)
	}
	// The board has handled all heartbeats but the last ones when this returns.
	if _, err := ask(ctx, leader, func() struct{} { return struct{}{} }); err != nil {
		t.Fatal(err)
	}
	n := leader.stream(1)
	if waiting := n.out.all(); len(waiting) > 2 {
		t.Errorf("%d messages wait for a node that does not read", len(waiting))
	}
	for range maxUnread + 1 {
		n.send(&pb.AttachResponse{Message: &pb.AttachResponse_Revoke{}})
	}
	select {
	case err := <-handled:
		if err == nil {
			t.Error("a node that does not read is cut off without a reason")
		}
	case <-ctx.Done():
		t.Error("a node that does not read is not cut off")
	}
}
