package coordinator

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/results"
)

// TestReadersHaveMemoryOfTheirOwn: readers and deliveries do not wait for each other, and no frame
// exceeds the memory budget.
func TestReadersHaveMemoryOfTheirOwn(t *testing.T) {
	leader, e := idleTerm(t, ledger.NewMemory())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if !leader.budget.TryAcquire(leader.cfg.DeliveryMemory) {
		t.Fatal("a new term has no memory for deliveries")
	}
	f := tableFlight{term: leader, entry: e}
	lost := ledger.DoneShard{Object: "spool/x", Bytes: 1 << 40}
	if err := f.sendShard(ctx, lost, results.Expectation{}, nil, nil); err == nil ||
		!strings.Contains(err.Error(), "read spool frame") {
		t.Errorf("a frame of a terabyte: %v", err)
	}
	if !leader.reading.TryAcquire(readerMemory) {
		t.Error("the memory of a reader is not given back")
	}
}
