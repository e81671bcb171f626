package coordinator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/spool"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/results"
)

// mergePart writes the files of a part from the spool, publishes them, and stores the key of the
// part. It can be repeated after a crash at any step: the same shards give the same bytes.
func (t *term) mergePart(ctx context.Context, a board.MergePart) error {
	e := t.lookup(a.Sweep)
	if e == nil {
		return nil
	}
	if ok, err := t.checkActive(ctx, a.Sweep, nil, board.MergeCancelled{Sweep: a.Sweep, Part: a.Part}); !ok {
		return err
	}
	err := t.writePart(ctx, e, a)
	if errors.Is(err, spool.ErrLost) {
		return t.giveUpLost(ctx, e, partRef{a.Sweep, a.Part}, err)
	}
	return err
}

// writePart is mergePart without lost frames.
func (t *term) writePart(ctx context.Context, e *entry, a board.MergePart) error {
	items := t.index.items(partRef{a.Sweep, a.Part})
	writers := map[results.Table]store.Writer{}
	defer func() {
		for _, w := range writers {
			w.Discard()
		}
	}()
	files, log, err := t.mergeShards(ctx, e, a.Part, items, writers)
	if err != nil {
		return fmt.Errorf("merge part %d of sweep %s: %w", a.Part, e.design.set, err)
	}
	t.failpoint("before-publish")
	state := ledger.PartState{Missing: a.Missing}
	for _, it := range items {
		state.Rows.Add(it.Rows)
	}
	for _, f := range files {
		file, err := t.publish(ctx, e, a.Part, f, log, writers[f.Table])
		if err != nil {
			return err
		}
		state.Files = append(state.Files, file)
		t.metrics.mergeBytes.Add(float64(f.Bytes))
		t.failpoint("between-files")
	}
	t.failpoint("after-publish")
	return t.storePart(ctx, e, a.Part, state)
}

// mergeShards writes the rows of shards to files that are not published yet, and their writers. It
// also returns the rows of the shards table.
func (t *term) mergeShards(
	ctx context.Context,
	e *entry,
	part int,
	items []ledger.DoneShard,
	writers map[results.Table]store.Writer,
) (files []results.File, log []results.ShardRow, err error) {
	opened := spool.Cache{}
	defer opened.Close()
	log, err = t.shardLog(ctx, e, items, opened)
	if err != nil {
		return nil, nil, err
	}
	t.failpoint("before-merge")
	files, err = e.design.schema.Merge(
		ctx,
		t.sources(e, items, opened),
		log,
		func(table results.Table) (io.Writer, error) {
			w, err := t.cfg.Store.Create(ctx, path.Join(e.design.set, results.PartName(table, int64(part))))
			if err == nil {
				writers[table] = w
			}
			return w, err
		},
	)
	return files, log, err
}

// giveUpLost has the shards of a part computed again whose frames are lost: their done keys go,
// then they are leased. The spool itself has to be there, or a volume that is not mounted would
// look like one that has lost everything.
func (t *term) giveUpLost(ctx context.Context, e *entry, ref partRef, cause error) error {
	if err := checkSpool(ctx, t.ledger, t.cfg.Spool); err != nil {
		return err
	}
	opened := spool.Cache{}
	defer opened.Close()
	lost := map[int]bool{}
	gone := board.ShardsLost{Sweep: ref.sweep, Part: ref.part}
	var frames []ledger.DoneShard
	for _, it := range t.index.items(ref) {
		_, err := t.spool.Read(ctx, frameOf(it), opened)
		if err == nil {
			continue
		}
		if !errors.Is(err, spool.ErrLost) {
			return err
		}
		t.log.Error("frame lost; its shard is computed again",
			"sweep_id", ref.sweep, "shard_id", it.Shard, "error", err)
		t.spool.Spoil(it.Object)
		lost[it.Shard] = true
		frames = append(frames, it)
		gone.Shards = append(gone.Shards, it.Shard)
		gone.Counts.Add(it.Rows)
	}
	if len(lost) == 0 {
		return cause // it can be read again
	}
	changed := t.index.without(ref, lost)
	var writes []ledger.Write
	for _, k := range changed {
		w := ledger.Write{Key: ledger.DoneKey(ref.sweep, ref.part, k.n), Delete: len(k.items) == 0}
		if !w.Delete {
			var err error
			if w.Value, err = ledger.EncodeDone(k.items); err != nil {
				return err
			}
		}
		writes = append(writes, w)
	}
	t.failpoint("before-lost")
	if err := t.persist(ctx, writes); err != nil {
		return err
	}
	t.failpoint("after-lost")
	t.index.replace(ref, changed)
	t.index.reclaim(ctx, frames)
	t.metrics.lostFrames.Add(float64(len(lost)))
	t.post(gone)
	return nil
}

