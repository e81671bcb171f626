package coordinator_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// TestHostileDeliveries: a delivery is rejected with a reason unless it is exactly the shard; the
// coordinator survives with little memory, and the result is as without the attack.
func TestHostileDeliveries(t *testing.T) {
	store, dir := fileStore(t)
	registry := prometheus.NewRegistry()
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store, Registry: registry})
	ctx := deadline(t)
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	stream, err := c.nodes.Attach(ctx)
	if err != nil {
		t.Fatal(err)
	}
	honest := &coordtest.Node{Name: "honest"}
	hello := &pb.Hello{Info: honest.Info(), Capacity: 4}
	if err := stream.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: hello}}); err != nil {
		t.Fatal(err)
	}
	run := awaitGrant(t, stream)
	header, payload, err := honest.Solve(ctx, c.nodes, run, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Bye{Bye: &pb.Bye{}}}); err != nil {
		t.Fatal(err)
	}
	sum := func(h *pb.DeliverHeader, p []byte) {
		h.Crc32C, h.PayloadBytes = crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)), int64(len(p))
	}
	for name, change := range map[string]func(h *pb.DeliverHeader, p []byte) []byte{
		"flipped bit":     func(_ *pb.DeliverHeader, p []byte) []byte { p[len(p)/2] ^= 4; return p },
		"truncated":       func(_ *pb.DeliverHeader, p []byte) []byte { return p[:len(p)/2] },
		"too long":        func(_ *pb.DeliverHeader, p []byte) []byte { return append(p, 0) },
		"empty":           func(_ *pb.DeliverHeader, _ []byte) []byte { return nil },
		"4 GB announced":  func(h *pb.DeliverHeader, p []byte) []byte { h.PayloadBytes = 4 << 30; return p },
		"negative length": func(h *pb.DeliverHeader, p []byte) []byte { h.PayloadBytes = -1; return p },
		"segment of 4 GB": func(h *pb.DeliverHeader, p []byte) []byte { h.Segments[0].Bytes = 4 << 30; return p },
		"no segments":     func(h *pb.DeliverHeader, p []byte) []byte { h.Segments = nil; return p },
		"unknown table":   func(h *pb.DeliverHeader, p []byte) []byte { h.Segments[0].Table = 77; return p },
		"many segments": func(h *pb.DeliverHeader, p []byte) []byte {
			h.Segments = make([]*pb.Segment, 100000)
			return p
		},
		"other shard":     func(h *pb.DeliverHeader, p []byte) []byte { h.Shard++; return p },
		"no such shard":   func(h *pb.DeliverHeader, p []byte) []byte { h.Shard = 1 << 40; return p },
		"wrong row count": func(h *pb.DeliverHeader, p []byte) []byte { h.Segments[0].Rows++; return p },
		"other solver":    func(h *pb.DeliverHeader, p []byte) []byte { h.Solver.Version += "1"; return p },
		"endless node name": func(h *pb.DeliverHeader, p []byte) []byte {
			h.Node = strings.Repeat("x", 1<<20)
			return p
		},
		"NaN": func(h *pb.DeliverHeader, p []byte) []byte {
			for i := range p[:len(p)-8] { // some float of the loss column: shard 0 begins with point 1's 1.0
				if i%8 == 0 && p[i+7] == 0x3f && p[i+6] == 0xf0 {
					p[i+7], p[i+6] = 0x7f, 0xf8
				}
			}
			sum(h, p)
			return p
		},
		"other point_id": func(h *pb.DeliverHeader, p []byte) []byte {
			digit := regexp.MustCompile("[0-9a-f]{32}").FindIndex(p)[0]
			if p[digit]++; p[digit] == '9'+1 || p[digit] == 'f'+1 {
				p[digit] -= 2
			}
			sum(h, p)
			return p
		},
		"other parameter": func(h *pb.DeliverHeader, p []byte) []byte {
			p = bytes.Replace(p, []byte("population"), []byte("populatiom"), 1)
			sum(h, p)
			return p
		},
		"noise": func(h *pb.DeliverHeader, p []byte) []byte {
			r := rand.New(rand.NewPCG(1, 2))
			for i := range p {
				p[i] = byte(r.Uint32())
			}
			sum(h, p)
			return p
		},
	} {
		h := proto.CloneOf(header)
		h.Node = "hostile-" + strings.ReplaceAll(name, " ", "-")
		forged := change(h, bytes.Clone(payload))
		outcome, err := coordtest.Deliver(ctx, c.nodes, h, forged)
		code := status.Code(err)
		if code != codes.InvalidArgument && code != codes.FailedPrecondition && code != codes.ResourceExhausted {
			t.Errorf("%s: %v, %v", name, outcome, err)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		h, p := proto.CloneOf(header), append([]byte(nil), payload...)
		h.Node = "flipper"
		p[r.IntN(len(p))] ^= 1 << r.IntN(8)
		sum(h, p) // the checksum is right: only the decoder stands in the way
		if _, err := coordtest.Deliver(ctx, c.nodes, h, p); err == nil {
			break // a flip in a value is not to be seen; the shard is committed by it
		}
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	if memory.HeapSys > 1<<30 {
		t.Errorf("the heap grew to %d bytes", memory.HeapSys)
	}
	if rejected := metricSum(t, registry, "phasegrid_results_rejected_total"); rejected < 15 {
		t.Errorf("%v rejected deliveries were counted", rejected)
	}
	stop := c.serve(ctx, honest)
	last := c.wait(ctx, id)
	stop()
	if last.GetPhase() != pb.Phase_PHASE_DONE || last.GetProgress().GetPointsDone() != 1000 {
		t.Errorf("ended as %v", last)
	}
	if _, err := results.OpenSet(filepath.Join(dir, last.GetResultSet())); err != nil {
		t.Error(err)
	}
}

// TestHostileStreams: messages out of order, and texts that no node sends.
func TestHostileStreams(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	hello := func(change func(*pb.NodeInfo)) *pb.AttachRequest {
		info := (&coordtest.Node{Name: "x"}).Info()
		change(info)
		return &pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{Info: info}}}
	}
	for name, messages := range map[string][]*pb.AttachRequest{
		"no hello":      {{Message: &pb.AttachRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Capacity: 1}}}},
		"nothing in it": {{}},
		"two hellos":    {hello(func(*pb.NodeInfo) {}), hello(func(*pb.NodeInfo) {})},
		"no name":       {hello(func(i *pb.NodeInfo) { i.Name = "" })},
		"path as name":  {hello(func(i *pb.NodeInfo) { i.Name = "../leader" })},
		"control":       {hello(func(i *pb.NodeInfo) { i.Kernel = "a\nb" })},
		"no slots":      {hello(func(i *pb.NodeInfo) { i.Slots = 0 })},
		"a run of all": {hello(func(*pb.NodeInfo) {}), {Message: &pb.AttachRequest_Drain{Drain: &pb.Drain{
			Returned: []*pb.ShardRun{{Shards: 1 << 62}}}}}},
		"more shards than a node may hold": {
			hello(func(*pb.NodeInfo) {}), {Message: &pb.AttachRequest_Drain{Drain: &pb.Drain{
				Returned: []*pb.ShardRun{{Shards: 4096}, {Shards: 1}}}}}},
	} {
		stream, err := c.nodes.Attach(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if err := stream.Send(m); err != nil {
				break
			}
		}
		for err == nil {
			_, err = stream.Recv()
		}
		if status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStalledDelivery: a delivery that never ends releases its memory, soon if it sends nothing.
func TestStalledDelivery(t *testing.T) {
	t.Run("slow", func(t *testing.T) { testStalledDelivery(t, coordinator.Config{DeliveryTimeout: 2 * time.Second}) })
	t.Run("silent", func(t *testing.T) { testStalledDelivery(t, coordinator.Config{ChunkTimeout: 2 * time.Second}) })
}

func testStalledDelivery(t *testing.T, cfg coordinator.Config) {
	store, dir := fileStore(t)
	cfg.Ledger, cfg.Store = ledger.NewMemory(), store
	c := start(t, cfg)
	ctx := deadline(t)
	c.leading(ctx)
	m := c.submit(ctx, smallSweep).GetSweep()
	stalled, err := c.nodes.Deliver(ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = stalled.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Header{Header: &pb.DeliverHeader{
		SweepId: m.GetId(), Node: "stalled", Solver: m.GetSpec().GetSolver(), ArithmeticClass: "test",
		PayloadBytes: results.MaxPayloadBytes}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := stalled.RecvMsg(&pb.DeliverResponse{}); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("the stalled delivery hears %v", err)
	}
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	last := c.wait(ctx, m.GetId())
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
}

// TestNoNodeFencesAnother: bad deliveries count against the node that is proven to have sent them,
// whatever name they contain.
func TestNoNodeFencesAnother(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	stream, err := c.nodes.Attach(ctx)
	if err != nil {
		t.Fatal(err)
	}
	victim := &coordtest.Node{Name: "victim"}
	err = stream.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{
		Info: victim.Info(), Capacity: 4, Instance: []byte("secret")}}})
	if err != nil {
		t.Fatal(err)
	}
	awaitGrant(t, stream)
	for _, try := range []struct {
		instance string
		fenced   bool
	}{{"", false}, {"guess", false}, {"secret", true}} {
		for range 10 {
			_, err := coordtest.Deliver(
				ctx,
				c.nodes,
				&pb.DeliverHeader{SweepId: id, Node: "victim", Instance: []byte(try.instance),
					Solver: victim.Info().GetSolver(), ArithmeticClass: "test"},
				nil,
			)
			if status.Code(err) != codes.InvalidArgument {
				t.Fatalf("an empty delivery hears %v", err)
			}
		}
		answer, err := c.sweeps.ListNodes(ctx, &pb.ListNodesRequest{})
		if err != nil || len(answer.GetNodes()) != 1 {
			t.Fatalf("ListNodes = %v, %v", answer, err)
		}
		if fenced := answer.GetNodes()[0].GetFenced(); (fenced != "") != try.fenced {
			t.Errorf("after deliveries with instance %q the node is fenced: %q", try.instance, fenced)
		}
	}
}

