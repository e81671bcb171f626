package coordinator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// ledgers are the ways in which a coordinator of its own keeps state.
var ledgers = map[string]func(t *testing.T) coordinator.Config{
	"embedded": func(t *testing.T) coordinator.Config { return coordinator.Config{Embedded: t.TempDir()} },
	"etcd": func(t *testing.T) coordinator.Config {
		return coordinator.Config{Etcd: ledger.Etcd{Endpoints: []string{etcdServer(t, nil)}}}
	},
}

// stores are the ways in which a store is opened by several processes.
var stores = map[string]func(t *testing.T) (open func() store.Store){
	"folder": func(t *testing.T) func() store.Store {
		folder := t.TempDir()
		return func() store.Store { return again(t, folder) }
	},
	"s3": func(t *testing.T) func() store.Store {
		s := s3Store(t)
		return func() store.Store { return s }
	},
}

// begun is a coordinator that has acknowledged some shards of a sweep, whose part is not merged.
type begun struct {
	*cluster
	id   string
	done *seenShards // acknowledged
}

// begin starts a coordinator and delivers some shards to it.
func begin(ctx context.Context, t *testing.T, cfg coordinator.Config) *begun {
	t.Helper()
	b := &begun{cluster: start(t, cfg), done: &seenShards{}}
	b.leading(ctx)
	b.id = b.submit(ctx, smallSweep).GetSweep().GetId()
	b.deliverSome(ctx)
	return b
}

// deliverSome delivers shards until enough are acknowledged.
func (b *begun) deliverSome(ctx context.Context) {
	b.t.Helper()
	var acked atomic.Int64
	enough := make(chan struct{})
	var once sync.Once
	stop := b.serve(ctx, &coordtest.Node{Name: "first", Delivered: func(d coordtest.Delivered) error {
		if d.Committed() {
			b.done.add(d.Shard)
		}
		if acked.Add(1) >= 10 {
			once.Do(func() { close(enough) })
			return errEnough
		}
		return nil
	}})
	select {
	case <-enough:
	case <-ctx.Done():
		b.t.Fatal("nothing is acknowledged")
	}
	stop()
}

// finish delivers the rest, and checks that no acknowledged shard was lost or computed again.
func (b *begun) finish(ctx context.Context) {
	b.t.Helper()
	var computed seenShards
	stop := b.serve(ctx, &coordtest.Node{Name: "second", Computed: computed.add})
	last := b.wait(ctx, b.id)
	stop()
	p := last.GetProgress()
	if p.GetShardsLost() != 0 || p.GetPointsDone() != p.GetIndices() {
		b.t.Errorf("%d shards lost, %d of %d points", p.GetShardsLost(), p.GetPointsDone(), p.GetIndices())
	}
	for shard := range b.done.times {
		if computed.times[shard] > 0 {
			b.t.Errorf("shard %d was acknowledged and is computed again", shard)
		}
	}
}

// deposed waits until a coordinator leads no more, and returns its alarm about the store.
func (c *cluster) deposed(ctx context.Context) string {
	c.t.Helper()
	for {
		if _, err := c.sweeps.List(ctx, &pb.ListRequest{}); len(alarmsIn(err)) > 0 {
			return c.alarm(ctx, "store")
		}
		if ctx.Err() != nil {
			c.t.Fatal("the coordinator leads still")
		}
		time.Sleep(10 * time.Millisecond) // a poll of another goroutine's progress
	}
}

// frames are the objects of the spool with shards, and their sizes.
func frames(t *testing.T, s store.Store) map[string]int64 {
	t.Helper()
	objects := map[string]int64{}
	err := s.List(t.Context(), "spool/", func(name string, size int64) error {
		if strings.Contains(filepath.Base(name), "-") {
			objects[name] = size
		}
		return nil
	})
	if err != nil || len(objects) == 0 {
		t.Fatalf("the spool has the objects %v, %v", objects, err)
	}
	return objects
}

