package node_test

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/node"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// delivered is one delivery as the fake coordinator received it.
type delivered struct {
	header  *pb.DeliverHeader
	payload []byte
}

// fake is an in-memory coordinator behind real sockets. It sends what tests tell it to and stores
// what nodes send.
type fake struct {
	pb.UnimplementedNodesServer
	t       *testing.T
	address string
	spec    *pb.Spec
	// answer decides a delivery; nil commits.
	answer func(attempt int, h *pb.DeliverHeader) (pb.DeliverResponse_Outcome, error)
	// silence is announced in the welcome; with pulse, heartbeats are answered.
	silence time.Duration
	pulse   bool
	// lingers keeps streams open that a node has ended, like a suspended process.
	lingers bool
	// refusal answers every hello.
	refusal error

	mu         sync.Mutex
	server     *grpc.Server
	attempts   int
	deliveries []delivered
	hellos     []*pb.Hello
	returned   []*pb.ShardRun
	byes       int
	beats      int
	abandons   []*pb.Abandon
	send       chan *pb.AttachResponse
	changed    chan struct{} // closed and replaced whenever something above changes
}

func newFake(t *testing.T, spec *pb.Spec) *fake {
	f := &fake{t: t, spec: spec, send: make(chan *pb.AttachResponse, 16), changed: make(chan struct{})}
	f.start("127.0.0.1:0")
	t.Cleanup(func() { f.stop() })
	return f
}

func (f *fake) start(address string) {
	f.t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		f.t.Fatal(err)
	}
	s := grpc.NewServer()
	pb.RegisterNodesServer(s, f)
	checks := health.NewServer()
	checks.SetServingStatus("phasegrid.v1.Nodes", healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(s, checks)
	f.mu.Lock()
	f.server, f.address = s, listener.Addr().String()
	f.mu.Unlock()
	go s.Serve(listener)
}

func (f *fake) stop() {
	f.mu.Lock()
	s := f.server
	f.mu.Unlock()
	s.Stop()
}

// note changes the fake's state and wakes the goroutines that wait for it.
func (f *fake) note(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	close(f.changed)
	f.changed = make(chan struct{})
}

// await blocks until the condition on the fake's state holds.
func (f *fake) await(what string, holds func() bool) {
	f.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		f.mu.Lock()
		ok, changed := holds(), f.changed
		f.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			f.t.Fatalf("waited too long for %s", what)
		}
	}
}

func (f *fake) Attach(stream pb.Nodes_AttachServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	f.note(func() { f.hellos = append(f.hellos, first.GetHello()) })
	if f.refusal != nil {
		return f.refusal
	}
	if err := stream.Send(&pb.AttachResponse{Message: &pb.AttachResponse_Welcome{Welcome: &pb.Welcome{
		LeaseTtlMs: 10000, HeartbeatMs: 20, SilenceMs: f.silence.Milliseconds(),
	}}}); err != nil {
		return err
	}
	gone := make(chan error, 1)
	go func() { gone <- f.listen(stream) }()
	for {
		select {
		case m := <-f.send:
			if err := stream.Send(m); err != nil {
				return err
			}
		case err := <-gone:
			return err
		}
	}
}

func (f *fake) listen(stream pb.Nodes_AttachServer) error {
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			if f.lingers {
				<-stream.Context().Done()
			}
			return nil
		}
		if err != nil {
			return err
		}
		f.note(func() {
			f.returned = append(f.returned, m.GetDrain().GetReturned()...)
			f.returned = append(f.returned, m.GetBye().GetReturned()...)
			if m.GetBye() != nil {
				f.byes++
			}
			if m.GetHeartbeat() != nil {
				f.beats++
			}
			if m.GetAbandon() != nil {
				f.abandons = append(f.abandons, m.GetAbandon())
			}
		})
		if m.GetHeartbeat() != nil && f.pulse {
			f.send <- &pb.AttachResponse{Message: &pb.AttachResponse_Pulse{Pulse: &pb.Pulse{}}}
		}
	}
}

func (f *fake) Deliver(stream pb.Nodes_DeliverServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	d := delivered{header: first.GetHeader()}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(m.GetChunk()) > 128<<10 {
			return status.Error(codes.InvalidArgument, "chunk above 128 KiB")
		}
		d.payload = append(d.payload, m.GetChunk()...)
	}
	if crc32.Checksum(d.payload, crc32.MakeTable(crc32.Castagnoli)) != d.header.GetCrc32C() ||
		int64(len(d.payload)) != d.header.GetPayloadBytes() {
		return status.Error(codes.InvalidArgument, "checksum")
	}
	var attempt int
	f.note(func() {
		f.attempts++
		attempt = f.attempts
	})
	outcome := pb.DeliverResponse_OUTCOME_COMMITTED
	if f.answer != nil {
		if outcome, err = f.answer(attempt, d.header); err != nil {
			return err
		}
	}
	f.note(func() { f.deliveries = append(f.deliveries, d) })
	return stream.SendAndClose(&pb.DeliverResponse{Outcome: outcome})
}

func (f *fake) GetSpec(context.Context, *pb.GetSpecRequest) (*pb.GetSpecResponse, error) {
	return &pb.GetSpecResponse{Spec: f.spec}, nil
}

// grant leases shards with the given bounds.
func (f *fake) grant(first int64, bounds ...int64) {
	f.send <- &pb.AttachResponse{Message: &pb.AttachResponse_Grant{Grant: &pb.Grant{Runs: []*pb.ShardRun{
		{SweepId: "s", FirstShard: first, Shards: int64(len(bounds) - 1), Bounds: bounds, Epoch: 7},
	}}}}
}

func (f *fake) revoke(first, shards int64) {
	f.send <- &pb.AttachResponse{Message: &pb.AttachResponse_Revoke{Revoke: &pb.Revoke{Runs: []*pb.ShardRun{
		{SweepId: "s", FirstShard: first, Shards: shards},
	}}}}
}

// shards lists what was delivered, sorted.
func (f *fake) shards() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []int64
	for _, d := range f.deliveries {
		out = append(out, d.header.GetShard())
	}
	slices.Sort(out)
	return out
}

// payloads are the delivered bytes by shard.
func (f *fake) payloads() map[int64][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[int64][]byte{}
	for _, d := range f.deliveries {
		out[d.header.GetShard()] = d.payload
	}
	return out
}

// returnedShards lists what was handed back, sorted.
func (f *fake) returnedShards() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []int64
	for _, r := range f.returned {
		for i := range r.GetShards() {
			out = append(out, r.GetFirstShard()+i)
		}
	}
	slices.Sort(out)
	return out
}

// running is a node whose Run has started.
type running struct {
	stop context.CancelFunc
	done chan error
}

// run starts a node for the fake and stops it at the end of the test.
func (f *fake) run(cfg node.Config) *running {
	f.t.Helper()
	conn, err := node.Dial(f.address, "phasegrid.v1.Nodes", insecure.NewCredentials())
	if err != nil {
		f.t.Fatal(err)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- node.New(conn, cfg).Run(ctx) }()
	f.t.Cleanup(func() {
		cancel()
		<-r.done
		conn.Close()
	})
	return r
}

// end stops the node and returns what Run returned.
func (r *running) end() error {
	r.stop()
	err := <-r.done
	r.done <- nil // for the cleanup
	return err
}