// TestOneNodeOfAName: a second process with the name of a node is rejected and does not replace it;
// the same process may attach before its old stream has ended.
func TestOneNodeOfAName(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	attach := func(instance string) (pb.Nodes_AttachClient, error) {
		stream, err := c.nodes.Attach(ctx)
		if err != nil {
			t.Fatal(err)
		}
		err = stream.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{
			Info: (&coordtest.Node{Name: "twin"}).Info(), Instance: []byte(instance)}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = stream.Recv()
		return stream, err
	}
	first, err := attach("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := attach("b"); status.Code(err) != codes.AlreadyExists || !strings.Contains(err.Error(), "--name") {
		t.Errorf("the second process hears %v", err)
	}
	if _, err := attach("a"); err != nil {
		t.Errorf("the first one comes back and hears %v", err)
	}
	if _, err := first.Recv(); err == nil {
		t.Error("the older stream goes on")
	}
}

// TestSlowFirstMessages: streams without a first message end, and neither they nor huge first
// messages keep other nodes out.
func TestSlowFirstMessages(t *testing.T) {
	store, dir := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store, OpenTimeout: time.Second})
	ctx := deadline(t)
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	var ended errgroup.Group
	for i := range 60 {
		ended.Go(func() error {
			var stream grpc.ClientStream
			var err error
			if i%2 == 0 {
				stream, err = c.nodes.Deliver(ctx)
			} else {
				stream, err = c.nodes.Attach(ctx)
			}
			if err != nil {
				return err
			}
			if err := stream.RecvMsg(&pb.DeliverResponse{}); status.Code(err) != codes.DeadlineExceeded {
				return fmt.Errorf("a silent stream hears %w", err)
			}
			return nil
		})
	}
	huge := &pb.DeliverHeader{SweepId: id, Node: strings.Repeat("x", 15<<20)}
	if _, err := coordtest.Deliver(ctx, c.nodes, huge, nil); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a header of 15 MiB hears %v", err)
	}
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	checkSmallSet(t, filepath.Join(dir, c.wait(ctx, id).GetResultSet()))
	if err := ended.Wait(); err != nil {
		t.Error(err)
	}
}

