package coordinator

import (
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// manyParts and manyFailures need several transactions.
const manyParts, manyFailures = 3 * ledger.MaxWrites, 3 * ledger.MaxWrites

// prefixes calls look with the sweep in the ledger after each transaction of an action.
func prefixes(t *testing.T, before []ledger.Write, a board.Action, look func(s *ledger.Sweep, last bool)) {
	t.Helper()
	memory := ledger.NewMemory()
	leadership, err := memory.Campaign(t.Context(), "here", func() {})
	if err != nil {
		t.Fatal(err)
	}
	commit := func(writes []ledger.Write) {
		for len(writes) > 0 {
			n := min(len(writes), ledger.MaxWrites)
			if err := leadership.Ledger.Commit(t.Context(), writes[:n]); err != nil {
				t.Fatal(err)
			}
			writes = writes[n:]
		}
	}
	commit(append([]ledger.Write{{Key: ledger.SweepKey("id"), Value: nil}}, before...))
	writes := new(term).writesOf(a)
	if len(writes) <= ledger.MaxWrites {
		t.Fatalf("%d writes are one transaction: the test does not test", len(writes))
	}
	for len(writes) > 0 {
		n := min(len(writes), ledger.MaxWrites)
		commit(writes[:n])
		writes = writes[n:]
		states, orphans, err := ledger.LoadSweeps(t.Context(), leadership.Ledger)
		if err != nil || len(orphans) > 0 || len(states) != 1 {
			t.Fatalf("%d sweeps, %v", len(states), err)
		}
		look(states[0], len(writes) == 0)
	}
}

// TestDeletePartsIsConsistentThroughout: a sweep does not run while it counts parts as stored whose
// files are gone.
func TestDeletePartsIsConsistentThroughout(t *testing.T) {
	drop := board.DeleteParts{Sweep: "id", Phase: board.Running}
	before := []ledger.Write{{Key: ledger.PhaseKey("id"), Value: []byte("done")}}
	for i := range manyParts {
		drop.Parts = append(drop.Parts, i)
		before = append(
			before,
			ledger.Write{
				Key:   ledger.PartKey("id", i),
				Value: must(ledger.EncodePart(ledger.PartState{Missing: []int{i}})),
			},
			ledger.Write{Key: ledger.DoneKey("id", i, 0), Value: must(ledger.EncodeDone(nil))},
		)
	}
	prefixes(t, before, drop, func(s *ledger.Sweep, last bool) {
		if s.Phase == board.Running && len(s.Parts) > 0 || last != (s.Phase == board.Running) {
			t.Errorf("%v with %d parts that are gone", s.Phase, len(s.Parts))
		}
		done := map[int]bool{}
		for _, d := range s.Done {
			done[d.Part] = true
		}
		for i := range s.Parts {
			if !done[i] {
				t.Errorf("part %d is stored without shards, the ones it has are forgotten", i)
			}
		}
	})
}

// TestDeleteFailuresIsConsistentThroughout: a sweep with shards to compute again runs.
func TestDeleteFailuresIsConsistentThroughout(t *testing.T) {
	drop := board.DeleteFailures{Sweep: "id", Phase: board.Running}
	before := []ledger.Write{{Key: ledger.PhaseKey("id"), Value: []byte("done")}}
	for i := range manyFailures {
		drop.Shards = append(drop.Shards, i)
		before = append(
			before,
			ledger.Write{
				Key:   ledger.FailuresKey("id", i),
				Value: must(ledger.EncodeFailures(board.ShardFailures{Shard: i, Quarantined: true})),
			},
		)
	}
	prefixes(t, before, drop, func(s *ledger.Sweep, _ bool) {
		if s.Phase != board.Running && len(s.Failures) < manyFailures {
			t.Errorf("%v with %d shards out of quarantine", s.Phase, manyFailures-len(s.Failures))
		}
	})
}

// TestReopenAfterHalfOfIt: some keys of parts of a done sweep were deleted before a crash; the
// others are deleted now.
func TestReopenAfterHalfOfIt(t *testing.T) {
	b := board.New(10*time.Second, 3*time.Second, 0)
	cuts := onePerPart(manyParts)
	parts := map[int][]int{}
	gone := map[int]board.Counts{}
	for i := range manyParts / 2 {
		parts[i] = nil
		gone[i] = board.Counts{OK: 1}
	}
	b.Step(
		board.SweepAdded{
			ID:     "id",
			Cuts:   cuts,
			Phase:  board.Done,
			Parts:  parts,
			Counts: board.Counts{OK: manyParts / 2},
		},
	)
	b.Step(board.ReopenRequested{Token: 1, Sweep: "id", Parts: gone})
	if p, _ := b.Progress("id"); p.Phase != board.Running || p.PartsDone != 0 || p.ShardsDone != 0 ||
		p.Counts.Rows() != 0 {
		t.Errorf("opened again as %+v", p)
	}
	for _, err := range b.Check() {
		t.Error(err)
	}
}

// TestReopenLeavesOpenPartsAlone: a part that is about to be merged again with the shard that it
// lacked is found missing.
func TestReopenLeavesOpenPartsAlone(t *testing.T) {
	b := board.New(10*time.Second, 3*time.Second, 0)
	b.Step(
		board.SweepAdded{
			ID:     "id",
			Cuts:   onePerPart(2),
			Phase:  board.Cancelled,
			Parts:  map[int][]int{0: {0}, 1: nil},
			Done:   []int{0},
			Counts: board.Counts{OK: 3},
		},
	)
	b.Step(board.ReopenRequested{Token: 1, Sweep: "id", Parts: map[int]board.Counts{0: {OK: 1}, 1: {OK: 1}}})
	if p, _ := b.Progress("id"); p.Phase != board.Running || p.ShardsDone != 1 || p.Counts.Rows() != 2 {
		t.Errorf("opened again as %+v", p)
	}
	for _, err := range b.Check() {
		t.Error(err)
	}
}

// onePerPart are cuts into parts of one shard.
type onePerPart int

func (c onePerPart) Shards() int           { return int(c) }
func (c onePerPart) Parts() int            { return int(c) }
func (c onePerPart) Part(i int) (int, int) { return i, i + 1 }
func (c onePerPart) PartOf(shard int) int  { return shard }
func (c onePerPart) Cost(int) float64      { return 1 }
func (c onePerPart) Memory(int) int64      { return 0 }
