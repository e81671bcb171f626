package node_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/phasegrid/phasegrid/node"
	"github.com/phasegrid/phasegrid/node/solver"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/sweep"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// smallSweep has 60 points of several shapes; the first of each optimizer diverges.
const smallSweep = `
name: small
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, steps: 40}
grid:
  optimizer: [gd, specgd, muon]
  dimension: [10, 20]
  anisotropy: {linspace: {from: 0, to: 9, num: 10}}
derive:
  learning_rate: "optimizer == 'gd' ? 0.05 : 0.01"
record: {every: 20}
`

func specOf(t *testing.T, file string) *pb.Spec {
	t.Helper()
	spec, err := sweep.Parse("sweep.yaml", []byte(file), sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return &pb.Spec{Canonical: spec.Canonical(), Name: spec.Name(), Solver: solverOf(solver.Version), PlanVersion: 1}
}

func solverOf(version int) *pb.SolverIdentity {
	s := sweep.BuiltinSolver(version)
	return &pb.SolverIdentity{Name: s.Name, Version: s.Version}
}

func upTo(n int64) []int64 {
	var out []int64
	for i := range n {
		out = append(out, i)
	}
	return out
}

func bounds(n, step int64) []int64 {
	var out []int64
	for i := int64(0); i <= n; i++ {
		out = append(out, i*step)
	}
	return out
}

func TestEveryGrantedShardIsDelivered(t *testing.T) {
	var first map[int64][]byte
	for _, slots := range []int{1, 2} {
		f := newFake(t, specOf(t, smallSweep))
		f.run(node.Config{Name: "n", Slots: slots})
		f.grant(0, bounds(12, 5)...)
		f.await("twelve shards", func() bool { return len(f.deliveries) == 12 })
		if got := f.shards(); !slices.Equal(got, upTo(12)) {
			t.Fatalf("delivered shards %v", got)
		}
		h := f.deliveries[0].header
		if h.GetEpoch() != 7 || h.GetNode() != "n" || !proto.Equal(h.GetSolver(), solverOf(solver.Version)) ||
			h.GetSegments()[0].GetRows() != 5 {
			t.Errorf("header %v", h)
		}
		if first == nil {
			first = f.payloads()
			continue
		}
		for shard, payload := range f.payloads() {
			if !bytes.Equal(payload, first[shard]) {
				t.Errorf("shard %d has other bytes with %d slots", shard, slots)
			}
		}
	}
}

func TestFinishedShardIsSentAgain(t *testing.T) {
	f := newFake(t, specOf(t, smallSweep))
	f.answer = func(attempt int, _ *pb.DeliverHeader) (pb.DeliverResponse_Outcome, error) {
		if attempt <= 2 {
			return 0, status.Error(codes.Unavailable, "not the leader")
		}
		return pb.DeliverResponse_OUTCOME_COMMITTED, nil
	}
	f.run(node.Config{Slots: 1})
	f.grant(0, 0, 5)
	f.await("the third attempt", func() bool { return len(f.deliveries) == 1 && f.attempts == 3 })
}

func TestReconnectKeepsWork(t *testing.T) {
	f := newFake(t, specOf(t, smallSweep))
	s := newGate(0)
	f.run(node.Config{Slots: 1, NewSolver: s.new})
	f.grant(4, 20, 25)
	<-s.started
	address := f.address
	f.stop()
	f.start(address)
	f.await("the second hello", func() bool { return len(f.hellos) == 2 })
	close(s.open)
	f.await("the delivery", func() bool { return len(f.deliveries) == 1 })
	f.mu.Lock()
	defer f.mu.Unlock()
	held := f.hellos[1].GetHeld()
	if len(held) != 1 || held[0].GetFirstShard() != 4 || !slices.Equal(held[0].GetBounds(), []int64{20, 25}) {
		t.Errorf("held after the reconnect: %v", held)
	}
}

func TestDrainDeliversFinishedAndHandsBackTheRest(t *testing.T) {
	f := newFake(t, specOf(t, smallSweep))
	answer := make(chan struct{})
	f.answer = func(int, *pb.DeliverHeader) (pb.DeliverResponse_Outcome, error) {
		<-answer
		return pb.DeliverResponse_OUTCOME_COMMITTED, nil
	}
	s := newGate(2) // shard 0 has two shapes; then only cancellation ends a batch
	r := f.run(node.Config{Slots: 1, NewSolver: s.new})
	f.grant(0, bounds(4, 5)...)
	f.await("the first delivery", func() bool { return f.attempts == 1 })
	<-s.started // the second shard is running
	r.stop()
	f.await("the hand-back", func() bool { return len(f.returned) > 0 })
	close(answer)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if got := f.shards(); !slices.Equal(got, []int64{0}) {
		t.Errorf("delivered %v, want the finished shard 0", got)
	}
	if got := f.returnedShards(); !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("handed back %v, want 1, 2 and 3", got)
	}
	if f.byes != 1 {
		t.Errorf("%d byes", f.byes)
	}
}