// storePart makes the key of a part durable, deletes its done keys in the same transaction, and
// then reclaims its frames. A part that lacks shards keeps both for a retry.
func (t *term) storePart(ctx context.Context, e *entry, part int, state ledger.PartState) error {
	value, err := ledger.EncodePart(state)
	if err != nil {
		return err
	}
	writes := []ledger.Write{{Key: ledger.PartKey(e.design.id, part), Value: value}}
	if len(state.Missing) == 0 {
		writes = append(writes, ledger.Write{Key: ledger.DonePrefix(e.design.id, part), Delete: true, Prefix: true})
	}
	if err := t.persist(ctx, writes); err != nil {
		return err
	}
	t.failpoint("after-part")
	t.mu.Lock()
	e.parts[part] = state
	t.mu.Unlock()
	if len(state.Missing) == 0 {
		t.index.reclaim(ctx, t.index.drop(partRef{e.design.id, part}))
	}
	t.failpoint("after-free")
	t.post(board.PartStored{Sweep: e.design.id, Part: part})
	return nil
}

// sources returns the shards of a part for the merge.
func (t *term) sources(e *entry, items []ledger.DoneShard, opened spool.Cache) []results.Source {
	sources := make([]results.Source, len(items))
	for i, it := range items {
		first, end := e.design.plan.Shard(int64(it.Shard))
		sources[i] = results.Source{
			Expectation: results.Expectation{First: first, End: end, Points: it.Rows.Rows()},
			Open: func(ctx context.Context) (results.Delivery, error) {
				f, err := t.spool.Read(ctx, frameOf(it), opened)
				if err != nil {
					return results.Delivery{}, err
				}
				_, d, err := deliveryFromFrame(f)
				return d, err
			},
		}
	}
	return sources
}

// shardLog returns the rows of the shards table: which node computed what.
func (t *term) shardLog(
	ctx context.Context,
	e *entry,
	items []ledger.DoneShard,
	opened spool.Cache,
) ([]results.ShardRow, error) {
	attempts, err := ask(ctx, t, func() map[int]int { return t.board.Attempts(e.design.id) })
	if err != nil {
		return nil, err
	}
	rows := make([]results.ShardRow, len(items))
	for i, it := range items {
		header, err := t.spool.Header(ctx, frameOf(it), opened)
		if err != nil {
			return nil, err
		}
		h, _, err := deliveryFromFrame(spool.Frame{Header: header})
		if err != nil { // damaged, as far as can be told without its checksum
			return nil, fmt.Errorf("%w: %w", spool.ErrLost, err)
		}
		first, end := e.design.plan.Shard(int64(it.Shard))
		rows[i] = shardRow(h, first, end, it.Rows.Rows(), 1+attempts[it.Shard])
	}
	return rows, nil
}

// publish gives a merged file its name. An existing file stays: if it is read back as what would be
// written, it counts as this one; if not, the part is not stored until someone has moved it away.
// Only a file that this sweep stored without its quarantined shards is replaced.
func (t *term) publish(
	ctx context.Context,
	e *entry,
	part int,
	f results.File,
	log []results.ShardRow,
	w store.Writer,
) (ledger.PartFile, error) {
	name := results.PartName(f.Table, int64(part))
	full := path.Join(e.design.set, name)
	t.mu.RLock()
	before := e.parts[part]
	t.mu.RUnlock()
	i := slices.IndexFunc(before.Files, func(p ledger.PartFile) bool { return p.Path == name })
	if i >= 0 && len(before.Missing) > 0 && before.Files[i].SHA256 != f.SHA256 {
		if err := t.removeStale(ctx, e.design.set, before.Files[i]); err != nil {
			return ledger.PartFile{}, err
		}
	}
	ours := ledger.PartFile{Path: name, Bytes: f.Bytes, Rows: f.Rows, SHA256: f.SHA256}
	err := w.Commit()
	if err == nil {
		err = t.verifyFile(ctx, full, f)
	}
	if !errors.Is(err, fs.ErrExist) {
		return ours, err
	}
	return t.adopt(ctx, e, full, ours, f, log)
}

// adopt takes an existing file for a merged one if it is read back as such. The shards table
// differs between merges, as it has clocks and nodes, so another one counts if it is of the same
// shards.
func (t *term) adopt(
	ctx context.Context,
	e *entry,
	full string,
	ours ledger.PartFile,
	f results.File,
	log []results.ShardRow,
) (ledger.PartFile, error) {
	there, err := t.cfg.Store.Open(ctx, full)
	if err != nil {
		return ledger.PartFile{}, err
	}
	defer there.Close()
	found, err := hashOf(there)
	if err != nil {
		return ledger.PartFile{}, fmt.Errorf("read %s: %w", full, err)
	}
	var differs error
	if f.Table == results.Shards && found.SHA256 != f.SHA256 {
		differs = e.design.schema.CheckLog(ctx, there, there.Size(), log)
	} else {
		differs = results.Check(there, there.Size(), f)
	}
	if ctx.Err() != nil {
		return ledger.PartFile{}, ctx.Err()
	}
	if differs != nil {
		t.metrics.foreignParts.Inc()
		return ledger.PartFile{}, foreign(full, there, differs)
	}
	found.Path, found.Rows = ours.Path, ours.Rows
	return found, nil
}
