package coordinator_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// setFiles are the files of a result set that are damaged together. The spool is damaged by
// TestLostFramesAreComputedAgain.
var setFiles = map[string][]string{
	"points":       {"points/part-000000.parquet"},
	"trajectories": {"trajectories/part-000000.parquet"},
	"shards":       {"shards/part-000000.parquet"},
	"small files":  {"points/schema.parquet", "shards/schema.parquet", "sweep.yaml", "views.sql"},
	"manifest":     {"manifest.json"},
}

// TestDamagedSetIsWrittenAgain: each file of a result set is damaged in each way, while the sweep
// runs, before a restart, and when it is done and submitted again. The set is whole in the end. A
// part whose bytes are others and as many is found by verify only, and computed again once its file
// was removed.
func TestDamagedSetIsWrittenAgain(t *testing.T) {
	t.Parallel()
	undisturbed, dir := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: undisturbed})
	ctx := deadline(t)
	c.leading(ctx)
	stop := c.serve(ctx, &coordtest.Node{Name: "n"})
	c.wait(ctx, c.submit(ctx, crashSweep).GetSweep().GetId())
	stop()
	want := hashes(t, dir)
	for _, when := range []string{"running", "restart", "done"} {
		for kind, files := range setFiles {
			if kind == "manifest" && when != "done" {
				continue // there is none yet
			}
			for _, what := range []string{"gone", "empty", "cut", "flipped"} {
				t.Run(fmt.Sprint(when, " ", kind, " ", what), func(t *testing.T) {
					t.Parallel()
					damageSet(t, when, what, files, want)
				})
			}
		}
	}
}

