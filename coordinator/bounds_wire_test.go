package coordinator_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

const control = "a\nb"

var long = strings.Repeat("x", 1<<13)

// checkField expects INVALID_ARGUMENT with the name of the field.
func checkField(t *testing.T, field string, err error) {
	t.Helper()
	var fields []string
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	if status.Code(err) != codes.InvalidArgument || len(fields) != 1 || fields[0] != field {
		t.Errorf("bad %s: violations %q, %.200v", field, fields, err)
	}
}

// TestBadFieldsOfSweeps: every field of every request of clients has bounds.
func TestBadFieldsOfSweeps(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	file := []byte(smallSweep)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	for _, bad := range []struct {
		field string
		r     *pb.SubmitRequest
	}{
		{"file", &pb.SubmitRequest{File: make([]byte, sweep.MaxFileBytes+1)}},
		{"filename", &pb.SubmitRequest{File: file, Filename: long}},
		{"filename", &pb.SubmitRequest{File: file, Filename: control}},
		{"priority", &pb.SubmitRequest{File: file, Priority: 1001}},
		{"priority", &pb.SubmitRequest{File: file, Priority: -1001}},
		{"weight", &pb.SubmitRequest{File: file, Weight: -1}},
		{"weight", &pb.SubmitRequest{File: file, Weight: 1001}},
	} {
		_, err := c.sweeps.Submit(ctx, bad.r)
		checkField(t, bad.field, err)
	}
	_, err := c.sweeps.Plan(ctx, &pb.PlanRequest{File: make([]byte, sweep.MaxFileBytes+1)})
	checkField(t, "file", err)
	_, err = c.sweeps.Plan(ctx, &pb.PlanRequest{File: file, Filename: long})
	checkField(t, "filename", err)
	_, err = c.sweeps.List(ctx, &pb.ListRequest{PageSize: -1})
	checkField(t, "page_size", err)
	for _, token := range []string{long, "7fffffffffffffff", "x-" + id} {
		_, err = c.sweeps.List(ctx, &pb.ListRequest{PageToken: token})
		checkField(t, "page_token", err)
	}
	for _, ref := range []string{"", long, control} {
		for _, err := range sweepCalls(ctx, c.sweeps, ref) {
			checkField(t, "sweep", err)
		}
	}
	for _, path := range []string{
		"", long, "../x", "a//b", control, "points/no-such-file", "points", ".", ".writing-x",
		"points/.deleting-x", "points/schema.parquet/x",
		strings.Repeat("a", 300), "points/part-" + strings.Repeat("0", 300) + "1.parquet",
		"points/part-000007.parquet", "points/part--00001.parquet",
	} {
		checkField(t, "path", fetch(ctx, c.sweeps, &pb.FetchRequest{Sweep: id, Path: path}))
	}
	files, err := c.sweeps.Files(ctx, &pb.FilesRequest{Sweep: id})
	if err != nil || len(files.GetFiles()) == 0 {
		t.Fatalf("Files = %v, %v", files, err)
	}
	for _, offset := range []int64{-1, math.MaxInt64} {
		checkField(
			t,
			"offset",
			fetch(ctx, c.sweeps, &pb.FetchRequest{Sweep: id, Path: files.GetFiles()[0].GetPath(), Offset: offset}),
		)
	}
}

// sweepCalls returns the errors of every call that names a sweep.
func sweepCalls(ctx context.Context, c pb.SweepsClient, ref string) (errs []error) {
	note := func(_ any, err error) { errs = append(errs, err) }
	note(c.Get(ctx, &pb.GetRequest{Sweep: ref}))
	note(c.Pause(ctx, &pb.PauseRequest{Sweep: ref}))
	note(c.Resume(ctx, &pb.ResumeRequest{Sweep: ref}))
	note(c.Cancel(ctx, &pb.CancelRequest{Sweep: ref}))
	note(c.Retry(ctx, &pb.RetryRequest{Sweep: ref}))
	note(c.Delete(ctx, &pb.DeleteRequest{Sweep: ref}))
	note(c.Files(ctx, &pb.FilesRequest{Sweep: ref}))
	stream, err := c.Watch(ctx, &pb.WatchRequest{Sweep: ref})
	if err == nil {
		_, err = stream.Recv()
	}
	return append(errs, err, fetch(ctx, c, &pb.FetchRequest{Sweep: ref, Path: "x"}))
}

