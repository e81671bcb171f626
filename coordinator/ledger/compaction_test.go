package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// TestCompactionDuringAWatch: etcd is compacted while a candidate waits, or before its watch
// begins. It does not wait forever.
func TestCompactionDuringAWatch(t *testing.T) {
	endpoint := etcdServer(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	first, second := dial(t, endpoint), dial(t, endpoint)
	leader := campaign(ctx, t, first, "first:1")
	elected := make(chan *ledger.Leadership, 1)
	go func() {
		r, err := second.Campaign(ctx, "second:1", func() {})
		if err != nil {
			t.Errorf("Campaign = %v", err)
		}
		elected <- r
	}()
	for _, value := range []string{"1", "2", "3"} {
		commit(ctx, t, leader, put("/w/x", value))
		if err := ledger.Compact(ctx, first); err != nil {
			t.Fatalf("compact: %v", err)
		}
	}
	if err := ledger.AwaitChange(ctx, first, ledger.LeaderKeyOf(leader), 1); err != nil {
		t.Errorf("a watch from revision 1 = %v, want a return to look again", err)
	}
	if err := leader.Resign(ctx); err != nil {
		t.Fatalf("Resign = %v", err)
	}
	if r := <-elected; r != nil {
		if err := r.Resign(ctx); err != nil {
			t.Errorf("Resign = %v", err)
		}
	}
}
