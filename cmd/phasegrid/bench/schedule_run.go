package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/googleapis/gax-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

// schedule configures a measurement: one sweep on a coordinator, with nodes that solve nothing.
type schedule struct {
	// Config of the coordinator: ledger and stores. Its listener, registry and solver are
	// chosen here.
	Config coordinator.Config
	// Nodes simulated, each with Slots deliveries at once.
	Nodes, Slots int
	// Shards of the sweep, of Points points each, at most 16,384.
	Shards, Points int
	// Rate bounds deliveries per second, all nodes together; 0 is no bound.
	Rate float64
	// StopAfter ends the run once so many deliveries are acknowledged, and leaves the sweep as it
	// is then: a second run on the same ledger and stores continues there. 0 runs to the end.
	StopAfter int
}

// scheduleResult is the result of one measurement.
type scheduleResult struct {
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
	HeapBytes       uint64        // largest heap in use, simulated nodes included
	StateBytes      int64         // largest sum of live keys and values in the ledger
	ShardsPerSecond float64
	PointsPerSecond float64       // from the submission to Parquet
	CPU             time.Duration // processor time of this process, simulated nodes included
}

const (
	// scheduleConnections carry the streams of all simulated nodes, more where one would carry too
	// many.
	scheduleConnections = 8
	nodesPerConnection  = 64 // each has a long stream, delivers and asks; a connection carries 256
	leaderPoll          = time.Millisecond
	scheduleFile        = "bench.yaml"
	measureStateEvery   = time.Second
)

// run runs one sweep on a coordinator. What it measures is the cluster's own share of a sweep.
func (b schedule) run(ctx context.Context) (scheduleResult, error) {
	file, err := coordtest.SweepFile(b.Shards, b.Points)
	if err != nil {
		return scheduleResult{}, err
	}
	run := scheduleRun{options: b, started: time.Now()}
	cfg := b.Config
	cfg.Solver, cfg.Registry = sweep.SolverIdentity{}, prometheus.NewRegistry()
	if cfg.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return scheduleResult{}, err
	}
	if run.state, err = openLedger(ctx, &cfg); err != nil {
		cfg.Listener.Close()
		return scheduleResult{}, err
	}
	c, err := coordinator.New(cfg)
	if err != nil {
		cfg.Listener.Close()
		return scheduleResult{}, errors.Join(err, run.state.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	err = run.drive(ctx, cfg.Listener.Addr().String(), file)
	cancel()
	err = errors.Join(err, <-ended)
	var failed error
	run.result.Transactions, run.result.Transaction, failed = sampled(cfg.Registry, "phasegrid_etcd_txn_seconds")
	err = errors.Join(err, failed)
	_, run.result.Spool, failed = sampled(cfg.Registry, "phasegrid_spool_write_seconds")
	return run.result, errors.Join(err, failed)
}

// openLedger opens the ledger of a configuration, so that it can be read while the coordinator
// uses it, and configures the open one. The coordinator closes it.
func openLedger(ctx context.Context, cfg *coordinator.Config) (ledger.Backend, error) {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var err error
	switch {
	case cfg.Embedded != "":
		cfg.Ledger, err = ledger.StartEmbedded(ctx, cfg.Embedded, log)
		cfg.Embedded = ""
	case len(cfg.Etcd.Endpoints) > 0:
		cfg.Ledger, err = ledger.Dial(cfg.Etcd, log)
		cfg.Etcd = ledger.Etcd{}
	}
	return cfg.Ledger, err
}

// scheduleRun is one measurement.
type scheduleRun struct {
	options schedule
	started time.Time
	state   ledger.Backend
	result  scheduleResult
	spec    *sweep.Spec
	plan    *sweep.Plan
	rows    *coordtest.Rows
	stop    context.CancelFunc // of the nodes
	pace    chan struct{}      // a token for each delivery allowed, nil without a rate

	mu    sync.Mutex
	first time.Time // first grant
	last  time.Time // last acknowledgement
	acks  []time.Duration
}

// drive submits the sweep, runs the nodes until it is done, and takes the figures.
func (r *scheduleRun) drive(ctx context.Context, address string, file []byte) error {
	conns := make([]*grpc.ClientConn, max(scheduleConnections, r.options.Nodes/nodesPerConnection+1))
	for i := range conns {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		defer conn.Close()
		conns[i] = conn
	}
	c := client.New(conns[0])
	id, submitted, err := r.submit(ctx, c, file)
	if err != nil {
		return err
	}
	nodes, stop := context.WithCancel(ctx)
	defer stop()
	r.stop = stop
	g, nodes := errgroup.WithContext(nodes)
	r.startPace(nodes, g)
	for i := range r.options.Nodes {
		g.Go(func() error { return r.node(nodes, conns[i%len(conns)], i) })
	}
	g.Go(func() error { defer stop(); return r.watch(nodes, c, id) })
	err = g.Wait()
	r.result.Total = time.Since(submitted)
	r.measureState(ctx)
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return r.summarize()
}

// submit waits for a leader, submits the sweep and makes its plan.
func (r *scheduleRun) submit(
	ctx context.Context,
	c *client.Client,
	file []byte,
) (id string, submitted time.Time, err error) {
	for {
		if _, err := c.List(ctx); err == nil {
			break
		} else if gax.Sleep(ctx, leaderPoll) != nil {
			return "", submitted, fmt.Errorf("wait for a leader: %w", err)
		}
	}
	submitted = time.Now()
	s, err := c.SubmitWhenReady(ctx, scheduleFile, file)
	if err != nil {
		return "", submitted, err
	}
	r.result.Submit = time.Since(submitted)
	if r.spec, err = sweep.Parse(scheduleFile, file, sweep.Limits{}); err != nil {
		return "", submitted, err
	}
	if r.plan, err = sweep.NewPlan(ctx, r.spec, sweep.PlanVersion); err != nil {
		return "", submitted, err
	}
	r.rows, err = coordtest.NewRows(r.spec, sweep.BuiltinSolver(solver.Version))
	return s.ID, submitted, err
}

// node runs one simulated node.
func (r *scheduleRun) node(ctx context.Context, conn *grpc.ClientConn, i int) error {
	n := &coordtest.Node{
		Name: fmt.Sprintf("bench-%04d", i), Class: "bench",
		Slots: r.options.Slots, Capacity: 2 * r.options.Slots, Workers: r.options.Slots,
		Rows: r.rows, Granted: r.granted, Delivered: r.delivered,
	}
	if r.pace != nil {
		n.Admit = r.admit
	}
	err := n.Run(ctx, conn)
	if ctx.Err() != nil || errors.Is(err, io.EOF) || status.Code(err) == codes.Canceled {
		return nil // ended by this process
	}
	return err
}

func (r *scheduleRun) granted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first.IsZero() {
		r.first = time.Now()
	}
}

