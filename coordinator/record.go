package coordinator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/sweep"
)

// sweepRecord is what the ledger keeps of a sweep for ever.
type sweepRecord struct {
	Canonical        []byte
	Name             string
	Solver           int
	PlanVersion      int
	Created          time.Time
	Priority, Weight int
	Cuts             []sweep.CutRun // none if they are not kept
	Parts            []int64        // first shard of each
}

// plan is how the sweep was cut. A leader must not look at each of ten million points before it
// leads.
func (r *sweepRecord) plan(ctx context.Context, spec *sweep.Spec) (*sweep.Plan, error) {
	if len(r.Cuts) == 0 {
		return sweep.NewPlan(ctx, spec, r.PlanVersion)
	}
	return sweep.RestorePlan(spec, r.PlanVersion, r.Cuts, r.Parts)
}

// partRecord says which files a part has.
type partRecord struct {
	Files   []partFile
	Missing []int // shards left out, rising
	Rows    board.Counts
}

// partFile is one file of a result set, by its path in the set.
type partFile struct {
	Path        string
	Bytes, Rows int64
	SHA256      [32]byte
}

// sweepState is one sweep as the ledger has it.
type sweepState struct {
	id       string
	record   sweepRecord
	phase    board.Phase
	removing bool
	class    string
	done     []doneState
	parts    map[int]partRecord
	losses   map[int]board.Loss
}

// doneState is one done key.
type doneState struct {
	part, n int
	items   []shelfItem
}

// loadSweeps reads every sweep of a ledger. Orphans are keys of sweeps that have none of their own,
// by the sweeps' ids. No leader leaves such a key behind, since the keys of a sweep come and go
// with its own; and as nothing refers to it, nothing is lost by going on without it. It must be
// gone before a sweep of this id is there, of which it would tell what is not so.
func loadSweeps(ctx context.Context, ledger Ledger) (list []*sweepState, orphans map[string][]string, err error) {
	orphans = map[string][]string{}
	var s *sweepState
	err = ledger.Load(ctx, sweepsRoot, func(key string, value []byte) error {
		id, what, numbers, err := splitSweepKey(key)
		if err != nil {
			return err
		}
		if what == "" {
			s = &sweepState{id: id, phase: board.Running, parts: map[int]partRecord{}, losses: map[int]board.Loss{}}
			list = append(list, s)
		}
		if s == nil || s.id != id {
			orphans[id] = append(orphans[id], key)
			return nil
		}
		if err := s.take(what, numbers, value); err != nil {
			return fmt.Errorf("etcd key %q: %w", key, err)
		}
		return nil
	})
	return list, orphans, err
}

// take decodes one key of the sweep.
func (s *sweepState) take(what string, numbers []int, value []byte) (err error) {
	switch what {
	case "":
		s.record, err = decodeSweep(value)
	case "phase":
		s.phase, err = board.ParsePhase(string(value))
	case "removing":
		s.removing = true
	case "class":
		s.class = strings.Clone(string(value))
	case "done":
		d := doneState{part: numbers[0], n: numbers[1]}
		d.items, err = decodeDone(value)
		s.done = append(s.done, d)
	case "parts":
		s.parts[numbers[0]], err = decodePart(value)
	case "losses":
		s.losses[numbers[0]], err = decodeLoss(value)
	}
	return err
}
