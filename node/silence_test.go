package node_test

import (
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/node"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// TestSilentCoordinatorIsReplaced: if a coordinator with an open connection sends nothing, as when
// it is suspended, the node reconnects and sends waiting deliveries again.
func TestSilentCoordinatorIsReplaced(t *testing.T) {
	f := newFake(t, specOf(t, smallSweep))
	f.silence = 200 * time.Millisecond
	stopped := make(chan struct{})
	defer close(stopped)
	f.answer = func(attempt int, _ *pb.DeliverHeader) (pb.DeliverResponse_Outcome, error) {
		if attempt == 1 {
			<-stopped
		}
		return pb.DeliverResponse_OUTCOME_COMMITTED, nil
	}
	f.run(node.Config{Slots: 1})
	f.grant(3, 15, 20)
	f.await("the delivery on another connection", func() bool { return len(f.deliveries) == 1 })
	f.await("another hello", func() bool { return len(f.hellos) >= 2 })
}

// TestPulsesKeepASession: a coordinator that only answers heartbeats keeps its session.
func TestPulsesKeepASession(t *testing.T) {
	t.Parallel()
	f := newFake(t, specOf(t, smallSweep))
	f.silence, f.pulse = 2*time.Second, true
	f.run(node.Config{Slots: 1})
	begun := time.Now()
	f.await(
		"heartbeats for longer than a silence may last",
		func() bool { return f.beats > 0 && time.Since(begun) > f.silence+time.Second },
	)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.hellos) != 1 {
		t.Errorf("%d sessions, want the first one to last", len(f.hellos))
	}
}