func damageSet(t *testing.T, when, what string, files []string, want map[string]string) {
	t.Helper()
	sets, dir := fileStore(t)
	cfg := coordinator.Config{Ledger: ledger.NewMemory(), Store: sets}
	ctx := deadline(t)
	c := start(t, cfg)
	c.leading(ctx)
	m := c.submit(ctx, crashSweep).GetSweep()
	set := filepath.Join(dir, m.GetResultSet())
	damageAll := func() {
		for _, file := range files {
			if err := spoolDamage[what](filepath.Join(set, filepath.FromSlash(file))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if when != "done" {
		firstPart(ctx, t, c, m.GetId())
		if when == "restart" {
			c.stop()
		}
		damageAll()
		if when == "restart" {
			c = start(t, cfg)
			c.leading(ctx)
		}
	}
	defer c.serve(ctx, &coordtest.Node{Name: "second"})()
	c.wait(ctx, m.GetId())
	if when == "done" {
		damageAll()
		c.submit(ctx, crashSweep)
		c.wait(ctx, m.GetId())
	}
	report, err := results.Verify(ctx, set, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range report.Violations {
		if what != "flipped" || v.File != files[0] && v.File != results.ManifestName {
			t.Error(v) // the size tells that it is damaged
		}
		if v.File == results.ManifestName { // its counts are not those of the other file
			continue
		}
		if err := os.RemoveAll(filepath.Join(set, v.File)); err != nil {
			t.Fatal(err)
		}
	}
	c.submit(ctx, crashSweep)
	last := c.wait(ctx, m.GetId())
	if p := last.GetProgress(); p.GetPointsDone() != p.GetIndices() || len(p.GetAlarms()) != 0 {
		t.Errorf("ended as %v", last)
	}
	if got := hashes(t, dir); !maps.Equal(got, want) {
		t.Errorf("there are the files %v, in an undisturbed run %v", got, want)
	}
	checkSums(t, set)
}

// firstPart delivers shards until the first part of a sweep is stored and others are not.
func firstPart(ctx context.Context, t *testing.T, c *cluster, id string) {
	t.Helper()
	var acked atomic.Int64
	gate := make(chan struct{}, 1<<20)
	allow := func(n int) {
		for range n {
			gate <- struct{}{}
		}
	}
	stop := c.serve(ctx, &coordtest.Node{Name: "first",
		Admit: func(ctx context.Context) error {
			select {
			case <-gate:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
		Delivered: func(coordtest.Delivered) error { acked.Add(1); return nil },
	})
	defer stop()
	allow(1)
	c.expect(ctx, id, "a part", func(s *pb.Sweep) bool {
		p := s.GetProgress()
		if p.GetPartsDone() == 0 && p.GetShardsDone() == acked.Load() && len(gate) == 0 {
			allow(1)
		}
		return p.GetPartsDone() > 0 && p.GetPartsDone() < p.GetParts()
	})
}

// TestDamagedCutsArePlannedAgain: the cuts in the key of a sweep are damaged in each way before a
// restart. The sweep ends with the same files.
func TestDamagedCutsArePlannedAgain(t *testing.T) {
	t.Parallel()
	var want map[string]string
	for what, damage := range map[string]func(*pb.SweepState){
		"":        func(*pb.SweepState) {},
		"gone":    func(s *pb.SweepState) { s.Cuts = nil },
		"empty":   func(s *pb.SweepState) { s.Cuts = &pb.CutsState{} },
		"cut":     func(s *pb.SweepState) { s.Cuts.Points = s.Cuts.Points[:len(s.Cuts.Points)-1] },
		"flipped": func(s *pb.SweepState) { s.Cuts.Cost[0] ^= 1 },
		"swapped": func(s *pb.SweepState) { s.Cuts.Points[0]++; s.Cuts.Points[len(s.Cuts.Points)-1]-- },
		"other": func(s *pb.SweepState) {
			s.Cuts.Shards, s.Cuts.Points, s.Cuts.Parts = []int64{1}, []int64{1000}, []int64{0}
			s.Cuts.Cost, s.Cuts.MemoryBytes = []int64{1}, []int64{1}
		},
		"old": func(s *pb.SweepState) { s.Cuts.Checksum, s.Cuts.Points[0] = 0, 0 },
	} {
		sets, dir := fileStore(t)
		memory := ledger.NewMemory()
		cfg := coordinator.Config{Ledger: memory, Store: sets}
		ctx := deadline(t)
		b := begin(ctx, t, cfg)
		b.stop()
		leadership := campaign(ctx, t, memory, "between")
		key := ledger.SweepKey(b.id)
		err := memory.Load(ctx, key, func(k string, value []byte) error {
			if k != key {
				return nil
			}
			var s pb.SweepState
			if err := proto.Unmarshal(value, &s); err != nil {
				return err
			}
			damage(&s)
			damaged, err := proto.Marshal(&s)
			if err == nil {
				err = leadership.Ledger.Commit(ctx, []ledger.Write{{Key: key, Value: damaged}})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := leadership.Resign(ctx); err != nil {
			t.Fatal(err)
		}
		b.cluster = start(t, cfg)
		b.leading(ctx)
		b.finish(ctx)
		b.stop()
		got := hashes(t, dir)
		if want == nil {
			want = got
		}
		if !maps.Equal(got, want) {
			t.Errorf("%q: there are the files %v, else %v", what, got, want)
		}
	}
}

// TestDamagedOwners: the log of owners is damaged. The ledger that has the id of the store is its
// owner still, and no other.
func TestDamagedOwners(t *testing.T) {
	t.Parallel()
	for what, damage := range spoolDamage {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			sets, folder := fileStore(t)
			cfg := coordinator.Config{Ledger: ledger.NewMemory(), Store: sets}
			b := begin(ctx, t, cfg)
			b.stop()
			entries, err := filepath.Glob(filepath.Join(folder, "spool", "owners", "*"))
			if err != nil || len(entries) == 0 {
				t.Fatalf("entries %v, %v", entries, err)
			}
			for _, e := range entries {
				if err := damage(e); err != nil {
					t.Fatal(err)
				}
			}
			other := coordinator.Config{Ledger: ledger.NewMemory(), Store: again(t, folder)}
			id := strings.TrimSpace(readFile(t, filepath.Join(folder, storeID)))
			if what != "flipped" { // the entry may say the same still, but for a letter
				says(t, rejected(ctx, t, other), "--adopt-store="+id)
			}
			b.cluster = start(t, cfg)
			b.leading(ctx)
			b.finish(ctx)
			b.stop()
			says(t, rejected(ctx, t, other), b.address)
		})
	}
}