// TestSecondLedgerOfAStore: a coordinator with a ledger of its own is refused a store that another
// cluster owns, by the owner's id and address, and changes nothing of it. With --adopt-store it
// takes the store, once, and its former owner finds out.
func TestSecondLedgerOfAStore(t *testing.T) {
	for kind, open := range stores {
		for state, own := range ledgers {
			t.Run(kind+" "+state, func(t *testing.T) {
				if kind != "s3" { // sets environment variables
					t.Parallel()
				}
				ctx := deadline(t)
				again := open(t)
				cfg := coordinator.GuardedEvery(own(t), 20*time.Millisecond)
				cfg.Store = again()
				first := begin(ctx, t, cfg)
				before := frames(t, again())

				other := coordinator.GuardedEvery(own(t), 20*time.Millisecond)
				other.Store = again()
				id := says(t, rejected(ctx, t, other), first.address, "another cluster", "--adopt-store=")
				other.AdoptStore = "NOBODY"
				says(t, rejected(ctx, t, other), first.address, "--adopt-store="+id)
				if after := frames(t, again()); !maps.Equal(before, after) {
					t.Errorf("the spool had %v, has %v", before, after)
				}
				first.finish(ctx)

				// It is adopted, and the first coordinator finds out and leads no more.
				other.AdoptStore = id
				second := start(t, other)
				second.leading(ctx)
				says(t, first.deposed(ctx), second.address)
				second.stop()
				first.stop()
				cfg.Store, cfg.AdoptStore = again(), says(t, rejected(ctx, t, cfg), second.address)
				start(t, cfg).leading(ctx)
				other.Store = again()
				says(t, rejected(ctx, t, other), "another cluster") // its --adopt-store has worked
			})
		}
	}
}

// TestEmptiedState: the state of a coordinator is gone while it runs. One that begins anew in its
// place is refused, and the first loses nothing.
func TestEmptiedState(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	sets, folder := fileStore(t)
	state := filepath.Join(t.TempDir(), "state")
	first := begin(ctx, t, coordinator.Config{Embedded: state, Store: sets})
	if err := os.Rename(state, state+"-gone"); err != nil {
		t.Fatal(err)
	}
	second := coordinator.Config{Embedded: state, Store: again(t, folder)}
	says(t, rejected(ctx, t, second), first.address)
	first.finish(ctx)
	checkSmallSet(t, filepath.Join(folder, first.get(ctx, first.id).GetResultSet()))
}

// copyState copies the folder of an embedded etcd.
func copyState(t *testing.T, state string) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(state)); err != nil {
		t.Fatal(err)
	}
	return copied
}

// TestRestoredState: a backup of the ledger from before the last term is refused while the
// coordinator runs, and afterwards. Adopted, it continues from the backup, under another id.
func TestRestoredState(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	sets, folder := fileStore(t)
	state := t.TempDir()
	cfg := coordinator.Config{Embedded: state, Store: sets}
	first := begin(ctx, t, cfg)
	first.stop()
	backup := copyState(t, state)
	next := &begun{cluster: start(t, cfg), id: first.id, done: first.done}
	next.leading(ctx)
	next.deliverSome(ctx)
	before := frames(t, sets)

	restored := coordinator.Config{Embedded: backup, Store: again(t, folder)}
	for range 3 { // attempts raise the epoch of the copy
		says(t, rejected(ctx, t, restored), next.address, "older copy")
	}
	if after := frames(t, sets); !maps.Equal(before, after) {
		t.Errorf("the spool had %v, has %v", before, after)
	}
	next.finish(ctx)
	next.stop()
	restored.AdoptStore = says(t, rejected(ctx, t, restored), next.address)
	adopted := start(t, restored)
	adopted.leading(ctx)
	stop := adopted.serve(ctx, &coordtest.Node{Name: "n"})
	checkSmallSet(t, filepath.Join(folder, adopted.wait(ctx, first.id).GetResultSet()))
	stop()
}

// TestCopyWithinATerm: the ledger is copied while its coordinator leads. A coordinator with the
// copy cannot be told from its successor at first. The two find each other, the copy stops leading
// and cannot lead again, and the first loses nothing.
func TestCopyWithinATerm(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	sets, folder := fileStore(t)
	state := t.TempDir()
	first := begin(ctx, t, coordinator.GuardedEvery(
		coordinator.Config{Embedded: state, Store: sets}, 20*time.Millisecond))
	backup := copyState(t, state)
	first.deliverSome(ctx) // of which the copy knows nothing
	before := frames(t, sets)

	cfg := coordinator.GuardedEvery(coordinator.Config{Embedded: backup, Store: again(t, folder)}, time.Second)
	second := start(t, cfg)
	says(t, second.deposed(ctx), first.address, "older copy")
	for name, size := range before {
		if frames(t, sets)[name] < size {
			t.Errorf("%s of the first coordinator is gone", name)
		}
	}
	second.stop()
	says(t, rejected(ctx, t, cfg), first.address)
	first.finish(ctx)
	checkSmallSet(t, filepath.Join(folder, first.get(ctx, first.id).GetResultSet()))
}

