package coordinator_test

import (
	"context"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator"
)

// TestCompactionDuringAWatch: neither a candidate that waits while etcd is compacted, nor one whose
// watch comes late, for revisions that are gone, waits for ever.
func TestCompactionDuringAWatch(t *testing.T) {
	endpoint := etcdServer(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	first, second := dial(t, endpoint), dial(t, endpoint)
	leader := campaign(ctx, t, first, "first:1")
	elected := make(chan *coordinator.Reign, 1)
	go func() {
		r, err := second.Campaign(ctx, "second:1")
		if err != nil {
			t.Errorf("Campaign = %v", err)
		}
		elected <- r
	}()
	etcd := first.(interface {
		Compact(context.Context) error
		AwaitChange(ctx context.Context, key string, from int64) error
	})
	for _, value := range []string{"1", "2", "3"} {
		commit(ctx, t, leader, put("/w/x", value))
		if err := etcd.Compact(ctx); err != nil {
			t.Fatalf("compact: %v", err)
		}
	}
	if err := etcd.AwaitChange(ctx, coordinator.LeaderKeyOf(leader), 1); err != nil {
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
