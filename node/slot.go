package node

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// slot solves one shard after the other.
func (n *Node) slot() {
	s := newShardSolver(n.memory, n.cfg.Memo, n.cfg.NewSolver)
	for {
		select {
		case w := <-n.jobs:
			n.cfg.Metrics.busy.Inc()
			n.solve(s, w)
			n.cfg.Metrics.busy.Dec()
		case <-n.base.Done():
			return
		}
	}
}

// solve turns a lease into a delivery on its way. It returns before the delivery is acknowledged,
// but not before there is room for it.
func (n *Node) solve(s *shardSolver, w *work) {
	d := delivery{lease: w.lease, started: time.Now()}
	n.cfg.Log.Debug("shard started", "sweep_id", w.sweep, "shard_id", w.shard)
	err := n.rows(s, w, &d)
	d.finished = time.Now()
	switch {
	case w.ctx.Err() != nil: // revoked or handed back: Run knows
		return
	case err != nil:
		n.cfg.Log.Error("cannot solve a shard", "sweep_id", w.sweep, "shard_id", w.shard, "error", err)
		n.cfg.Metrics.shards.WithLabelValues("abandoned").Inc()
		n.post(abandoned{w, err})
		return
	}
	n.cfg.Metrics.seconds.Observe(d.finished.Sub(d.started).Seconds())
	n.post(solved{w, d.finished.Sub(d.started)})
	size := min(max(int64(len(d.rows.Payload)), minDeliveryBytes), deliveryBytes)
	if n.budget.Acquire(w.ctx, size) != nil {
		return
	}
	n.group.Go(func() {
		defer n.budget.Release(size)
		n.deliver(w, d)
	})
}

// rows fetches the sweep and solves the shard. A panic becomes an error: the node lives on.
func (n *Node) rows(s *shardSolver, w *work, d *delivery) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
			n.cfg.Log.Error(
				"panic in a shard",
				"sweep_id",
				w.sweep,
				"shard_id",
				w.shard,
				"panic",
				r,
				"stack",
				string(debug.Stack()),
			)
		}
	}()
	task, err := n.specs.get(w.ctx, w.sweep)
	if err != nil {
		return err
	}
	d.rows, err = s.solve(w.ctx, task, w.first, w.end)
	return err
}

// deliver sends a solved shard until the coordinator has answered or no longer wants it.
func (n *Node) deliver(w *work, d delivery) {
	log := n.cfg.Log.With("sweep_id", w.sweep, "shard_id", w.shard)
	for attempt := 1; ; attempt++ {
		wanted, err := n.client.deliver(w.ctx, n.id, d)
		switch {
		case err == nil && wanted:
			log.Debug("shard committed")
			n.cfg.Metrics.shards.WithLabelValues("committed").Inc()
			n.post(delivered{w})
			return
		case err == nil:
			n.cfg.Metrics.shards.WithLabelValues("unwanted").Inc()
			n.post(delivered{w})
			return
		case w.ctx.Err() != nil:
			return
		case permanent(err):
			log.Error("the coordinator refused a shard", "error", err)
			n.cfg.Metrics.shards.WithLabelValues("refused").Inc()
			n.post(abandoned{w, fmt.Errorf("refused: %w", err)})
			return
		}
		wait := backOff(attempt, err)
		if attempt&(attempt-1) == 0 { // an outage has many of them
			log.Warn("delivery failed", "error", err, "attempt", attempt, "retry_in", wait)
		}
		if !sleep(w.ctx, wait) {
			return
		}
	}
}

// sleep waits and tells whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