// TestDrainIsBounded: a node ends within the bound of its drain, even if the coordinator answers
// neither the delivery nor the bye.
func TestDrainIsBounded(t *testing.T) {
	f := newFake(t, specOf(t, smallSweep))
	f.lingers = true
	silent := make(chan struct{})
	defer close(silent)
	f.answer = func(int, *pb.DeliverHeader) (pb.DeliverResponse_Outcome, error) {
		<-silent
		return pb.DeliverResponse_OUTCOME_COMMITTED, nil
	}
	const bound = 4 * time.Second
	r := f.run(node.Config{Slots: 1, DrainTimeout: bound})
	f.grant(0, 0, 5)
	f.await("the delivery", func() bool { return f.attempts == 1 })
	begun := time.Now()
	err := r.end()
	if took := time.Since(begun); took > bound+time.Second {
		t.Errorf("the drain took %v, its bound is %v", took, bound)
	}
	if err == nil || !strings.Contains(err.Error(), "no answer within 4s") {
		t.Errorf("error %v", err)
	}
}

// TestGraceEndsWithTheDrain: with a grace period longer than the drain, running shards are handed
// back and do not count as solved.
func TestGraceEndsWithTheDrain(t *testing.T) {
	f := newFake(t, specOf(t, smallSweep))
	s := newGate(0)
	r := f.run(node.Config{Slots: 1, NewSolver: s.new, Grace: time.Hour, DrainTimeout: 100 * time.Millisecond})
	f.grant(0, 0, 5)
	<-s.started
	if err := r.end(); err != nil {
		t.Error(err)
	}
	f.await("the hand-back", func() bool { return len(f.returned) > 0 })
	if got := f.returnedShards(); !slices.Equal(got, []int64{0}) {
		t.Errorf("handed back %v", got)
	}
}

func TestRevokeStopsARunningShard(t *testing.T) {
	f := newFake(t, specOf(t, smallSweep))
	s := newGate(0)
	f.run(node.Config{Slots: 1, NewSolver: s.new})
	f.grant(0, 0, 5)
	<-s.started
	f.revoke(0, 1)
	<-s.stopped
	close(s.open)
	f.grant(1, 5, 10)
	f.await("the next shard", func() bool { return len(f.deliveries) == 1 })
	if got := f.shards(); !slices.Equal(got, []int64{1}) {
		t.Errorf("delivered %v", got)
	}
}

func TestRejectedDeliveryIsAbandoned(t *testing.T) {
	f := newFake(t, specOf(t, smallSweep))
	f.answer = func(int, *pb.DeliverHeader) (pb.DeliverResponse_Outcome, error) {
		return 0, status.Error(codes.InvalidArgument, "wrong rows")
	}
	f.run(node.Config{Slots: 1})
	f.grant(3, 15, 20)
	f.await("abandonment", func() bool { return len(f.abandons) == 1 })
	a := f.abandons[0]
	if a.GetRun().GetFirstShard() != 3 || !strings.Contains(a.GetCause(), "wrong rows") {
		t.Errorf("abandoned %v", a)
	}
}

func TestSweepOfAnotherSolverIsAbandoned(t *testing.T) {
	spec := specOf(t, smallSweep)
	spec.Solver = solverOf(solver.Version + 1)
	f := newFake(t, spec)
	f.run(node.Config{Slots: 1})
	f.grant(0, 0, 5)
	f.await("abandonment", func() bool { return len(f.abandons) == 1 })
	want := fmt.Sprintf("it needs solver phasegrid %d, this node has phasegrid %d", solver.Version+1, solver.Version)
	if got := f.abandons[0].GetCause(); !strings.Contains(got, want) {
		t.Errorf("cause %q, want %q", got, want)
	}
}

// gate is a solver that solves `free` batches at once and the others when open is closed.
type gate struct {
	open             chan struct{}
	started, stopped chan struct{} // one for each batch that waits, and that was cancelled

	mu   sync.Mutex
	free int
}

func newGate(free int) *gate {
	return &gate{
		open:    make(chan struct{}),
		started: make(chan struct{}, 64),
		stopped: make(chan struct{}, 64),
		free:    free,
	}
}

func (g *gate) new() node.Solver { return g }

func (g *gate) Solve(ctx context.Context, problems []solver.Problem, out []solver.Result) error {
	g.mu.Lock()
	g.free--
	free := g.free >= 0
	g.mu.Unlock()
	if !free {
		g.started <- struct{}{}
		select {
		case <-g.open:
		case <-ctx.Done():
			g.stopped <- struct{}{}
			return ctx.Err()
		}
	}
	return solver.New().Solve(ctx, problems, out)
}