// TestStoreOfAnEarlierRelease: a store that has an id and no owners is that of the ledger that has
// the id; any other ledger has to adopt it.
func TestStoreOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	for _, recorded := range []bool{true, false} {
		ctx := deadline(t)
		sets, folder := fileStore(t)
		if err := os.WriteFile(filepath.Join(folder, storeID), []byte("EARLIER\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		memory := ledger.NewMemory()
		cfg := coordinator.Config{Ledger: memory, Store: sets}
		if recorded {
			leadership := campaign(ctx, t, memory, "earlier")
			commit(ctx, t, leadership, put(ledger.SpoolIDKey, "EARLIER "+folder))
			if err := leadership.Resign(ctx); err != nil {
				t.Fatal(err)
			}
		} else {
			cfg.AdoptStore = says(t, rejected(ctx, t, cfg), "another cluster", "--adopt-store=EARLIER")
		}
		c := start(t, cfg)
		c.leading(ctx)
		if id := readFile(t, filepath.Join(folder, storeID)); id != "EARLIER\n" || ownerOf(t, sets) == "EARLIER" {
			t.Errorf("the store has the id %q, its owner is %s", id, ownerOf(t, sets))
		}
		other := coordinator.Config{Ledger: ledger.NewMemory(), Store: again(t, folder), AdoptStore: "EARLIER"}
		says(t, rejected(ctx, t, other), c.address)
		c.stop()
	}
}

// ownerOf is the id of the cluster that owns a store.
func ownerOf(t *testing.T, s store.Store) string {
	t.Helper()
	var newest string
	err := s.List(t.Context(), "spool/owners/", func(name string, _ int64) error { newest = name; return nil })
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Open(t.Context(), newest)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	var owner struct{ Cluster string }
	if err := json.NewDecoder(io.NewSectionReader(o, 0, o.Size())).Decode(&owner); err != nil {
		t.Fatal(err)
	}
	return owner.Cluster
}

// place writes an object.
func place(t *testing.T, s store.Store, name string) {
	t.Helper()
	w, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestSpoolOfOthersIsKept: a leader deletes orphans of its own cluster only, and no object of a
// cluster whose backup its ledger was restored from, also when no frame in it is needed any more.
func TestSpoolOfOthersIsKept(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	sets, folder := fileStore(t)
	state := t.TempDir()
	first := begin(ctx, t, coordinator.Config{Embedded: state, Store: sets})
	former := ownerOf(t, sets)
	first.stop()
	backup := copyState(t, state)
	next := start(t, coordinator.Config{Embedded: state, Store: sets})
	next.leading(ctx)
	next.stop()
	kept := frames(t, sets)
	for _, id := range []string{"2222", "ZZZZ"} {
		kept["spool/"+id+"/0000000000000001-000001"] = 0
		place(t, sets, "spool/"+id+"/0000000000000001-000001")
	}

	cfg := coordinator.GuardedEvery(coordinator.Config{Embedded: backup, Store: again(t, folder)}, 20*time.Millisecond)
	cfg.AdoptStore = former
	restored := &begun{cluster: start(t, cfg), id: first.id, done: first.done}
	restored.leading(ctx)
	owner := ownerOf(t, sets)
	if owner == former {
		t.Fatal("the restored ledger has the id of the former owner")
	}
	orphan := "spool/" + owner + "/0000000000000001-000001"
	place(t, sets, orphan)
	restored.finish(ctx)
	for ctx.Err() == nil {
		if _, there := frames(t, sets)[orphan]; !there {
			break
		}
		time.Sleep(10 * time.Millisecond) // a poll of another goroutine's progress
	}
	after := frames(t, sets)
	for name, size := range kept {
		if got, there := after[name]; !there || got != size {
			t.Errorf("%s of another cluster is gone: there are %v", name, after)
		}
	}
}

// TestHeldFramesAreNoOrphans: a later leader of the same cluster deletes the orphans of an earlier
// term, and no object with a committed shard.
func TestHeldFramesAreNoOrphans(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	sets, _ := fileStore(t)
	cfg := coordinator.GuardedEvery(coordinator.Config{Ledger: ledger.NewMemory(), Store: sets}, 20*time.Millisecond)
	b := begin(ctx, t, cfg)
	b.stop()
	orphan := "spool/" + ownerOf(t, sets) + "/0000000000000001-999999"
	place(t, sets, orphan)
	b.cluster = start(t, cfg)
	b.leading(ctx)
	for there := true; there; _, there = frames(t, sets)[orphan] {
		if ctx.Err() != nil {
			t.Fatal("the orphan is there still")
		}
		time.Sleep(10 * time.Millisecond) // a poll of another goroutine's progress
	}
	b.finish(ctx)
}

// TestSetOfTwoOwners: two clusters with spools of their own run the same sweep in one folder. They
// meet in the same files, and neither deletes those of the other: a removal leaves the set to the
// other owner, and the last one removes it.
func TestSetOfTwoOwners(t *testing.T) {
	for kind, open := range stores {
		t.Run(kind, func(t *testing.T) {
			ctx := deadline(t)
			again := open(t)
			var id, set string
			var clusters []*cluster
			for i := range 2 {
				spool, _ := fileStore(t)
				c := start(t, coordinator.Config{
					Ledger: ledger.NewMemory(), Store: again(), Spool: spool, GitRevision: fmt.Sprint("build ", i),
				})
				c.leading(ctx)
				column := []string{"loss", "steps_run"}[i]
				m := c.submit(ctx, smallSweep+"figures: [{kind: curves, x: anisotropy, y: "+column+"}]\n")
				stop := c.serve(ctx, &coordtest.Node{Name: fmt.Sprint("of ", i)})
				id, set = m.GetSweep().GetId(), c.wait(ctx, m.GetSweep().GetId()).GetResultSet()
				stop()
				clusters = append(clusters, c)
			}
			before := objects(t, again(), set)
			if _, err := clusters[0].sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: id}); err != nil {
				t.Fatal(err)
			}
			if after := objects(t, again(), set); !maps.Equal(before, after) || len(after) < 7 {
				t.Errorf("the set had %v, has %v", before, after)
			}
			if m := clusters[1].submit(ctx, smallSweep).GetSweep(); m.GetPhase() != pb.Phase_PHASE_DONE {
				t.Errorf("the sweep of the other owner is %v", m.GetPhase())
			}
			if _, err := clusters[1].sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: id}); err != nil {
				t.Fatal(err)
			}
			if after := objects(t, again(), set); len(after) != 0 {
				t.Errorf("removed by both, the set has %v", after)
			}
		})
	}
}

