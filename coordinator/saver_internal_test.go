package coordinator

import (
	"context"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// heldLedger holds transactions that delete a key below prefix back until open is closed.
type heldLedger struct {
	Ledger
	prefix string
	held   chan struct{} // one for each transaction that is held
	open   chan struct{}
}

func (l *heldLedger) Commit(ctx context.Context, writes []Write) error {
	if slices.ContainsFunc(writes, func(w Write) bool { return w.Delete && strings.HasPrefix(w.Key, l.prefix) }) {
		l.held <- struct{}{}
		select {
		case <-l.open:
		case <-ctx.Done():
		}
	}
	return l.Ledger.Commit(ctx, writes)
}

// TestRowsFollowWhatIsNotDurableYet: the keys of a part that is computed again are being deleted, which takes long. A delivery
// of one of its shards is not committed before that: it would be acknowledged, and its key deleted.
func TestRowsFollowWhatIsNotDurableYet(t *testing.T) {
	leader, e := idleTerm(t, NewMemory())
	ledger := &heldLedger{Ledger: leader.ledger, prefix: partKey(e.id, 0), held: make(chan struct{}, 1), open: make(chan struct{})}
	leader.ledger, leader.sweeps[e.id] = ledger, e
	ctx, cancel := context.WithCancel(t.Context())
	leader.ended = ctx.Done()
	var group errgroup.Group
	group.Go(func() error { return leader.loop(ctx) })
	group.Go(func() error { return leader.saver(ctx) })
	defer group.Wait()
	defer cancel()

	stored := map[int][]int{}
	for i := range planCuts.Parts(planCuts{e.plan}) {
		stored[i] = nil
	}
	stream := &nodeStream{conn: 1, name: "n", instance: "i", out: newQueue[*pb.AttachResponse]()}
	leader.nodes[stream.conn] = stream
	step := func(event Event) {
		t.Helper()
		if _, err := ask(ctx, leader, func() struct{} { leader.step(event); return struct{}{} }); err != nil {
			t.Fatal(err)
		}
	}
	step(AddSweep{ID: e.id, Cuts: planCuts{e.plan}, Phase: Done, Solver: e.solver, Class: "fma", Parts: stored})
	step(Reopen{Sweep: e.id, Parts: map[int]Counts{0: {}}})
	<-ledger.held

	in := &incoming{entry: e, shard: 0, token: 1}
	if _, err := ask(ctx, leader, func() struct{} {
		leader.incoming[in.token] = in
		return struct{}{}
	}); err != nil {
		t.Fatal(err)
	}
	step(Deliver{Token: in.token, Sweep: e.id, Shard: 0, Node: "n", Solver: e.solver, Class: "fma"})
	step(Attach{Conn: stream.conn, Info: NodeInfo{Name: "n", Slots: 1, Solver: e.solver, Class: "fma", MemoryBytes: 1 << 40}, Capacity: 2})
	if early := leader.commits.all(); len(early) > 0 {
		t.Fatalf("%d shards are committed before the keys of their part are gone", len(early))
	}
	if early := stream.out.all(); len(early) > 0 {
		t.Fatalf("granted before the keys of the part are gone: %v", early)
	}
	close(ledger.open)
	if got, err := leader.commits.next(ctx); err != nil || got.shard != 0 {
		t.Errorf("commits %v, %v", got, err)
	}
	if m, err := stream.out.next(ctx); err != nil || m.GetGrant() == nil {
		t.Errorf("sent %v, %v, want a grant", m, err)
	}
}
