package coordinator

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// Bench says what Schedule measures.
type Bench struct {
	// Config of the coordinator: ledger and stores. Its listener and SolverVersion are chosen here.
	Config Config
	// Nodes simulated, each with Slots deliveries under way at once.
	Nodes, Slots int
	// Shards of the sweep, of Points points each, at most 16,384.
	Shards, Points int
	// Rate bounds deliveries per second, all nodes together; 0 is none.
	Rate float64
	// StopAfter ends the run once so many deliveries are acknowledged, and leaves the sweep as it is then: a second
	// Schedule on the same ledger and stores goes on there. 0 runs to the end.
	StopAfter int
}

// BenchResult is what Schedule measured.
type BenchResult struct {
	Shards, Points  int64         // of the sweep
	Delivered       int64         // shards acknowledged
	Submit          time.Duration // from the request to the answer
	FirstLease      time.Duration // from the start of the coordinator to the first grant
	Leasing         time.Duration // from the first grant to the last acknowledgement
	Total           time.Duration // from the submission to the finished result set
	Transactions    int64
	Transaction     time.Duration // mean of one
	Spool           time.Duration // mean of one group's write to the spool, with its sync
	P50, P99        time.Duration // from a delivery's first byte to its acknowledgement
	HeapBytes       uint64        // largest heap in use seen, simulated nodes included
	StateBytes      int64         // largest sum of live keys and values in the ledger seen, about once a second
	ShardsPerSecond float64
	PointsPerSecond float64 // from the submission to Parquet
}

// benchConnections carry the streams of all simulated nodes, more where one would carry too many.
const (
	benchConnections   = 8
	nodesPerConnection = maxStreams / 4 // each delivers and asks beside its one long stream
)