// objects are the objects of a result set but the marks of its owners, by version.
func objects(t *testing.T, s store.Store, set string) map[string]string {
	t.Helper()
	versions := map[string]string{}
	err := s.List(t.Context(), set+"/", func(name string, _ int64) error {
		if strings.Contains(name, "/.owners/") {
			return nil
		}
		o, err := s.Open(t.Context(), name)
		if err != nil {
			return err
		}
		versions[name] = o.Version()
		return o.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	return versions
}

// TestForeignFileInASharedSet: where a set has another owner, nothing in it is replaced: what says
// something else is kept, and there is an alarm until it is moved away.
func TestForeignFileInASharedSet(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"sweep.yaml", "views.sql", "manifest.json", "points/schema.parquet", "shards/schema.parquet",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			sets, dir := fileStore(t)
			c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: sets})
			c.leading(ctx)
			m := c.submit(ctx, smallSweep).GetSweep()
			set := filepath.Join(dir, m.GetResultSet())
			if err := os.WriteFile(filepath.Join(set, ".owners", "ANOTHER"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(set, filepath.FromSlash(name))
			if err := os.WriteFile(file, []byte("something else"), 0o644); err != nil {
				t.Fatal(err)
			}
			defer c.serve(ctx, &coordtest.Node{Name: "n"})()
			c.expect(ctx, m.GetId(), "an alarm", func(s *pb.Sweep) bool {
				alarms := strings.Join(s.GetProgress().GetAlarms(), "\n")
				return strings.Contains(alarms, "move it away") && strings.Contains(alarms, name)
			})
			if got := readFile(t, file); got != "something else" {
				t.Errorf("the file is %q", got)
			}
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			c.wait(ctx, m.GetId())
			checkSmallSet(t, set)
			checkSums(t, set)
		})
	}
}
