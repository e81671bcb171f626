package coordinator

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/sweep"
)

// simFiles are the sweeps of a simulation: one of several parts, one of a single shard.
var simFiles = []string{`
name: large
fixed:
  {model: population, covariance: power_law, exponent: 1, dimension: 20, init: identity, init_scale: 0.01,
   steps: 400000, learning_rate: 0.001, optimizer: gd}
grid: {label_noise: {linspace: {from: 0, to: 1, num: 12}}}
record: {every: 4}
`, `
name: small
fixed:
  {model: population, covariance: spiked, anisotropy: 2, dimension: 20, init: identity, init_scale: 0.01,
   steps: 1000, learning_rate: 0.001, optimizer: gd}
grid: {label_noise: {linspace: {from: 0, to: 1, num: 3}}}
record: none
`}

// simDelivery is what a node sends for a shard, but for the node's own fields.
type simDelivery struct {
	header  *pb.DeliverHeader
	payload []byte
}

// simDeliveries has the deliveries of every shard of the sweeps, which are the same in every
// simulation.
var simDeliveries = &deliveries{made: map[simShard]simDelivery{}}

type deliveries struct {
	once   sync.Once
	solver *pb.SolverIdentity
	made   map[simShard]simDelivery
	ids    []string // of simFiles
	shards []int64
}

func (d *deliveries) of(s simShard) simDelivery { return d.made[s] }

// prepare makes all deliveries.
func (d *deliveries) prepare() {
	d.once.Do(func() {
		cfg := Config{}
		cfg.fillIn()
		d.solver = &pb.SolverIdentity{Name: cfg.Solver.Name, Version: cfg.Solver.Version}
		for _, file := range simFiles {
			d.ids = append(d.ids, d.prepareSweep(cfg.Solver, file))
		}
	})
}

func (d *deliveries) prepareSweep(solver sweep.SolverIdentity, file string) string {
	spec := must(sweep.Parse("sim.yaml", []byte(file), sweep.Limits{}))
	plan := must(sweep.NewPlan(context.Background(), spec, sweep.PlanVersion))
	design := must(newDesign(spec, plan, spec.Name(), solver, sweep.PlanVersion))
	rows := must(coordtest.NewRows(spec, solver))
	for i := range plan.Shards() {
		first, end := plan.Shard(i)
		made := must(rows.Encode(first, end))
		then := timestamppb.New(timestamppb.Now().AsTime().Truncate(0))
		header := &pb.DeliverHeader{
			SweepId: design.id, Shard: i, Solver: d.solver, ArithmeticClass: "test", Kernel: "none",
			PayloadBytes: int64(len(made.Payload)), Crc32C: made.CRC32C, Started: then, Finished: then,
		}
		for _, s := range made.Segments {
			header.Segments = append(header.Segments, &pb.Segment{
				Table: pb.Table(s.Table) + pb.Table_TABLE_POINTS, Bytes: s.Bytes, Rows: s.Rows,
			})
		}
		d.made[simShard{design.id, i}] = simDelivery{header, made.Payload}
	}
	d.shards = append(d.shards, plan.Shards())
	return design.id
}

// simClient is whoever submits, changes and removes the sweeps.
type simClient struct {
	world *world
	acked map[simShard]bool
	// removals counts how often the removal of a sweep was asked for, which ends what was
	// acknowledged before.
	removals map[string]int
	busy     []bool // by sweep: a call is under way
	last     []*pb.Sweep
}

func newSimClient(w *world) *simClient {
	return &simClient{
		world: w, acked: map[simShard]bool{}, removals: map[string]int{},
		busy: make([]bool, len(simFiles)), last: make([]*pb.Sweep, len(simFiles)),
	}
}

// call makes a call about sweep i, whose answer becomes the last known state.
func (c *simClient) call(p *process, i int, what string, do func(context.Context, *sweepsServer) (*pb.Sweep, error)) {
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.busy[i] {
		return
	}
	c.busy[i] = true
	w.note("%s sweep %d at p%d", what, i, p.number)
	go func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		m, err := do(ctx, p.sweeps)
		w.mu.Lock()
		defer w.mu.Unlock()
		c.busy[i] = false
		c.last[i] = nil // not known, after an error
		if err == nil && !p.dead {
			c.last[i] = m
		}
	}()
}

func (c *simClient) submit(p *process, i int) {
	c.call(p, i, "submit", func(ctx context.Context, s *sweepsServer) (*pb.Sweep, error) {
		m, err := s.Submit(ctx, &pb.SubmitRequest{Filename: "sim.yaml", File: []byte(simFiles[i])})
		return m.GetSweep(), err
	})
}

// change asks for something else than rows: a pause, a cancellation, a removal.
func (c *simClient) change(p *process, i int, kind int) {
	id := simDeliveries.ids[i]
	switch kind {
	case 0:
		c.call(p, i, "pause", func(ctx context.Context, s *sweepsServer) (*pb.Sweep, error) {
			m, err := s.Pause(ctx, &pb.PauseRequest{Sweep: id})
			return m.GetSweep(), err
		})
	case 1:
		c.call(p, i, "resume", func(ctx context.Context, s *sweepsServer) (*pb.Sweep, error) {
			m, err := s.Resume(ctx, &pb.ResumeRequest{Sweep: id})
			return m.GetSweep(), err
		})
	case 2:
		c.call(p, i, "cancel", func(ctx context.Context, s *sweepsServer) (*pb.Sweep, error) {
			m, err := s.Cancel(ctx, &pb.CancelRequest{Sweep: id})
			return m.GetSweep(), err
		})
	case 3:
		c.retry(p, i)
	case 4:
		if c.busy[i] || c.last[i].GetPhase() < pb.Phase_PHASE_DONE {
			return
		}
		c.world.mu.Lock()
		c.removals[id]++
		for s := range c.acked { // the removal may happen at any time from now on
			if s.sweep == id {
				delete(c.acked, s)
			}
		}
		c.world.mu.Unlock()
		c.call(p, i, "remove", func(ctx context.Context, s *sweepsServer) (*pb.Sweep, error) {
			_, err := s.Delete(ctx, &pb.DeleteRequest{Sweep: id})
			return nil, err
		})
	}
}

func (c *simClient) retry(p *process, i int) {
	c.call(p, i, "retry", func(ctx context.Context, s *sweepsServer) (*pb.Sweep, error) {
		m, err := s.Retry(ctx, &pb.RetryRequest{Sweep: simDeliveries.ids[i]})
		return m.GetSweep(), err
	})
}

// get asks for the state of a sweep.
func (c *simClient) get(p *process, i int) {
	c.call(p, i, "get", func(ctx context.Context, s *sweepsServer) (*pb.Sweep, error) {
		m, err := s.Get(ctx, &pb.GetRequest{Sweep: simDeliveries.ids[i]})
		return m.GetSweep(), err
	})
}

// describe says how far the sweeps are.
func (c *simClient) describe() string {
	text := ""
	for i, m := range c.last {
		text += fmt.Sprintf(" sweep %d: %v %v;", i, m.GetPhase(), m.GetProgress())
	}
	return text
}
