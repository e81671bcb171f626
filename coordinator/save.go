package coordinator

import (
	"context"
	"slices"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// save is a transaction, or none, and what follows once it and all earlier ones are durable.
type save struct {
	writes  []ledger.Write
	confirm bool // without writes: confirms that this process leads
	then    func()
}

// saver makes transactions durable, one after the other.
func (t *term) saver(ctx context.Context) error {
	for {
		saves, err := t.saves.wait(ctx)
		if err != nil {
			return err
		}
		for len(saves) > 0 {
			n, writes := batch(saves)
			if len(writes) > 0 {
				t.failpoint("before-save")
				if err := t.persist(ctx, writes); err != nil {
					return err
				}
				t.failpoint("after-save")
			}
			if saves[0].confirm {
				if err := t.retry(ctx, "etcd", func() error { return t.commit(ctx, nil) }); err != nil {
					return err
				}
			}
			for _, s := range saves[:n] {
				s.then()
			}
			saves = saves[n:]
		}
	}
}

// batch returns how many of the first saves fit into one transaction, and their writes: a request
// does not wait for one transaction for each of a thousand nodes that attach together. A
// transaction writes a key once, and none below a prefix that it deletes.
func batch(saves []save) (n int, writes []ledger.Write) {
	alone := func(s save) bool {
		return s.confirm || slices.ContainsFunc(s.writes, func(w ledger.Write) bool { return w.Prefix })
	}
	keys := map[string]bool{}
	for _, s := range saves {
		twice := slices.ContainsFunc(s.writes, func(w ledger.Write) bool { return keys[w.Key] })
		if n > 0 && (twice || alone(s) || alone(saves[0]) || len(writes)+len(s.writes) > ledger.MaxWrites) {
			break
		}
		for _, w := range s.writes {
			keys[w.Key] = true
		}
		n++
		writes = append(writes, s.writes...)
	}
	return n, writes
}

// persist commits writes to the ledger, and retries until that succeeds or the leadership is lost.
func (t *term) persist(ctx context.Context, writes []ledger.Write) error {
	for len(writes) > 0 {
		n := min(len(writes), ledger.MaxWrites)
		if err := t.retry(ctx, "etcd", func() error { return t.commit(ctx, writes[:n]) }); err != nil {
			return err
		}
		writes = writes[n:]
	}
	return nil
}

// commit commits one transaction and measures it.
func (t *term) commit(ctx context.Context, writes []ledger.Write) error {
	start := time.Now()
	err := t.ledger.Commit(ctx, writes)
	t.metrics.txnSeconds.Observe(time.Since(start).Seconds())
	return err
}

// writesOf returns what an action makes durable. The writes may not fit into one transaction, so
// their order matters: if the leader dies after any number of them, the next leader finds a
// consistent state.
func (t *term) writesOf(a board.Action) []ledger.Write {
	switch a := a.(type) {
	case board.SaveFailures:
		value, err := ledger.EncodeFailures(a.Failures)
		if err != nil { // the next leader starts to count the failures of this shard again
			t.log.Error("lease failures not saved", "sweep_id", a.Sweep, "shard_id", a.Failures.Shard, "error", err)
			return nil
		}
		return []ledger.Write{{Key: ledger.FailuresKey(a.Sweep, a.Failures.Shard), Value: value}}
	case board.SavePhase:
		return []ledger.Write{{Key: ledger.PhaseKey(a.Sweep), Value: []byte(a.Phase.String())}}
	case board.SaveDone:
		return []ledger.Write{{Key: ledger.PhaseKey(a.Sweep), Value: []byte(board.Done.String())}}
	case board.DeleteFailures:
		// The phase comes first: a running sweep with some shards still in quarantine ends again,
		// and a retry releases them. A sweep that is done with none in quarantine would never
		// continue.
		writes := []ledger.Write{{Key: ledger.PhaseKey(a.Sweep), Value: []byte(a.Phase.String())}}
		for _, s := range a.Shards {
			writes = append(writes, ledger.Write{Key: ledger.FailuresKey(a.Sweep, s), Delete: true})
		}
		return writes
	case board.DeleteParts:
		// The phase comes last: a sweep that is done without all of its parts is reopened by the
		// next submit, but a running one would count parts as stored whose files are gone. The key
		// of a part goes before its done keys: without it they are shards to merge, without them it
		// would claim shards that it lacks.
		var writes []ledger.Write
		for _, i := range a.Parts {
			writes = append(
				writes,
				ledger.Write{Key: ledger.PartKey(a.Sweep, i), Delete: true},
				ledger.Write{Key: ledger.DonePrefix(a.Sweep, i), Delete: true, Prefix: true},
			)
		}
		return append(writes, ledger.Write{Key: ledger.PhaseKey(a.Sweep), Value: []byte(a.Phase.String())})
	case board.SaveRemoval:
		return []ledger.Write{{Key: ledger.RemovingKey(a.Sweep)}}
	case board.DeleteSweep: // also after SaveRemoval: files are deleted once it is durable
		return []ledger.Write{{Key: ledger.RemovingKey(a.Sweep)}}
	case board.DeleteNode:
		return []ledger.Write{{Key: ledger.NodeKey(a.Node), Delete: true}}
	}
	return nil
}