// Schedule runs one sweep on a real coordinator with nodes that solve nothing: what it takes is the cluster's own share.
func Schedule(ctx context.Context, b Bench) (BenchResult, error) {
	file, err := benchSweep(b.Shards, b.Points)
	if err != nil {
		return BenchResult{}, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return BenchResult{}, err
	}
	b.Config.Listener, b.Config.SolverVersion = listener, 0
	c, err := New(b.Config)
	if err != nil {
		listener.Close()
		return BenchResult{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	run := benchRun{Bench: b, coordinator: c, started: time.Now(), builders: make(chan *results.Builder, 2*runtime.GOMAXPROCS(0))}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	err = run.drive(ctx, listener.Addr().String(), file)
	run.result.Transactions, run.result.Transaction = sampled(c.metrics.txnSeconds)
	_, run.result.Spool = sampled(c.metrics.spoolSeconds)
	cancel()
	return run.result, errors.Join(err, <-ended)
}

// benchSweep is a sweep file whose shards have so many points each.
func benchSweep(shards, points int) ([]byte, error) {
	text := func(steps int64) []byte {
		return fmt.Appendf(nil, `
name: bench
fixed: {model: population, covariance: spiked, dimension: 100, init: identity, init_scale: 0.01, learning_rate: 0.001, steps: %d, optimizer: gd}
grid: {anisotropy: {linspace: {from: 1, to: 100, num: %d}}}
record: none
`, steps, max(2, shards*points))
	}
	spec, err := sweep.Parse("bench.yaml", text(1), sweep.Limits{})
	if err != nil {
		return nil, err
	}
	var a sweep.Assignment
	for p := range spec.Points(0, 1) {
		a = p.Params
	}
	cost := func(steps int64) int64 {
		a[sweep.Steps] = sweep.Int(steps)
		return sweep.Cost(&a, 0)
	}
	const probe = 1000
	step := (cost(2*probe) - cost(probe)) / probe
	return text(max(1, (shardCost/int64(points)-cost(0))/step)), nil
}

// shardCost is the cost at which plan version 1 ends a shard.
const shardCost = 2_000_000_000

// benchRun is one run of Schedule.
type benchRun struct {
	Bench
	coordinator *Coordinator
	started     time.Time
	result      BenchResult
	stop        context.CancelFunc // of the nodes

	mu    sync.Mutex
	first time.Time // first grant
	last  time.Time // last acknowledgement
	acks  []time.Duration
	pace  chan struct{} // a token for each delivery allowed, nil without a rate
	plan  *design
	// builders wait here for whoever needs one next.
	builders chan *results.Builder
}

// drive submits the sweep, runs the nodes until it is done, and takes the figures.
func (r *benchRun) drive(ctx context.Context, address string, file []byte) error {
	conns := make([]*grpc.ClientConn, max(benchConnections, r.Nodes/nodesPerConnection+1))
	for i := range conns {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		defer conn.Close()
		conns[i] = conn
	}
	client := pb.NewSweepsClient(conns[0])
	for {
		if _, err := client.List(ctx, &pb.ListRequest{}); err == nil {
			break
		} else if ctx.Err() != nil {
			return fmt.Errorf("the coordinator does not lead: %w", err)
		}
		pause(ctx, time.Millisecond)
	}
	submitted := time.Now()
	answer, err := client.Submit(ctx, &pb.SubmitRequest{File: file, Filename: "bench.yaml"}, grpc.WaitForReady(true))
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	r.result.Submit = time.Since(submitted)
	stored, err := pb.NewNodesClient(conns[0]).GetSpec(ctx, &pb.GetSpecRequest{SweepId: answer.GetSweep().GetId()})
	if err != nil {
		return fmt.Errorf("ask for the spec: %w", err)
	}
	spec, err := sweep.Decode(stored.GetSpec().GetCanonical())
	if err != nil {
		return err
	}
	if r.plan, err = newDesign(spec, "bench", int(answer.GetSweep().GetSpec().GetSolverVersion()), sweep.PlanVersion); err != nil {
		return err
	}
	nodes, stop := context.WithCancel(ctx)
	defer stop()
	r.stop = stop
	g, nodes := errgroup.WithContext(nodes)
	r.startPace(nodes, g)
	for i := range r.Nodes {
		g.Go(func() error { return r.node(nodes, pb.NewNodesClient(conns[i%len(conns)]), i) })
	}
	g.Go(func() error { defer stop(); return r.watch(nodes, client, answer.GetSweep().GetId()) })
	err = g.Wait()
	r.result.Total = time.Since(submitted)
	r.measureState(ctx)
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return r.summarize()
}

func (r *benchRun) summarize() error {
	if len(r.acks) == 0 {
		return errors.New("bench: no shard was delivered")
	}
	slices.Sort(r.acks)
	r.result.P50, r.result.P99 = r.acks[len(r.acks)/2], r.acks[len(r.acks)*99/100]
	r.result.FirstLease, r.result.Leasing = r.first.Sub(r.started), r.last.Sub(r.first)
	r.result.Delivered = int64(len(r.acks))
	r.result.Shards, r.result.Points = r.plan.plan.Shards(), r.plan.spec.Size()
	r.result.ShardsPerSecond = float64(len(r.acks)) / r.result.Leasing.Seconds()
	r.result.PointsPerSecond = float64(r.result.Points) / r.result.Total.Seconds()
	return nil
}

// watch waits for the end, and looks at the heap meanwhile.
func (r *benchRun) watch(ctx context.Context, client pb.SweepsClient, id string) error {
	stream, err := client.Watch(ctx, &pb.WatchRequest{Sweep: id})
	if err != nil {
		return err
	}
	looked := time.Now()
	for {
		m, err := stream.Recv()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("watch: %w", err)
		}
		if time.Since(looked) > time.Second {
			r.measureState(ctx)
			looked = time.Now()
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		r.result.HeapBytes = max(r.result.HeapBytes, memory.HeapInuse)
		switch m.GetSweep().GetPhase() {
		case pb.Phase_PHASE_DONE:
			return nil
		case pb.Phase_PHASE_CANCELLED, pb.Phase_PHASE_FAILED:
			return fmt.Errorf("bench: the sweep ended as %v", m.GetSweep().GetPhase())
		}
	}
}

// measureState adds the ledger's live keys and values up. A ledger that cannot be read just then is looked at again later.
func (r *benchRun) measureState(ctx context.Context) {
	t := r.coordinator.term.Load()
	if t == nil {
		return
	}
	sum := int64(0)
	err := t.ledger.Load(ctx, keyRoot, func(key string, value []byte) error {
		sum += int64(len(key) + len(value))
		return nil
	})
	if err == nil {
		r.result.StateBytes = max(r.result.StateBytes, sum)
	}
}

// startPace hands out tokens at the rate.
func (r *benchRun) startPace(ctx context.Context, g *errgroup.Group) {
	if r.Rate <= 0 {
		return
	}
	r.pace = make(chan struct{}, r.Nodes*r.Slots)
	g.Go(func() error {
		start, sent := time.Now(), 0
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			for due := int(time.Since(start).Seconds() * r.Rate); sent < due; sent++ {
				select {
				case r.pace <- struct{}{}:
				case <-ctx.Done():
					return nil
				}
			}
		}
	})
}

// node is one simulated node: it delivers what it is granted, Slots shards at once.
func (r *benchRun) node(ctx context.Context, client pb.NodesClient, i int) error {
	name := fmt.Sprintf("bench-%04d", i)
	stream, err := client.Attach(ctx)
	if err != nil {
		return benchEnd(ctx, err)
	}
	info := &pb.NodeInfo{Name: name, Slots: int32(r.Slots), SolverVersion: int32(r.plan.solver), ArithmeticClass: "bench", Kernel: "none"}
	err = stream.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{Info: info, Capacity: int32(2 * r.Slots)}}})
	if err != nil {
		return benchEnd(ctx, err)
	}
	g, ctx := errgroup.WithContext(ctx)
	work := newQueue[*pb.DeliverHeader]()
	for range r.Slots {
		g.Go(func() error { return r.slot(ctx, client, name, work) })
	}
	g.Go(func() error {
		for {
			m, err := stream.Recv()
			if err != nil {
				return benchEnd(ctx, err)
			}
			for _, run := range m.GetGrant().GetRuns() {
				r.granted()
				for s := range run.GetShards() {
					work.put(&pb.DeliverHeader{SweepId: run.GetSweepId(), Shard: run.GetFirstShard() + s, Epoch: run.GetEpoch()})
				}
			}
		}
	})
	g.Go(func() error { // heartbeats
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			beat := &pb.AttachRequest{Message: &pb.AttachRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Capacity: int32(2 * r.Slots)}}}
			if err := stream.Send(beat); err != nil {
				return benchEnd(ctx, err)
			}
		}
	})
	return g.Wait()
}

