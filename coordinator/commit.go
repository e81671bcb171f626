package coordinator

import (
	"cmp"
	"context"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/spool"
)

const (
	// maxGroup and maxGroupBytes bound one group commit.
	maxGroup      = 1024
	maxGroupBytes = 64 << 20
)

// incoming is a delivery that is being committed.
type incoming struct {
	token    uint64
	entry    *entry
	shard    int
	frame    spool.Frame
	rows     board.Counts
	pinClass string
	at       spool.Location
}

// committer makes deliveries durable in groups: one sync of the spool and one transaction for all
// deliveries that arrived meanwhile. The next group is spooled while the ledger commits this one.
func (t *term) committer(ctx context.Context) error {
	spooled := make(chan []*incoming, 1)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		err := t.commitSpooled(ctx, spooled)
		cancel(err)
		done <- err
	}()
	err := t.spoolGroups(ctx, spooled)
	close(spooled)
	return cmp.Or(<-done, err) // the former caused the latter
}

// spoolGroups writes deliveries to the spool, group by group.
func (t *term) spoolGroups(ctx context.Context, spooled chan<- []*incoming) error {
	for {
		waiting, err := t.commits.wait(ctx)
		if err != nil {
			return err
		}
		for len(waiting) > 0 {
			var group []*incoming
			err := t.retry(ctx, "store", func() (err error) {
				if group, err = t.spoolGroup(ctx, firstGroup(waiting)); err == nil {
					return nil
				}
				// The disk may be full until a sweep is removed, and the removal waits for the
				// deliveries of that sweep.
				waiting = append(waiting, t.commits.all()...)
				var failed error
				if waiting, failed = t.stillWanted(ctx, waiting); failed != nil {
					return failed
				}
				if len(waiting) == 0 {
					return nil
				}
				return err
			})
			if err != nil {
				return err
			}
			if len(group) == 0 {
				continue // all of them were cancelled
			}
			waiting = waiting[len(group):]
			select {
			case spooled <- group:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// firstGroup returns the first deliveries, as many as one group commit takes.
func firstGroup(waiting []*incoming) []*incoming {
	n, size := 0, int64(0)
	for n < len(waiting) && n < maxGroup && size < maxGroupBytes {
		size += waiting[n].frame.Size()
		n++
	}
	return waiting[:n]
}

// stillWanted returns the deliveries whose sweeps have not ended, and cancels the others.
func (t *term) stillWanted(ctx context.Context, waiting []*incoming) ([]*incoming, error) {
	return ask(ctx, t, func() []*incoming {
		var wanted []*incoming
		for _, in := range waiting {
			if t.board.Ended(in.entry.design.id) {
				t.step(board.CommitCancelled{Sweep: in.entry.design.id, Shard: in.shard})
			} else {
				wanted = append(wanted, in)
			}
		}
		return wanted
	})
}

// spoolGroup writes a group to the spool and returns it, or nil with an error.
func (t *term) spoolGroup(ctx context.Context, group []*incoming) ([]*incoming, error) {
	start := time.Now()
	frames := make([]spool.Frame, len(group))
	for i, in := range group {
		frames[i] = in.frame
	}
	t.failpoint("before-spool")
	locations, err := t.spool.Append(ctx, frames)
	if err != nil {
		return nil, err
	}
	t.failpoint("after-spool")
	t.metrics.spoolSeconds.Observe(time.Since(start).Seconds())
	for i, in := range group {
		in.at = locations[i]
		in.frame = spool.Frame{}
	}
	return group, nil
}

// commitSpooled commits spooled groups to the ledger and reports them to the board.
func (t *term) commitSpooled(ctx context.Context, spooled <-chan []*incoming) error {
	for group := range spooled {
		// Groups that were spooled meanwhile join the transaction.
		for more := true; more && len(group) < maxGroup; {
			select {
			case next, ok := <-spooled:
				group = append(group, next...)
				more = ok
			default:
				more = false
			}
		}
		if err := t.commitGroup(ctx, group); err != nil {
			return err
		}
	}
	return nil
}

// commitGroup writes one done key for each part of which the group has shards. With its transaction
// these shards are committed.
func (t *term) commitGroup(ctx context.Context, group []*incoming) error {
	var order []partRef
	items := map[partRef][]ledger.DoneShard{}
	var writes []ledger.Write
	for _, in := range group {
		ref := partRef{in.entry.design.id, int(in.entry.design.plan.PartOf(int64(in.shard)))}
		if items[ref] == nil {
			order = append(order, ref)
		}
		items[ref] = append(items[ref], ledger.DoneShard{
			Shard: in.shard, Object: in.at.Object, Offset: in.at.Offset, Bytes: in.at.Bytes, Rows: in.rows,
		})
	}
	numbers := map[partRef]int{}
	for _, ref := range order {
		// Before this group, not after it: a part that still gets shards is not being merged, so
		// its done keys are not deleted meanwhile.
		if err := t.compact(ctx, ref); err != nil {
			return err
		}
		value, err := ledger.EncodeDone(items[ref])
		if err != nil {
			return err
		}
		numbers[ref] = t.index.number(ref)
		writes = append(writes, ledger.Write{Key: ledger.DoneKey(ref.sweep, ref.part, numbers[ref]), Value: value})
	}
	// The arithmetic class becomes durable with the first shard that was computed in it, never
	// after it.
	writes = append(pinClasses(group), writes...)
	t.failpoint("before-commit")
	if err := t.persist(ctx, writes); err != nil {
		return err
	}
	t.failpoint("after-commit")
	t.metrics.groupShards.Observe(float64(len(group)))
	for _, in := range group {
		t.metrics.countPoints(in.rows)
	}
	for _, ref := range order {
		t.index.put(ref, numbers[ref], items[ref], false)
	}
	t.inbox.put(func() {
		for _, in := range group {
			t.step(board.ShardCommitted{Sweep: in.entry.design.id, Shard: in.shard})
		}
	})
	return nil
}

// pinClasses returns the writes that pin the arithmetic class of sweeps of which no shard was
// durable when the board let them commit. The board decides that: the entry of a delivery may be
// that of a sweep that was removed and submitted again since.
func pinClasses(group []*incoming) []ledger.Write {
	var writes []ledger.Write
	pinned := map[string]bool{} // a transaction may write a key only once
	for _, in := range group {
		if in.pinClass != "" && !pinned[in.entry.design.id] {
			pinned[in.entry.design.id] = true
			writes = append(writes, ledger.Write{Key: ledger.ClassKey(in.entry.design.id), Value: []byte(in.pinClass)})
		}
	}
	return writes
}

// compact rewrites many done keys of a part as one, so that their number stays small.
func (t *term) compact(ctx context.Context, ref partRef) error {
	small := t.index.compactable(ref)
	if len(small) == 0 {
		return nil
	}
	var items []ledger.DoneShard
	var writes []ledger.Write
	for _, k := range small {
		items = append(items, k.items...)
		writes = append(writes, ledger.Write{Key: ledger.DoneKey(ref.sweep, ref.part, k.n), Delete: true})
	}
	value, err := ledger.EncodeDone(items)
	if err != nil {
		return err
	}
	n := t.index.number(ref)
	writes = append(writes, ledger.Write{Key: ledger.DoneKey(ref.sweep, ref.part, n), Value: value})
	t.failpoint("before-compact")
	if err := t.persist(ctx, writes); err != nil {
		return err
	}
	t.failpoint("after-compact")
	t.index.compacted(ref, small, n, items)
	return nil
}
