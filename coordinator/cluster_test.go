package coordinator_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/node/solver"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// testWriter sends logs to the test.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// cluster is one coordinator under test, and a connection to it.
type cluster struct {
	t       testing.TB
	conn    *grpc.ClientConn
	sweeps  pb.SweepsClient
	nodes   pb.NodesClient
	address string
	stop    func()
	ended   chan error
}

// start runs a coordinator until the test ends, or stop is called.
func start(t testing.TB, cfg coordinator.Config) *cluster {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listener = listener
	if testing.Verbose() {
		cfg.Logger = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	}
	c, err := coordinator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cl := &cluster{t: t, address: listener.Addr().String(), ended: make(chan error, 1)}
	go func() { cl.ended <- c.Run(ctx) }()
	cl.conn, err = grpc.NewClient(cl.address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"methodConfig":[{"name":[{}],"waitForReady":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	cl.sweeps, cl.nodes = pb.NewSweepsClient(cl.conn), pb.NewNodesClient(cl.conn)
	stopped := false
	cl.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cl.conn.Close()
		cancel()
		if err := <-cl.ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	}
	t.Cleanup(cl.stop)
	return cl
}

// leading waits until the coordinator leads.
func (c *cluster) leading(ctx context.Context) {
	c.t.Helper()
	for {
		_, err := c.sweeps.List(ctx, &pb.ListRequest{})
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			c.t.Fatalf("the coordinator does not lead: %v", err)
		}
		time.Sleep(10 * time.Millisecond) // a poll of another goroutine's progress
	}
}

// zeroNode is a node that solves nothing: its rows follow from the points' numbers.
type zeroNode struct {
	name  string
	class string
	seen  map[int64]int // shards computed
	log   io.Writer     // says what was computed and acknowledged, or nil
}

func (z *zeroNode) info() *pb.NodeInfo {
	class := z.class
	if class == "" {
		class = "test"
	}
	return &pb.NodeInfo{Name: z.name, Slots: 2, SolverVersion: solver.Version, ArithmeticClass: class, Kernel: "zero"}
}

// run serves leases until ctx ends or the stream does.
func (z *zeroNode) run(ctx context.Context, c pb.NodesClient) error {
	stream, err := c.Attach(ctx)
	if err != nil {
		return err
	}
	err = stream.Send(
		&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{Info: z.info(), Capacity: 8}}},
	)
	if err != nil {
		return err
	}
	beating := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(beating)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			beat := &pb.AttachRequest{Message: &pb.AttachRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Capacity: 8}}}
			if stream.Send(beat) != nil {
				return
			}
		}
	}()
	defer func() {
		cancel()
		<-beating
	}()
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, run := range m.GetGrant().GetRuns() {
			for i := range run.GetShards() {
				if z.seen != nil {
					z.seen[run.GetFirstShard()+i]++
				}
				header, payload, err := z.solve(ctx, c, run, i)
				if err != nil {
					return err
				}
				z.note("computed", header)
				outcome, err := deliver(ctx, c, header, payload)
				if err != nil {
					return err
				}
				if outcome == pb.DeliverResponse_OUTCOME_COMMITTED {
					z.note("acked", header)
				}
			}
		}
	}
}

func (z *zeroNode) note(what string, h *pb.DeliverHeader) {
	if z.log != nil {
		fmt.Fprintf(z.log, "%s %d\n", what, h.GetShard())
	}
}

func (z *zeroNode) solve(
	ctx context.Context,
	c pb.NodesClient,
	run *pb.ShardRun,
	i int64,
) (*pb.DeliverHeader, []byte, error) {
	answer, err := c.GetSpec(ctx, &pb.GetSpecRequest{SweepId: run.GetSweepId()})
	if err != nil {
		return nil, nil, err
	}
	spec, err := sweep.Decode(answer.GetSpec().GetCanonical())
	if err != nil {
		return nil, nil, err
	}
	d, err := rows(spec, run.GetBounds()[i], run.GetBounds()[i+1])
	if err != nil {
		return nil, nil, err
	}
	header := &pb.DeliverHeader{
		SweepId: run.GetSweepId(), Shard: run.GetFirstShard() + i, Epoch: run.GetEpoch(), Node: z.name, SolverVersion: solver.Version,
		ArithmeticClass: z.info().GetArithmeticClass(), Kernel: "zero", PayloadBytes: int64(len(d.Payload)), Crc32C: d.CRC32C,
	}
	for _, s := range d.Segments {
		header.Segments = append(
			header.Segments,
			&pb.Segment{Table: pb.Table(s.Table) + 1, Bytes: s.Bytes, Rows: s.Rows},
		)
	}
	return header, d.Payload, nil
}

