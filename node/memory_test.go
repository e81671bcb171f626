package node

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Points that are solved at once need no more memory than the node has, and one that needs all of
// it is solved alone.
func TestMemoryBudget(t *testing.T) {
	for _, c := range []struct{ bytes, atOnce int64 }{{10, 4}, {25, 4}, {26, 3}, {60, 1}, {100, 1}, {1000, 1}} {
		synctest.Test(t, func(t *testing.T) {
			budget := newMemoryBudget(100, 4)
			leave := make(chan struct{})
			var inside atomic.Int64
			for range 8 {
				go func() {
					taken, err := budget.take(context.Background(), c.bytes)
					if err != nil {
						t.Error(err)
					}
					inside.Add(1)
					<-leave
					budget.release(taken)
				}()
			}
			synctest.Wait()
			if got := inside.Load(); got != c.atOnce {
				t.Errorf("%d points of %d bytes are solved at once, want %d", got, c.bytes, c.atOnce)
			}
			close(leave)
			synctest.Wait()
			if got := inside.Load(); got != 8 {
				t.Errorf("%d of 8 points were solved", got)
			}
		})
	}
}
