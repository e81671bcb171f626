package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// heldLedger delays transactions that delete a key below prefix until open is closed.
type heldLedger struct {
	ledger.Ledger
	prefix string
	held   chan struct{} // one for each transaction that is held
	open   chan struct{}
}

func (l *heldLedger) Commit(ctx context.Context, writes []ledger.Write) error {
	if slices.ContainsFunc(
		writes,
		func(w ledger.Write) bool { return w.Delete && strings.HasPrefix(w.Key, l.prefix) },
	) {
		l.held <- struct{}{}
		select {
		case <-l.open:
		case <-ctx.Done():
		}
	}
	return l.Ledger.Commit(ctx, writes)
}

// decide runs the loop and the saver of a leader until the test ends. saved gets the error of the
// saver.
func decide(t *testing.T, leader *term) (ctx context.Context, saved <-chan error) {
	ctx, cancel := context.WithCancel(t.Context())
	leader.ended = ctx.Done()
	var group errgroup.Group
	done := make(chan error, 1)
	group.Go(func() error { return leader.loop(ctx) })
	group.Go(func() error { done <- leader.saver(ctx); return nil })
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return ctx, done
}

// do runs a function in the loop of a leader.
func do(ctx context.Context, t *testing.T, leader *term, f func()) {
	t.Helper()
	if _, err := ask(ctx, leader, func() struct{} { f(); return struct{}{} }); err != nil {
		t.Fatal(err)
	}
}

// TestRowsFollowWhatIsNotDurableYet: the keys of a part that is computed again are being deleted,
// slowly. A delivery of one of its shards is not committed before that, since it would be
// acknowledged and its key deleted.
func TestRowsFollowWhatIsNotDurableYet(t *testing.T) {
	leader, e := idleTerm(t, ledger.NewMemory())
	held := &heldLedger{
		Ledger: leader.ledger,
		prefix: ledger.PartKey(e.design.id, 0),
		held:   make(chan struct{}, 1),
		open:   make(chan struct{}),
	}
	leader.ledger, leader.sweeps[e.design.id] = held, e
	ctx, _ := decide(t, leader)

	stored := map[int][]int{}
	for i := range planCuts.Parts(planCuts{e.design.plan}) {
		stored[i] = nil
	}
	stream := &nodeStream{conn: 1, name: "n", instance: "i", out: newQueue[*pb.AttachResponse]()}
	leader.nodes[stream.conn] = stream
	step := func(event board.Event) {
		t.Helper()
		do(ctx, t, leader, func() { leader.step(event) })
	}
	step(
		board.SweepAdded{
			ID:     e.design.id,
			Cuts:   planCuts{e.design.plan},
			Phase:  board.Done,
			Solver: e.design.solver.String(),
			Class:  "fma",
			Parts:  stored,
		},
	)
	step(board.ReopenRequested{Sweep: e.design.id, Parts: map[int]board.Counts{0: {}}})
	<-held.held

	in := &incoming{entry: e, shard: 0, token: 1}
	do(ctx, t, leader, func() { leader.incoming[in.token] = in })
	step(
		board.ShardDelivered{
			Token:  in.token,
			Sweep:  e.design.id,
			Shard:  0,
			Node:   "n",
			Solver: e.design.solver.String(),
			Class:  "fma",
		},
	)
	step(
		board.NodeAttached{
			Conn: stream.conn,
			Info: board.NodeInfo{Name: "n", Slots: 1, Solver: e.design.solver.String(), Class: "fma",
				MemoryBytes: 1 << 40},
			Capacity: 2,
		},
	)
	if early := leader.commits.all(); len(early) > 0 {
		t.Fatalf("%d shards are committed before the keys of their part are gone", len(early))
	}
	if early := stream.out.all(); len(early) > 0 {
		t.Fatalf("granted before the keys of the part are gone: %v", early)
	}
	close(held.open)
	if got, err := leader.commits.next(ctx); err != nil || got.shard != 0 {
		t.Errorf("commits %v, %v", got, err)
	}
	if m, err := stream.out.next(ctx); err != nil || m.GetGrant() == nil {
		t.Errorf("sent %v, %v, want a grant", m, err)
	}
}

// losableLedger rejects transactions once another leader was elected.
type losableLedger struct {
	ledger.Ledger
	lost atomic.Bool
}

func (l *losableLedger) Commit(ctx context.Context, writes []ledger.Write) error {
	if l.lost.Load() {
		return ledger.ErrFenced
	}
	return l.Ledger.Commit(ctx, writes)
}

