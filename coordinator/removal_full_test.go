package coordinator_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
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

// TestFullStoreIsFreed: a sweep has filled the disk, and its deliveries cannot be written. It can
// be cancelled and removed.
func TestFullStoreIsFreed(t *testing.T) {
	t.Parallel()
	store, dir := fileStore(t)
	full := &fullStore{Store: store}
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: full})
	ctx := deadline(t)
	c.leading(ctx)
	m := c.submit(ctx, smallSweep).GetSweep()
	c.deliverShards(ctx, 3)
	full.mu.Lock()
	full.full = true
	full.mu.Unlock()
	stopNode := c.serve(ctx, &coordtest.Node{Name: "n"})
	c.expect(ctx, m.GetId(), "the alarm", func(s *pb.Sweep) bool { return len(s.GetProgress().GetAlarms()) > 0 })
	if _, err := c.sweeps.Cancel(ctx, &pb.CancelRequest{Sweep: m.GetId()}); err != nil {
		t.Fatalf("Cancel = %v", err)
	}
	if _, err := c.sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: m.GetId()}); err != nil {
		t.Fatalf("Delete = %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, m.GetResultSet())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the result set is there still: %v", err)
	}
	stopNode()
	full.mu.Lock()
	full.full = false
	full.mu.Unlock()
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	c.submit(ctx, smallSweep)
	last := c.wait(ctx, m.GetId())
	if alarms := last.GetProgress().GetAlarms(); len(alarms) != 0 {
		t.Errorf("alarms after the end: %v", alarms)
	}
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
}

// hangingStore blocks the creation of a part.
type hangingStore struct {
	store.Store
	reached chan struct{}
}

func (s *hangingStore) Create(ctx context.Context, name string) (store.Writer, error) {
	if !strings.Contains(name, "points/part-") {
		return s.Store.Create(ctx, name)
	}
	select {
	case s.reached <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestRemovalThatWaitsIsNotForgotten: a coordinator ends after a removal was requested and before
// it could begin.
func TestRemovalThatWaitsIsNotForgotten(t *testing.T) {
	t.Parallel()
	store, dir := fileStore(t)
	spool, _ := fileStore(t)
	hanging := &hangingStore{Store: store, reached: make(chan struct{}, 1)}
	memory := ledger.NewMemory()
	ctx := deadline(t)
	c := start(t, coordinator.Config{Ledger: memory, Store: hanging, Spool: spool})
	c.leading(ctx)
	other := c.submit(ctx, strings.Replace(smallSweep, "num: 500", "num: 499", 1)).GetSweep()
	if _, err := c.sweeps.Pause(ctx, &pb.PauseRequest{Sweep: other.GetId()}); err != nil {
		t.Fatal(err)
	}
	m := c.submit(ctx, smallSweep).GetSweep()
	stopNode := c.serve(ctx, &coordtest.Node{Name: "n"})
	await(ctx, t, hanging.reached, "a part is merged")
	stopNode()
	if _, err := c.sweeps.Cancel(ctx, &pb.CancelRequest{Sweep: m.GetId()}); err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancel(ctx)
	removed := make(chan error, 1)
	go func() {
		_, err := c.sweeps.Delete(impatient, &pb.DeleteRequest{Sweep: m.GetId()})
		removed <- err
	}()
	for c.get(ctx, m.GetId()).GetPhase() != pb.Phase_PHASE_REMOVING {
		time.Sleep(time.Millisecond) // a poll of another goroutine's progress
	}
	cancel()
	if err := <-removed; status.Code(err) != codes.Canceled {
		t.Errorf("Delete = %v", err)
	}
	// Saves happen in order: after this one, the removal is saved.
	if _, err := c.sweeps.Cancel(ctx, &pb.CancelRequest{Sweep: other.GetId()}); err != nil {
		t.Fatal(err)
	}
	c.stop()

	c = start(t, coordinator.Config{Ledger: memory, Store: store, Spool: spool})
	c.leading(ctx)
	for {
		list, err := c.sweeps.List(ctx, &pb.ListRequest{})
		if err != nil {
			t.Fatalf("List = %v", err)
		}
		if len(list.GetSweeps()) == 1 && list.GetSweeps()[0].GetId() == other.GetId() {
			break
		}
		time.Sleep(time.Millisecond) // a poll of another goroutine's progress
	}
	if _, err := os.Stat(filepath.Join(dir, m.GetResultSet())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the result set is there still: %v", err)
	}
}