// admit waits for a token.
func (r *scheduleRun) admit(ctx context.Context) error {
	select {
	case <-r.pace:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *scheduleRun) delivered(d coordtest.Delivered) error {
	if !d.Committed() {
		return fmt.Errorf("deliver shard %d: got %v, want a commit", d.Shard, d.Outcome)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = time.Now()
	r.acks = append(r.acks, d.Took)
	if len(r.acks) == r.options.StopAfter {
		r.stop()
	}
	return nil
}

// watch waits until the sweep has ended, and samples the heap meanwhile.
func (r *scheduleRun) watch(ctx context.Context, c *client.Client, id string) error {
	measured := time.Now()
	s, err := c.Watch(ctx, id, func(client.Sweep) {
		if time.Since(measured) > measureStateEvery {
			r.measureState(ctx)
			measured = time.Now()
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		r.result.HeapBytes = max(r.result.HeapBytes, memory.HeapInuse)
	})
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	case s.Phase != client.PhaseDone:
		return fmt.Errorf("the sweep ended as %s", s.Phase)
	}
	return nil
}

// measureState sums up the ledger's live keys and values. If the ledger cannot be read, a later
// measurement counts.
func (r *scheduleRun) measureState(ctx context.Context) {
	sum := int64(0)
	err := r.state.Load(ctx, ledger.Root, func(key string, value []byte) error {
		sum += int64(len(key) + len(value))
		return nil
	})
	if err == nil {
		r.result.StateBytes = max(r.result.StateBytes, sum)
	}
}

func (r *scheduleRun) summarize() error {
	if len(r.acks) == 0 {
		return errors.New("no shard was delivered")
	}
	slices.Sort(r.acks)
	r.result.P50, r.result.P99 = r.acks[len(r.acks)/2], r.acks[len(r.acks)*99/100]
	r.result.FirstLease, r.result.Leasing = r.first.Sub(r.started), r.last.Sub(r.first)
	r.result.Delivered = int64(len(r.acks))
	r.result.Shards, r.result.Points = r.plan.Shards(), r.spec.Size()
	r.result.ShardsPerSecond = float64(len(r.acks)) / r.result.Leasing.Seconds()
	r.result.PointsPerSecond = float64(r.result.Points) / r.result.Total.Seconds()
	return nil
}
