package coordinator_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// TestOneSweepsFilesHoldUpNoOthers: one sweep cannot publish a part, and there is one worker for
// files.
func TestOneSweepsFilesHoldUpNoOthers(t *testing.T) {
	sets, dir := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: sets, Mergers: 1})
	ctx := deadline(t)
	c.leading(ctx)
	blocked := c.submit(ctx, strings.Replace(smallSweep, "num: 500", "num: 499", 1)).GetSweep()
	obstacle := filepath.Join(dir, blocked.GetResultSet(), "points", "part-000000.parquet")
	if err := os.MkdirAll(filepath.Join(obstacle, "not empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	c.expect(ctx, blocked.GetId(), "an alarm of its own", func(s *pb.Sweep) bool {
		alarms := strings.Join(s.GetProgress().GetAlarms(), "\n")
		return strings.Contains(alarms, "store, "+blocked.GetResultSet()+": ")
	})
	other := c.submit(ctx, smallSweep).GetSweep()
	checkSmallSet(t, filepath.Join(dir, c.wait(ctx, other.GetId()).GetResultSet()))
	if err := os.RemoveAll(obstacle); err != nil {
		t.Fatal(err)
	}
	last := c.wait(ctx, blocked.GetId())
	if alarms := last.GetProgress().GetAlarms(); len(alarms) != 0 {
		t.Errorf("alarms after the end: %v", alarms)
	}
}

// lookedStore counts the opened and the created objects of one name.
type lookedStore struct {
	store.Store
	name            string // how it ends
	opened, created atomic.Int64
}

func (s *lookedStore) Open(ctx context.Context, name string) (store.Object, error) {
	if strings.HasSuffix(name, s.name) {
		s.opened.Add(1)
	}
	return s.Store.Open(ctx, name)
}

func (s *lookedStore) Create(ctx context.Context, name string) (store.Writer, error) {
	if strings.HasSuffix(name, s.name) {
		s.created.Add(1)
	}
	return s.Store.Create(ctx, name)
}

// otherLog is a shards file of another sweep with as many rows.
func otherLog(t *testing.T) []byte {
	t.Helper()
	sets, dir := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: sets})
	ctx := deadline(t)
	c.leading(ctx)
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	other := strings.Replace(smallSweep, "num: 500", "num: 499", 1)
	set := c.wait(ctx, c.submit(ctx, other).GetSweep().GetId()).GetResultSet()
	return []byte(readFile(t, filepath.Join(dir, set, "shards", "part-000000.parquet")))
}

// TestForeignFileIsNotRecorded: a foreign file has the name of a part. It is kept, and the sweep is
// not done until it is moved away. Until then the part is not merged again.
func TestForeignFileIsNotRecorded(t *testing.T) {
	t.Parallel()
	shards := otherLog(t)
	for table, contents := range map[string]map[string][]byte{
		"points": {"garbage": []byte("something else"), "empty": nil, "another table": shards},
		"shards": {"garbage": []byte("something else"), "empty": nil, "another sweep": shards,
			"cut": shards[:len(shards)/2]},
	} {
		for what, data := range contents {
			t.Run(table+" "+what, func(t *testing.T) {
				t.Parallel()
				standsInPlace(t, table+"/part-000000.parquet", data)
			})
		}
	}
}

func standsInPlace(t *testing.T, name string, data []byte) {
	t.Helper()
	sets, dir := fileStore(t)
	counting := &lookedStore{Store: sets, name: name}
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: counting})
	ctx := deadline(t)
	c.leading(ctx)
	m := c.submit(ctx, smallSweep).GetSweep()
	set := filepath.Join(dir, m.GetResultSet())
	foreign := filepath.Join(set, filepath.FromSlash(name))
	if err := os.WriteFile(foreign, data, 0o644); err != nil {
		t.Fatal(err)
	}
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	s := c.expect(ctx, m.GetId(), "an alarm", func(s *pb.Sweep) bool {
		return strings.Contains(strings.Join(s.GetProgress().GetAlarms(), "\n"), "move it away")
	})
	if s.GetPhase() != pb.Phase_PHASE_RUNNING {
		t.Errorf("the sweep is %v with somebody's file in it", s.GetPhase())
	}
	for looked := counting.opened.Load(); counting.opened.Load() < looked+4; {
		if ctx.Err() != nil {
			t.Fatal("nobody looks whether the file is there still")
		}
		time.Sleep(10 * time.Millisecond) // a poll of another goroutine's progress
	}
	if n := counting.created.Load(); n != 1 {
		t.Errorf("the part was merged %d times", n)
	}
	if found, err := os.ReadFile(foreign); err != nil || !bytes.Equal(found, data) {
		t.Errorf("the file is %q, %v", found, err)
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	last := c.wait(ctx, m.GetId())
	if alarms := last.GetProgress().GetAlarms(); len(alarms) != 0 {
		t.Errorf("alarms after the end: %v", alarms)
	}
	checkSmallSet(t, set)
	checkSums(t, set)
}

// checkSums compares the files of a set with its manifest.
func checkSums(t *testing.T, set string) {
	t.Helper()
	for _, f := range readManifest(t, set).Files {
		data, err := os.ReadFile(filepath.Join(set, filepath.FromSlash(f.Path)))
		if err != nil || fmt.Sprintf("%x", sha256.Sum256(data)) != f.SHA256 {
			t.Errorf("%s is not the file of the manifest: %v", f.Path, err)
		}
	}
}

// tornStore damages the first part that is published, as a disk does that loses a write.
type tornStore struct {
	store.Store
	dir  string
	torn atomic.Bool
}

func (s *tornStore) Create(ctx context.Context, name string) (store.Writer, error) {
	w, err := s.Store.Create(ctx, name)
	if err != nil || !strings.HasSuffix(name, "points/part-000000.parquet") {
		return w, err
	}
	return &tornWriter{w, s, filepath.Join(s.dir, filepath.FromSlash(name))}, nil
}

type tornWriter struct {
	store.Writer
	store *tornStore
	path  string
}

func (w *tornWriter) Commit() error {
	if err := w.Writer.Commit(); err != nil || w.store.torn.Swap(true) {
		return err
	}
	return spoolDamage["flipped"](w.path)
}

// TestPublishedFileIsReadBack: a file that the store has not kept as it was written does not become
// part of the set.
func TestPublishedFileIsReadBack(t *testing.T) {
	t.Parallel()
	sets, dir := fileStore(t)
	torn := &tornStore{Store: sets, dir: dir}
	spool, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: torn, Spool: spool})
	ctx := deadline(t)
	c.leading(ctx)
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	set := filepath.Join(dir, c.wait(ctx, c.submit(ctx, smallSweep).GetSweep().GetId()).GetResultSet())
	if !torn.torn.Load() {
		t.Error("nothing was damaged")
	}
	checkSmallSet(t, set)
	checkSums(t, set)
}