func fetch(ctx context.Context, c pb.SweepsClient, r *pb.FetchRequest) error {
	stream, err := c.Fetch(ctx, r)
	if err == nil {
		_, err = stream.Recv()
	}
	return err
}

// TestBadFieldsOfAttach: every field of every message of a node's stream has bounds.
func TestBadFieldsOfAttach(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	hello := func(change func(*pb.Hello)) *pb.AttachRequest {
		h := &pb.Hello{Info: (&coordtest.Node{Name: "x"}).Info(), Capacity: 1}
		change(h)
		return &pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: h}}
	}
	good := hello(func(*pb.Hello) {})
	for _, bad := range []struct {
		field  string
		change func(*pb.Hello)
	}{
		{"hello.info.name", func(h *pb.Hello) { h.Info = nil }},
		{"hello.info.name", func(h *pb.Hello) { h.Info.Name = long }},
		{"hello.info.name", func(h *pb.Hello) { h.Info.Name = "../leader" }},
		{"hello.info.slots", func(h *pb.Hello) { h.Info.Slots = 0 }},
		{"hello.info.slots", func(h *pb.Hello) { h.Info.Slots = math.MaxInt32 }},
		{"hello.info.memory_bytes", func(h *pb.Hello) { h.Info.MemoryBytes = -1 }},
		{"hello.info.solver", func(h *pb.Hello) { h.Info.Solver = nil }},
		{"hello.info.solver", func(h *pb.Hello) { h.Info.Solver, h.Info.SolverVersion = nil, -1 }},
		{"hello.info.solver", func(h *pb.Hello) { h.Info.Solver.Name = long }},
		{"hello.info.solver", func(h *pb.Hello) { h.Info.Solver.Version = control }},
		{"hello.info.solver", func(h *pb.Hello) { h.Info.Solver.Hash = "0a" }},
		{"hello.info.arithmetic_class", func(h *pb.Hello) { h.Info.ArithmeticClass = "" }},
		{"hello.info.arithmetic_class", func(h *pb.Hello) { h.Info.ArithmeticClass = long }},
		{"hello.info.kernel", func(h *pb.Hello) { h.Info.Kernel = control }},
		{"hello.info.version", func(h *pb.Hello) { h.Info.Version = long }},
		{"hello.capacity", func(h *pb.Hello) { h.Capacity = -1 }},
		{"hello.instance", func(h *pb.Hello) { h.Instance = make([]byte, 65) }},
		{"hello.held", func(h *pb.Hello) { h.Held = make([]*pb.ShardRun, 4097) }},
		{"hello.held[0].sweep_id", func(h *pb.Hello) { h.Held = []*pb.ShardRun{{Shards: 1}} }},
	} {
		checkField(t, bad.field, attach(ctx, t, c.nodes, hello(bad.change)))
	}
	for _, bad := range []struct {
		field string
		run   *pb.ShardRun
	}{
		{".sweep_id", &pb.ShardRun{Shards: 1, SweepId: long}},
		{".first_shard", &pb.ShardRun{Shards: 1, SweepId: "s", FirstShard: -1}},
		{".first_shard", &pb.ShardRun{Shards: 1, SweepId: "s", FirstShard: 1 << 40}},
		{".shards", &pb.ShardRun{SweepId: "s"}},
		{".shards", &pb.ShardRun{SweepId: "s", Shards: 1 << 62}},
		{".bounds", &pb.ShardRun{SweepId: "s", Shards: 1, Bounds: make([]int64, 100000)}},
	} {
		runs := []*pb.ShardRun{bad.run}
		for field, m := range map[string]*pb.AttachRequest{
			"drain.returned[0]": {Message: &pb.AttachRequest_Drain{Drain: &pb.Drain{Returned: runs}}},
			"bye.returned[0]":   {Message: &pb.AttachRequest_Bye{Bye: &pb.Bye{Returned: runs}}},
			"abandon.run":       {Message: &pb.AttachRequest_Abandon{Abandon: &pb.Abandon{Run: bad.run}}},
		} {
			checkField(t, field+bad.field, attach(ctx, t, c.nodes, good, m))
		}
	}
	checkField(t, "heartbeat.capacity", attach(ctx, t, c.nodes, good,
		&pb.AttachRequest{Message: &pb.AttachRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Capacity: -1}}}))
	checkField(t, "message", attach(ctx, t, c.nodes, &pb.AttachRequest{}))
}