// fullStore is a store whose disk is full for a while.
type fullStore struct {
	store.Store
	mu   sync.Mutex
	full bool
	hit  int
}

func (s *fullStore) Create(ctx context.Context, name string) (store.Writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		s.hit++
		return nil, fmt.Errorf("create %s: %w", name, syscall.ENOSPC)
	}
	return s.Store.Create(ctx, name)
}

// TestFullStore: while the store is full nothing is acknowledged and an alarm is active; the sweep
// continues once there is space.
func TestFullStore(t *testing.T) {
	store, dir := fileStore(t)
	full := &fullStore{Store: store}
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: full})
	ctx := deadline(t)
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	full.mu.Lock()
	full.full = true
	full.mu.Unlock()
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	s := c.expect(ctx, id, "the alarm", func(s *pb.Sweep) bool { return len(s.GetProgress().GetAlarms()) > 0 })
	if a := s.GetProgress().GetAlarms()[0]; !strings.Contains(a, "no space left") ||
		s.GetProgress().GetShardsDone() != 0 {
		t.Errorf("alarm %q with %d shards done", a, s.GetProgress().GetShardsDone())
	}
	full.mu.Lock()
	full.full = false
	full.mu.Unlock()
	last := c.wait(ctx, id)
	if len(last.GetProgress().GetAlarms()) != 0 {
		t.Errorf("alarms after the end: %v", last.GetProgress().GetAlarms())
	}
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
}
