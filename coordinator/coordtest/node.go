package coordtest

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/phasegrid/phasegrid/node/solver"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/sweep"
)

const (
	heartbeatEvery  = time.Second
	defaultClass    = "test"
	defaultSlots    = 2
	defaultCapacity = 8
	kernel          = "none"
)

// Node is a node that solves nothing: it delivers rows that follow from the points' indices. Its
// functions may be called by several goroutines at once; those that are nil are not called.
type Node struct {
	Name  string
	Class string // arithmetic class; "test" by default

	Slots    int // 2 by default
	Capacity int // shards that it is willing to hold; 8 by default
	Workers  int // shards that it delivers at once; 1 by default

	// Rows are those of the only sweep; nil asks the coordinator for the spec of each sweep.
	Rows *Rows

	Granted   func()                      // leases came
	Computed  func(shard int64)           // the rows are made
	Admit     func(context.Context) error // waits until a delivery may begin
	Delivered func(Delivered) error       // an answer came; an error ends the node

	mu     sync.Mutex       // guards sweeps
	sweeps map[string]*Rows // by id
}

// Delivered is one delivery that was answered.
type Delivered struct {
	Shard   int64
	Outcome pb.DeliverResponse_Outcome
	Took    time.Duration // from the first byte to the answer
}

// Committed reports whether the shard was committed with this delivery.
func (d Delivered) Committed() bool { return d.Outcome == pb.DeliverResponse_OUTCOME_COMMITTED }

// Info is how the node registers.
func (n *Node) Info() *pb.NodeInfo {
	return &pb.NodeInfo{
		Name: n.Name, Slots: int32(cmp.Or(n.Slots, defaultSlots)), Solver: solverIdentity(),
		ArithmeticClass: n.class(), Kernel: kernel,
	}
}

func solverIdentity() *pb.SolverIdentity {
	s := sweep.BuiltinSolver(solver.Version)
	return &pb.SolverIdentity{Name: s.Name, Version: s.Version}
}

func (n *Node) class() string { return cmp.Or(n.Class, defaultClass) }

// task is one leased shard.
type task struct {
	run *pb.ShardRun
	i   int64 // of the shard, in the range
}

// Run takes leases and delivers their shards until ctx or the stream ends. It returns when every
// goroutine of the node has ended.
func (n *Node) Run(ctx context.Context, conn grpc.ClientConnInterface) error {
	c := pb.NewNodesClient(conn)
	stream, err := c.Attach(ctx)
	if err != nil {
		return err
	}
	capacity := int32(cmp.Or(n.Capacity, defaultCapacity))
	err = stream.Send(
		&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{Info: n.Info(), Capacity: capacity}}},
	)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	tasks := make(chan task, capacity)
	for range cmp.Or(n.Workers, 1) {
		g.Go(func() error { return n.work(ctx, c, tasks) })
	}
	g.Go(func() error {
		tick := time.NewTicker(heartbeatEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			beat := &pb.AttachRequest{
				Message: &pb.AttachRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Capacity: capacity}},
			}
			if stream.Send(beat) != nil {
				return nil // Recv says why
			}
		}
	})
	g.Go(func() error {
		for {
			m, err := stream.Recv()
			if err != nil {
				return err
			}
			for _, run := range m.GetGrant().GetRuns() {
				if n.Granted != nil {
					n.Granted()
				}
				for i := range run.GetShards() {
					select {
					case tasks <- task{run, i}:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
			}
		}
	})
	return g.Wait()
}

// work delivers shards, one after the other.
func (n *Node) work(ctx context.Context, c pb.NodesClient, tasks <-chan task) error {
	for {
		var t task
		select {
		case t = <-tasks:
		case <-ctx.Done():
			return ctx.Err()
		}
		header, payload, err := n.Solve(ctx, c, t.run, t.i)
		if err != nil {
			return err
		}
		if n.Computed != nil {
			n.Computed(header.GetShard())
		}
		if n.Admit != nil {
			if err := n.Admit(ctx); err != nil {
				return err
			}
		}
		start := time.Now()
		outcome, err := Deliver(ctx, c, header, payload)
		if err == nil && n.Delivered != nil {
			err = n.Delivered(Delivered{header.GetShard(), outcome, time.Since(start)})
		}
		if err != nil {
			return err
		}
	}
}

// Solve makes the delivery of the i-th shard of a range.
func (n *Node) Solve(ctx context.Context, c pb.NodesClient, run *pb.ShardRun, i int64) (
	*pb.DeliverHeader, []byte, error,
) {
	now := timestamppb.Now()
	rows, err := n.rows(ctx, c, run.GetSweepId())
	if err != nil {
		return nil, nil, err
	}
	d, err := rows.Encode(run.GetBounds()[i], run.GetBounds()[i+1])
	if err != nil {
		return nil, nil, err
	}
	header := &pb.DeliverHeader{
		SweepId: run.GetSweepId(), Shard: run.GetFirstShard() + i, Epoch: run.GetEpoch(), Node: n.Name,
		Solver: solverIdentity(), ArithmeticClass: n.class(), Kernel: kernel, Started: now, Finished: now,
		PayloadBytes: int64(len(d.Payload)), Crc32C: d.CRC32C,
	}
	for _, s := range d.Segments {
		header.Segments = append(
			header.Segments,
			&pb.Segment{Table: pb.Table(s.Table) + pb.Table_TABLE_POINTS, Bytes: s.Bytes, Rows: s.Rows},
		)
	}
	return header, d.Payload, nil
}

// rows returns the rows of a sweep, whose spec is fetched once.
func (n *Node) rows(ctx context.Context, c pb.NodesClient, id string) (*Rows, error) {
	if n.Rows != nil {
		return n.Rows, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if rows := n.sweeps[id]; rows != nil {
		return rows, nil
	}
	answer, err := c.GetSpec(ctx, &pb.GetSpecRequest{SweepId: id})
	if err != nil {
		return nil, fmt.Errorf("get spec of sweep %s: %w", id, err)
	}
	spec, err := sweep.Decode(answer.GetSpec().GetCanonical())
	if err != nil {
		return nil, err
	}
	rows, err := NewRows(spec, sweep.BuiltinSolver(solver.Version))
	if err != nil {
		return nil, err
	}
	if n.sweeps == nil {
		n.sweeps = map[string]*Rows{}
	}
	n.sweeps[id] = rows
	return rows, nil
}