// attach sends the messages of a stream and returns how it ends.
func attach(ctx context.Context, t *testing.T, c pb.NodesClient, messages ...*pb.AttachRequest) error {
	t.Helper()
	stream, err := c.Attach(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if stream.Send(m) != nil {
			break // Recv has the error
		}
	}
	for err == nil {
		_, err = stream.Recv()
	}
	return err
}

// TestBadFieldsOfDeliveries: every field of the header of a delivery has bounds, and so have those
// of GetSpec.
func TestBadFieldsOfDeliveries(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	good := &pb.DeliverHeader{
		SweepId:         c.submit(ctx, smallSweep).GetSweep().GetId(),
		Node:            "x",
		Solver:          (&coordtest.Node{}).Info().GetSolver(),
		ArithmeticClass: "test",
	}
	for _, bad := range []struct {
		field  string
		change func(*pb.DeliverHeader)
	}{
		{"header.sweep_id", func(h *pb.DeliverHeader) { h.SweepId = "" }},
		{"header.sweep_id", func(h *pb.DeliverHeader) { h.SweepId = long }},
		{"header.shard", func(h *pb.DeliverHeader) { h.Shard = -1 }},
		{"header.shard", func(h *pb.DeliverHeader) { h.Shard = 1 << 40 }},
		{"header.node", func(h *pb.DeliverHeader) { h.Node = "" }},
		{"header.node", func(h *pb.DeliverHeader) { h.Node = "a/b" }},
		{"header.node", func(h *pb.DeliverHeader) { h.Node = long }},
		{"header.solver", func(h *pb.DeliverHeader) { h.Solver = nil }},
		{"header.solver", func(h *pb.DeliverHeader) { h.Solver.Name = "" }},
		{"header.solver", func(h *pb.DeliverHeader) { h.Solver.Version = long }},
		{"header.solver", func(h *pb.DeliverHeader) { h.Solver.Hash = long }},
		{"header.arithmetic_class", func(h *pb.DeliverHeader) { h.ArithmeticClass = "" }},
		{"header.arithmetic_class", func(h *pb.DeliverHeader) { h.ArithmeticClass = control }},
		{"header.segments", func(h *pb.DeliverHeader) { h.Segments = make([]*pb.Segment, 9) }},
		{"header.segments[0].table", func(h *pb.DeliverHeader) { h.Segments = []*pb.Segment{{Table: 77}} }},
		{"header.segments[0].bytes", func(h *pb.DeliverHeader) { h.Segments = []*pb.Segment{{Table: 1, Bytes: -1}} }},
		{"header.segments[0].rows", func(h *pb.DeliverHeader) { h.Segments = []*pb.Segment{{Table: 1, Rows: -1}} }},
		{"header.payload_bytes", func(h *pb.DeliverHeader) { h.PayloadBytes = -1 }},
		{"header.payload_bytes", func(h *pb.DeliverHeader) { h.PayloadBytes = results.MaxPayloadBytes + 1 }},
		{"header.started", func(h *pb.DeliverHeader) { h.Started = &timestamppb.Timestamp{Nanos: -1} }},
		{"header.finished", func(h *pb.DeliverHeader) { h.Finished = &timestamppb.Timestamp{Seconds: math.MaxInt64} }},
		{"header.kernel", func(h *pb.DeliverHeader) { h.Kernel = control }},
		{"header.instance", func(h *pb.DeliverHeader) { h.Instance = make([]byte, 65) }},
		{"payload", func(h *pb.DeliverHeader) { h.PayloadBytes = 1 }},
	} {
		h := proto.CloneOf(good)
		bad.change(h)
		_, err := coordtest.Deliver(ctx, c.nodes, h, nil)
		checkField(t, bad.field, err)
	}
	for _, id := range []string{"", long, control} {
		_, err := c.nodes.GetSpec(ctx, &pb.GetSpecRequest{SweepId: id})
		checkField(t, "sweep_id", err)
	}
}
