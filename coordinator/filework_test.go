package coordinator_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// TestOneSweepsFilesHoldUpNoOthers: one sweep cannot publish a part, and there is one worker for
// files.
func TestOneSweepsFilesHoldUpNoOthers(t *testing.T) {
	store, dir := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store, Mergers: 1})
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

// TestForeignFileIsNotRecorded: a foreign file has the name of a part. It is kept, and the sweep is
// not done until it is moved away.
func TestForeignFileIsNotRecorded(t *testing.T) {
	t.Parallel()
	store, dir := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	m := c.submit(ctx, smallSweep).GetSweep()
	set := filepath.Join(dir, m.GetResultSet())
	foreign := filepath.Join(set, "points", "part-000000.parquet")
	if err := os.WriteFile(foreign, []byte("something else"), 0o644); err != nil {
		t.Fatal(err)
	}
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	s := c.expect(ctx, m.GetId(), "an alarm", func(s *pb.Sweep) bool {
		return strings.Contains(strings.Join(s.GetProgress().GetAlarms(), "\n"), "move it away")
	})
	if s.GetPhase() != pb.Phase_PHASE_RUNNING {
		t.Errorf("the sweep is %v with somebody's file in it", s.GetPhase())
	}
	if data, err := os.ReadFile(foreign); err != nil || string(data) != "something else" {
		t.Errorf("the file is %q, %v", data, err)
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	last := c.wait(ctx, m.GetId())
	if alarms := last.GetProgress().GetAlarms(); len(alarms) != 0 {
		t.Errorf("alarms after the end: %v", alarms)
	}
	checkSmallSet(t, set)
}