// benchEnd is nil for the end of a stream that was wanted.
func benchEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, io.EOF) || status.Code(err) == codes.Canceled {
		return nil
	}
	return err
}

func (r *benchRun) granted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first.IsZero() {
		r.first = time.Now()
	}
}

// slot makes deliveries, one after the other.
func (r *benchRun) slot(ctx context.Context, client pb.NodesClient, name string, work *queue[*pb.DeliverHeader]) error {
	for {
		h, err := work.next(ctx)
		if err != nil {
			return nil
		}
		now := timestamppb.Now()
		d, err := r.rows(int(h.GetShard()))
		if err != nil {
			return err
		}
		if r.pace != nil {
			select {
			case <-r.pace:
			case <-ctx.Done():
				return nil
			}
		}
		h.Node, h.SolverVersion, h.ArithmeticClass, h.Kernel = name, int32(r.plan.solver), "bench", "none"
		h.PayloadBytes, h.Crc32C, h.Started, h.Finished = int64(len(d.Payload)), d.CRC32C, now, now
		for _, s := range d.Segments {
			h.Segments = append(h.Segments, &pb.Segment{Table: pb.Table(s.Table) + pb.Table_TABLE_POINTS, Bytes: s.Bytes, Rows: s.Rows})
		}
		start := time.Now()
		if err := benchDeliver(ctx, client, h, d.Payload); err != nil {
			return benchEnd(ctx, err)
		}
		r.mu.Lock()
		r.last = time.Now()
		r.acks = append(r.acks, r.last.Sub(start))
		if len(r.acks) == r.StopAfter {
			r.stop()
		}
		r.mu.Unlock()
	}
}

// rows borrows a builder: simulated nodes by the thousand do not have one each.
func (r *benchRun) rows(shard int) (results.Delivery, error) {
	var b *results.Builder
	select {
	case b = <-r.builders:
	default:
		b = r.plan.schema.NewBuilder()
	}
	d, err := benchRows(r.plan, b, shard)
	select {
	case r.builders <- b:
	default:
		b.Release()
	}
	return d, err
}

// benchRows are rows as wide as a solver's.
func benchRows(d *design, b *results.Builder, shard int) (results.Delivery, error) {
	first, end := d.plan.Shard(int64(shard))
	parameters := make([]results.Cell, len(d.schema.Parameters()))
	for i, c := range d.schema.Parameters() {
		parameters[i] = results.Cell{Int: 100, Float: float64(shard), Text: "population", Null: c.Kind == results.Bool}
	}
	for i := first; i < end; i++ {
		id := sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24), byte(i >> 32)})
		x := 1 / float64(1+i)
		err := b.AddPoint(results.PointRow{
			Point: i, PointID: [16]byte(id[:16]), Parameters: parameters, Representation: "reduced", Status: results.StatusOK,
			Loss: x, SignalAlignment: 1 - x, SpikeAlignment: x / 2, BulkAlignment: x / 2, SignalEnergy: 1 - x, WeightNorm2: 1,
			TopEigenvectorOverlap: 1, StableRank: 1 + x, EscapeStep: i, StepsTo90: i + 1, StepsTo99: i + 2, PeakSpikeAlignment: x,
			PeakSpikeStep: i, DivergedStep: -1, StepsRun: 1000, TailSignalAlignment: 1 - x, TailLoss: x,
		})
		if err != nil {
			return results.Delivery{}, err
		}
	}
	return b.Encode()
}

func benchDeliver(ctx context.Context, client pb.NodesClient, h *pb.DeliverHeader, payload []byte) error {
	stream, err := client.Deliver(ctx)
	if err != nil {
		return err
	}
	err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Header{Header: h}})
	for err == nil && len(payload) > 0 {
		n := min(len(payload), 1<<20)
		err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Chunk{Chunk: payload[:n]}})
		payload = payload[n:]
	}
	answer, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	if answer.GetOutcome() != pb.DeliverResponse_OUTCOME_COMMITTED {
		return fmt.Errorf("bench: shard %d was answered %v", h.GetShard(), answer.GetOutcome())
	}
	return nil
}
