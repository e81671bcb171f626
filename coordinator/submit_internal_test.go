package coordinator

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/node/solver"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/sweep"
)

// TestPlansWaitForEachOther: many large sweep files at once take the memory and time of a few. A
// call that waits can be cancelled.
func TestPlansWaitForEachOther(t *testing.T) {
	planner := newPlanner(0, sweep.BuiltinSolver(solver.Version))
	service := &sweepsServer{planner: planner}
	file, err := coordtest.SweepFile(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := planner.limit.Acquire(t.Context(), int64(runtime.GOMAXPROCS(0))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := service.Plan(ctx, &pb.PlanRequest{File: file}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while as many as may be planned are, another plan ends with %v", err)
	}
	planner.limit.Release(int64(runtime.GOMAXPROCS(0)))
	if m, err := service.Plan(t.Context(), &pb.PlanRequest{File: file}); err != nil || m.GetShards() != 100 {
		t.Errorf("Plan = %v, %v", m, err)
	}
}

// TestSweepFilesHaveTime: ten million points whose cost is an expression take half a minute of an
// idle processor.
func TestSweepFilesHaveTime(t *testing.T) {
	for _, method := range []string{pb.Sweeps_Submit_FullMethodName, pb.Sweeps_Plan_FullMethodName} {
		if d := callTimeout(method); d < 5*time.Minute {
			t.Errorf("%s has %v", method, d)
		}
	}
}