// TestNoGrantsAfterAStall: a leader that was suspended grants nothing before its leadership is
// confirmed. Another one may lead, and may have acknowledged what this one would grant.
func TestNoGrantsAfterAStall(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		leader, e := idleTerm(t, ledger.NewMemory())
		guarded := &losableLedger{Ledger: leader.ledger}
		leader.ledger, leader.sweeps[e.design.id] = guarded, e
		stream := &nodeStream{conn: 1, name: "n", instance: "i", out: newQueue[*pb.AttachResponse]()}
		leader.nodes[stream.conn] = stream
		ctx, saved := decide(t, leader)
		do(ctx, t, leader, func() {
			leader.step(
				board.NodeAttached{
					Conn: stream.conn,
					Info: board.NodeInfo{
						Name:        "n",
						Slots:       1,
						Solver:      e.design.solver.String(),
						Class:       "fma",
						MemoryBytes: 1 << 40,
					},
					Capacity: 2,
				},
			)
		})
		if replaced {
			guarded.lost.Store(true)
		}
		do(ctx, t, leader, func() {
			leader.tick(time.Now().Add(-2 * stalledAfter))
			leader.step(
				board.SweepAdded{
					ID:     e.design.id,
					Cuts:   planCuts{e.design.plan},
					Phase:  board.Running,
					Solver: e.design.solver.String(),
					Class:  "fma",
				},
			)
			if early := stream.out.all(); len(early) > 0 {
				t.Errorf("granted before it is known who leads: %v", early)
			}
		})
		if replaced {
			if err := <-saved; !errors.Is(err, ledger.ErrFenced) {
				t.Errorf("the saver of a former leader ended with %v", err)
			}
			if granted := stream.out.all(); len(granted) > 0 {
				t.Errorf("a former leader granted %v", granted)
			}
			continue
		}
		if m, err := stream.out.next(ctx); err != nil || m.GetGrant() == nil {
			t.Errorf("sent %v, %v, want a grant", m, err)
		}
	}
}

// countedLedger counts transactions.
type countedLedger struct {
	ledger.Ledger
	commits int
}

func (l *countedLedger) Commit(ctx context.Context, writes []ledger.Write) error {
	l.commits++
	return l.Ledger.Commit(ctx, writes)
}

// TestCancelDoesNotWaitForEachNode: a thousand nodes attach at once, as they do to a new leader,
// and each is saved. A later request is saved after a few transactions, in order.
func TestCancelDoesNotWaitForEachNode(t *testing.T) {
	leader, e := idleTerm(t, ledger.NewMemory())
	counted := &countedLedger{Ledger: leader.ledger}
	leader.ledger = counted
	var order []int
	note := func(i int, writes ...ledger.Write) {
		leader.saves.put(save{writes: writes, then: func() { order = append(order, i) }})
	}
	const nodes = 1000
	for i := range nodes {
		note(i, ledger.Write{Key: ledger.NodeKey(fmt.Sprint("n", i)), Value: []byte("here"), Ephemeral: true})
	}
	note(nodes, ledger.Write{Key: ledger.NodeKey("n0"), Delete: true})
	note(nodes+1, ledger.Write{Key: ledger.PartKey(e.design.id, 0), Value: []byte("part")})
	note(nodes+2, ledger.Write{Key: ledger.SweepPrefix(e.design.id), Delete: true, Prefix: true})
	note(nodes+3, ledger.Write{Key: ledger.PhaseKey(e.design.id), Value: []byte("cancelled")})
	ctx, cancel := context.WithCancel(t.Context())
	leader.saves.put(save{then: cancel})
	if err := leader.saver(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("saver = %v", err)
	}
	if counted.commits > nodes/ledger.MaxWrites+4 {
		t.Errorf("a cancel after %d nodes waits for %d transactions", nodes, counted.commits)
	}
	if !slices.IsSorted(order) || len(order) != nodes+4 {
		t.Errorf("saved in the order %v", order)
	}
	var left []string
	err := counted.Load(t.Context(), ledger.Root, func(key string, _ []byte) error {
		if !strings.HasPrefix(key, ledger.NodeKey("")) || key == ledger.NodeKey("n0") {
			left = append(left, key)
		}
		return nil
	})
	if err != nil || len(left) != 1 || left[0] != ledger.PhaseKey(e.design.id) {
		t.Errorf("besides the nodes there are %v, %v", left, err)
	}
}
