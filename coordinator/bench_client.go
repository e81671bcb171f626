package coordinator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
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
	// StopAfter ends the run once so many deliveries are acknowledged, and leaves the sweep as it
	// is then: a second Schedule on the same ledger and stores goes on there. 0 runs to the end.
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

// Schedule runs one sweep on a real coordinator with nodes that solve nothing: what it takes is the
// cluster's own share.
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
	run := benchRun{
		Bench:       b,
		coordinator: c,
		started:     time.Now(),
		builders:    make(chan *results.Builder, 2*runtime.GOMAXPROCS(0)),
	}
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
	plan, err := sweep.NewPlan(ctx, spec, sweep.PlanVersion)
	if err != nil {
		return err
	}
	if r.plan, err = newDesign(spec, plan, "bench", int(answer.GetSweep().GetSpec().GetSolverVersion()), sweep.PlanVersion); err != nil {
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

// measureState adds the ledger's live keys and values up. A ledger that cannot be read just then is
// looked at again later.
func (r *benchRun) measureState(ctx context.Context) {
	t := r.coordinator.term.Load()
	if t == nil {
		return
	}
	sum := int64(0)
	err := t.ledger.Load(ctx, ledger.Root, func(key string, value []byte) error {
		sum += int64(len(key) + len(value))
		return nil
	})
	if err == nil {
		r.result.StateBytes = max(r.result.StateBytes, sum)
	}
}
