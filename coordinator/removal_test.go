package coordinator_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// TestCancelledSweepCanBeRemoved: no permanent failure prevents a sweep from being cancelled and
// removed.
func TestCancelledSweepCanBeRemoved(t *testing.T) {
	t.Parallel()
	obstacle := func(name string) func(ctx context.Context, c *cluster, set, spool string) {
		return func(_ context.Context, _ *cluster, set, _ string) {
			if err := os.MkdirAll(filepath.Join(set, name, "not empty"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Without its id the spool counts as another one, and its frames not as lost.
	unreadable := func(ctx context.Context, c *cluster, _, spool string) {
		c.deliverShards(ctx, 3)
		if err := os.Remove(filepath.Join(spool, storeID)); err != nil {
			t.Fatal(err)
		}
		for name, data := range contents(t, spool) {
			if err := os.WriteFile(name, make([]byte, len(data)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, harm := range map[string]func(ctx context.Context, c *cluster, set, spool string){
		"part":     obstacle("points/part-000000.parquet"),
		"manifest": obstacle("manifest.json"),
		"spool":    unreadable,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, dir := fileStore(t)
			spool, spoolDir := fileStore(t)
			ctx := deadline(t)
			c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store, Spool: spool})
			c.leading(ctx)
			m := c.submit(ctx, smallSweep).GetSweep()
			set := filepath.Join(dir, m.GetResultSet())
			harm(ctx, c, set, spoolDir)
			defer c.serve(ctx, &coordtest.Node{Name: "n"})()
			c.expect(ctx, m.GetId(), "an alarm", func(s *pb.Sweep) bool { return len(s.GetProgress().GetAlarms()) > 0 })
			if _, err := c.sweeps.Cancel(ctx, &pb.CancelRequest{Sweep: m.GetId()}); err != nil {
				t.Fatalf("Cancel = %v", err)
			}
			if _, err := c.sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: m.GetId()}); err != nil {
				t.Fatalf("Delete = %v", err)
			}
			if files := contents(t, set); len(files) != 0 {
				t.Errorf("%d files are left", len(files))
			}
			if err := os.RemoveAll(set); err != nil {
				t.Fatal(err)
			}
			m = c.submit(ctx, smallSweep).GetSweep()
			c.wait(ctx, m.GetId())
			checkSmallSet(t, set)
			if alarms := c.get(ctx, m.GetId()).GetProgress().GetAlarms(); len(alarms) != 0 {
				t.Errorf("alarms after the end: %v", alarms)
			}
		})
	}
}

// get returns a sweep.
func (c *cluster) get(ctx context.Context, id string) *pb.Sweep {
	c.t.Helper()
	m, err := c.sweeps.Get(ctx, &pb.GetRequest{Sweep: id})
	if err != nil {
		c.t.Fatalf("Get = %v", err)
	}
	return m.GetSweep()
}

// keepingStore deletes one file and then none for a while.
type keepingStore struct {
	store.Store
	deleted atomic.Int64
	keep    atomic.Bool
}

func (s *keepingStore) DeleteVersion(ctx context.Context, name, version string) error {
	if s.keep.Load() && s.deleted.Add(1) > 1 {
		return errors.New("permission denied")
	}
	return s.Store.DeleteVersion(ctx, name, version)
}

// TestRemovalGoesOn: half of the files of a sweep are deleted when the caller stops waiting and the
// coordinator ends. The next one completes the removal.
func TestRemovalGoesOn(t *testing.T) {
	t.Parallel()
	store, dir := fileStore(t)
	spool, _ := fileStore(t)
	keeping := &keepingStore{Store: store}
	keeping.keep.Store(true)
	memory := ledger.NewMemory()
	ctx := deadline(t)
	c := start(t, coordinator.Config{Ledger: memory, Store: keeping, Spool: spool})
	c.leading(ctx)
	stopNode := c.serve(ctx, &coordtest.Node{Name: "n"})
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	set := filepath.Join(dir, c.wait(ctx, id).GetResultSet())
	stopNode()
	want := hashes(t, set)
	// Files that do not belong to the set do not prevent the removal.
	if err := os.Symlink("sweep.yaml", filepath.Join(set, "link")); err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancel(ctx)
	go func() {
		for keeping.deleted.Load() < 2 && ctx.Err() == nil {
			time.Sleep(time.Millisecond) // a poll of another goroutine's progress
		}
		cancel()
	}()
	if _, err := c.sweeps.Delete(impatient, &pb.DeleteRequest{Sweep: id}); status.Code(err) != codes.Canceled {
		t.Errorf("Delete = %v", err)
	}
	if n := len(contents(t, set)); n == 0 || n > len(want)+2 {
		t.Fatalf("%d files are there: the test does not test", n)
	}
	checkRemoving(ctx, t, c, id)
	c.stop()

	c = start(t, coordinator.Config{Ledger: memory, Store: keeping, Spool: spool})
	c.leading(ctx)
	checkRemoving(ctx, t, c, id)
	keeping.keep.Store(false)
	if _, err := c.sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: id}); err != nil && status.Code(err) != codes.NotFound {
		t.Errorf("Delete again = %v", err)
	}
	if _, err := os.Stat(set); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the result set is there still: %v", err)
	}
	if m, err := c.sweeps.List(ctx, &pb.ListRequest{}); err != nil || len(m.GetSweeps()) != 0 {
		t.Errorf("List = %v, %v", m, err)
	}
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	if m := c.submit(ctx, smallSweep); !m.GetCreated() {
		t.Error("a sweep that was removed is there")
	}
	c.wait(ctx, id)
	checkSmallSet(t, set)
}

// checkRemoving checks that a sweep is listed as being removed and can be neither used nor changed.
func checkRemoving(ctx context.Context, t *testing.T, c *cluster, id string) {
	t.Helper()
	list, err := c.sweeps.List(ctx, &pb.ListRequest{})
	if err != nil || len(list.GetSweeps()) != 1 || list.GetSweeps()[0].GetPhase() != pb.Phase_PHASE_REMOVING {
		t.Errorf("List = %v, %v; want one sweep that is being removed", list, err)
	}
	for what, call := range map[string]func() error{
		"Submit": func() error {
			_, err := c.sweeps.Submit(ctx, &pb.SubmitRequest{File: []byte(smallSweep), Filename: "sweep.yaml"})
			return err
		},
		"Resume": func() error { _, err := c.sweeps.Resume(ctx, &pb.ResumeRequest{Sweep: id}); return err },
		"Retry":  func() error { _, err := c.sweeps.Retry(ctx, &pb.RetryRequest{Sweep: id}); return err },
		"Files":  func() error { _, err := c.sweeps.Files(ctx, &pb.FilesRequest{Sweep: id}); return err },
	} {
		if err := call(); status.Code(err) != codes.FailedPrecondition ||
			!strings.Contains(err.Error(), "try again when") {
			t.Errorf("%s = %v", what, err)
		}
	}
}
