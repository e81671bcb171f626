package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/sweep"
)

// sweepRecord is what the ledger keeps of a sweep for ever.
type SweepState struct {
	Canonical        []byte
	Name             string
	Solver           int
	PlanVersion      int
	Created          time.Time
	Priority, Weight int
	Cuts             []sweep.CutRun // none if they are not kept
	Parts            []int64        // first shard of each
}

// partRecord says which files a part has.
type PartState struct {
	Files   []PartFile
	Missing []int // shards left out, rising
	Rows    board.Counts
}

// partFile is one file of a result set, by its path in the set.
type PartFile struct {
	Path        string
	Bytes, Rows int64
	SHA256      [32]byte
}

// sweepState is one sweep as the ledger has it.
type Sweep struct {
	ID       string
	State    SweepState
	Phase    board.Phase
	Removing bool
	Class    string
	Done     []DoneState
	Parts    map[int]PartState
	Failures map[int]board.ShardFailures
}

// doneState is one done key.
type DoneState struct {
	Part, N int
	Items   []DoneShard
}

// doneShard is one committed shard whose part is not merged yet: where its frame lies in the spool,
// and its rows.
type DoneShard struct {
	Shard         int
	Object        string
	Offset, Bytes int64
	Rows          board.Counts
}

// loadSweeps reads every sweep of a ledger. Orphans are keys of sweeps that have none of their own,
// by the sweeps' ids. No leader leaves such a key behind, since the keys of a sweep come and go
// with its own; and as nothing refers to it, nothing is lost by going on without it. It must be
// gone before a sweep of this id is there, of which it would tell what is not so.
func LoadSweeps(ctx context.Context, ledger Reader) (list []*Sweep, orphans map[string][]string, err error) {
	orphans = map[string][]string{}
	var s *Sweep
	err = ledger.Load(ctx, sweepsRoot, func(key string, value []byte) error {
		id, what, numbers, err := splitSweepKey(key)
		if err != nil {
			return err
		}
		if what == "" {
			s = &Sweep{ID: id, Phase: board.Running, Parts: map[int]PartState{}, Failures: map[int]board.ShardFailures{}}
			list = append(list, s)
		}
		if s == nil || s.ID != id {
			orphans[id] = append(orphans[id], key)
			return nil
		}
		if err := s.decode(what, numbers, value); err != nil {
			return fmt.Errorf("etcd key %q: %w", key, err)
		}
		return nil
	})
	return list, orphans, err
}

// take decodes one key of the sweep.
func (s *Sweep) decode(what string, numbers []int, value []byte) (err error) {
	switch what {
	case "":
		s.State, err = decodeSweep(value)
	case "phase":
		s.Phase, err = board.ParsePhase(string(value))
	case "removing":
		s.Removing = true
	case "class":
		s.Class = strings.Clone(string(value))
	case "done":
		d := DoneState{Part: numbers[0], N: numbers[1]}
		d.Items, err = decodeDone(value)
		s.Done = append(s.Done, d)
	case "parts":
		s.Parts[numbers[0]], err = decodePart(value)
	case "losses":
		s.Failures[numbers[0]], err = decodeFailures(value)
	}
	return err
}

// storeRecord is what the ledger says of a store: its id, and where the leader that noted it had
// it.
type StoreState struct{ ID, Location string }

func (s StoreState) Encode() []byte { return []byte(s.ID + " " + s.Location) }

// loadStoreRecords reads what the ledger says of the stores, by key.
func LoadStores(ctx context.Context, ledger Reader) (map[string]StoreState, error) {
	records := map[string]StoreState{}
	err := ledger.Load(ctx, storesRoot, func(key string, value []byte) error {
		id, at, _ := strings.Cut(string(value), " ")
		records[key] = StoreState{id, at}
		return nil
	})
	return records, err
}

// hasSweeps tells whether the ledger has any.
func HasSweeps(ctx context.Context, ledger Reader) (bool, error) {
	found := errors.New("found")
	err := ledger.Load(ctx, sweepsRoot, func(string, []byte) error { return found })
	if errors.Is(err, found) {
		return true, nil
	}
	return false, err
}
