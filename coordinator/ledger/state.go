package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/sweep"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// SweepState is the value of the key of a sweep.
type SweepState struct {
	Canonical        []byte
	Name             string
	Solver           sweep.SolverIdentity
	PlanVersion      int
	Created          time.Time
	Priority, Weight int
	Cuts             []sweep.CutRun // empty if they were too large to store
	Parts            []int64        // first shard of each
}

// PartState is the value of the key of a part: its files.
type PartState struct {
	Files   []PartFile
	Missing []int // shards left out, in rising order
	Rows    board.Counts
}

// PartFile is one file of a result set, by its path in the set.
type PartFile struct {
	Path        string
	Bytes, Rows int64
	SHA256      [32]byte
}

// Sweep is one sweep as the ledger has it.
type Sweep struct {
	ID       string
	State    SweepState
	Phase    board.Phase
	Removing bool
	Class    string
	Figures  []figure.Figure
	Done     []DoneState
	Parts    map[int]PartState
	Failures map[int]board.ShardFailures
}

// DoneState is the value of done key N of a part.
type DoneState struct {
	Part, N int
	Items   []DoneShard
}

// DoneShard is a committed shard whose part is not merged yet: where its frame is in the spool, and
// its rows.
type DoneShard struct {
	Shard         int
	Object        string
	Offset, Bytes int64
	Rows          board.Counts
}

// LoadSweeps reads every sweep of a ledger. Orphans are keys below a sweep that has no key of its
// own, by the id of the sweep. No leader leaves such a key behind, since the keys of a sweep are
// created and deleted together. Nothing refers to an orphan, so it can be ignored, but it must be
// deleted before a sweep of this id is created, of whose state it would be a part.
func LoadSweeps(ctx context.Context, ledger Reader) (list []*Sweep, orphans map[string][]string, err error) {
	orphans = map[string][]string{}
	var s *Sweep
	err = ledger.Load(ctx, sweepsRoot, func(key string, value []byte) error {
		id, what, numbers, err := splitSweepKey(key)
		if err != nil {
			return err
		}
		if what == "" {
			s = &Sweep{
				ID:       id,
				Phase:    board.Running,
				Parts:    map[int]PartState{},
				Failures: map[int]board.ShardFailures{},
			}
			list = append(list, s)
		}
		if s == nil || s.ID != id {
			orphans[id] = append(orphans[id], key)
			return nil
		}
		if err := s.decode(what, numbers, value); err != nil {
			return fmt.Errorf("decode ledger key %q: %w", key, err)
		}
		return nil
	})
	return list, orphans, err
}

// decode decodes one key of the sweep.
func (s *Sweep) decode(what string, numbers []int, value []byte) (err error) {
	switch what {
	case "":
		s.State, err = decodeSweep(value)
	case "phase":
		s.Phase, err = board.ParsePhase(string(value))
	case "removing":
		s.Removing = true
	case "figures":
		s.Figures, err = figure.Decode(value)
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

// StoreState is the value of the key of a store: its id, and its URL as the leader that wrote the
// key had it.
type StoreState struct{ ID, Location string }

// Encode returns the value.
func (s StoreState) Encode() []byte { return []byte(s.ID + " " + s.Location) }

// LoadStores reads the states of the stores, by key.
func LoadStores(ctx context.Context, ledger Reader) (map[string]StoreState, error) {
	states := map[string]StoreState{}
	err := ledger.Load(ctx, storesRoot, func(key string, value []byte) error {
		id, at, _ := strings.Cut(string(value), " ")
		states[key] = StoreState{id, at}
		return nil
	})
	return states, err
}

// HasSweeps reports whether the ledger has a sweep.
func HasSweeps(ctx context.Context, ledger Reader) (bool, error) {
	found := errors.New("found")
	err := ledger.Load(ctx, sweepsRoot, func(string, []byte) error { return found })
	if errors.Is(err, found) {
		return true, nil
	}
	return false, err
}