// rows are what a zero node delivers for the indices [first, end).
func rows(spec *sweep.Spec, first, end int64) (results.Delivery, error) {
	schema, err := results.SweepSchema(spec, solver.Version)
	if err != nil {
		return results.Delivery{}, err
	}
	b := schema.NewBuilder()
	defer b.Release()
	for p := range spec.Points(first, end) {
		cells := make([]results.Cell, len(schema.Parameters()))
		for i := range cells {
			cells[i].Null = true
		}
		sum := sha256.Sum256(fmt.Append(nil, p.Index))
		err := b.AddPoint(
			results.PointRow{Point: p.Index, PointID: [16]byte(sum[:16]), Parameters: cells, Representation: "reduced",
				Status: results.StatusOK, RunSummary: results.RunSummary{
					Metrics:    results.Metrics{Loss: float64(p.Index)},
					EscapeStep: -1, StepsTo90: -1, StepsTo99: -1, PeakSpikeStep: -1, DivergedStep: -1,
				}},
		)
		if err != nil {
			return results.Delivery{}, err
		}
	}
	return b.Encode()
}

// deliver sends one shard in chunks.
func deliver(
	ctx context.Context,
	c pb.NodesClient,
	header *pb.DeliverHeader,
	payload []byte,
) (pb.DeliverResponse_Outcome, error) {
	stream, err := c.Deliver(ctx)
	if err != nil {
		return 0, err
	}
	err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Header{Header: header}})
	for err == nil && len(payload) > 0 {
		n := min(len(payload), 1<<20)
		err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Chunk{Chunk: payload[:n]}})
		payload = payload[n:]
	}
	answer, err := stream.CloseAndRecv()
	return answer.GetOutcome(), err
}

// submit submits a sweep file.
func (c *cluster) submit(ctx context.Context, file string) *pb.SubmitResponse {
	c.t.Helper()
	m, err := c.sweeps.Submit(ctx, &pb.SubmitRequest{File: []byte(file), Filename: "sweep.yaml"})
	if err != nil {
		c.t.Fatalf("Submit = %v", err)
	}
	return m
}

// hashes are the sha256 of a folder's files. The log of shards is left out, which says who computed
// what, and the id of a store.
func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || strings.Contains(name, "shards/part") || strings.HasSuffix(name, "manifest.json") ||
			name == storeID {
			return err
		}
		if strings.Contains(name, ".writing-") {
			t.Errorf("%s was left behind", name)
		}
		data, err := os.ReadFile(path)
		sums[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

const smallSweep = `
name: small
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.01, steps: 2000000, dimension: 10, learning_rate: 0.001}
grid:
  optimizer: [gd, specgd]
  anisotropy: {linspace: {from: 1, to: 50, num: 500}}
record: none
`

func TestSweepRuns(t *testing.T) {
	for name, ledger := range map[string]coordinator.Config{
		"memory":   {Ledger: ledger.NewMemory()},
		"embedded": {Embedded: t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			var dir string
			ledger.Store, dir = fileStore(t)
			last := testSweepRuns(t, ledger)
			checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
			if left, _ := os.ReadDir(filepath.Join(dir, "spool")); len(left) > 1 {
				t.Errorf("%d segments are left in the spool", len(left))
			}
		})
	}
	t.Run("s3", func(t *testing.T) {
		testSweepRuns(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: s3Store(t)})
	})
}

func testSweepRuns(t *testing.T, cfg coordinator.Config) *pb.Sweep {
	c := start(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c.leading(ctx)
	m := c.submit(ctx, smallSweep)
	if !m.GetCreated() || m.GetSweep().GetProgress().GetShards() < 10 {
		t.Fatalf("Submit = %v", m)
	}
	if m := c.submit(ctx, smallSweep); m.GetCreated() {
		t.Error("submitted twice, created twice")
	}
	node := &zeroNode{name: "n1", seen: map[int64]int{}}
	ended := make(chan error, 1)
	nodeCtx, stopNode := context.WithCancel(ctx)
	go func() { ended <- node.run(nodeCtx, c.nodes) }()
	last := c.wait(ctx, m.GetSweep().GetId())
	stopNode()
	<-ended
	if last.GetPhase() != pb.Phase_PHASE_DONE || last.GetProgress().GetPointsDone() != 1000 {
		t.Fatalf("ended as %v", last)
	}
	for shard, n := range node.seen {
		if n != 1 {
			t.Errorf("shard %d computed %d times", shard, n)
		}
	}
	return last
}

// checkSmallSet reads the result set of smallSweep back.
func checkSmallSet(t *testing.T, dir string) {
	set, err := results.OpenSet(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for row, err := range set.Points(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Point != n || row.Loss != float64(n) {
			t.Fatalf("row %d is point %d with loss %v", n, row.Point, row.Loss)
		}
		n++
	}
	if n != 1000 || set.Manifest() == nil {
		t.Errorf("%d rows, manifest %v", n, set.Manifest())
	}
}
