package node

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/phasegrid/phasegrid/results"
)

// slot solves one shard after the other.
func (n *Node) slot() {
	solver := newShardSolver(n.memory, n.cfg.Memo, n.cfg.NewSolver)
	for {
		select {
		case s := <-n.starts:
			n.cfg.Metrics.busy.Inc()
			n.solve(solver, s)
			n.cfg.Metrics.busy.Dec()
		case <-n.base.Done():
			return
		}
	}
}

// solve solves a shard and starts its delivery. It returns before the delivery is acknowledged, but
// not before the budget has room for it.
func (n *Node) solve(solver *shardSolver, s *heldShard) {
	log := n.cfg.Log.With("sweep_id", s.lease.shard.sweep, "shard_id", s.lease.shard.number)
	log.Debug("shard started")
	d := delivery{lease: s.lease, started: time.Now()}
	var err error
	d.rows, err = n.rows(solver, s)
	d.finished = time.Now()
	switch {
	case s.ctx.Err() != nil: // revoked or handed back: Run knows
		return
	case err != nil:
		log.Error("shard abandoned", "error", reason(err))
		n.cfg.Metrics.shards.WithLabelValues("abandoned").Inc()
		n.post(abandoned{s, err})
		return
	}
	took := d.finished.Sub(d.started)
	n.cfg.Metrics.seconds.Observe(took.Seconds())
	n.cfg.Metrics.count(solver.counts)
	n.post(solved{s, took})
	size := min(max(int64(len(d.rows.Payload)), minDeliveryBytes), deliveryBytes)
	if n.budget.Acquire(s.ctx, size) != nil {
		return
	}
	n.group.Go(func() {
		defer n.budget.Release(size)
		n.deliver(s, d)
	})
}

// rows fetches the sweep and solves the shard. A panic becomes an error: the node continues.
func (n *Node) rows(solver *shardSolver, s *heldShard) (rows results.Delivery, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
			n.cfg.Log.Error("solving a shard panicked", "sweep_id", s.lease.shard.sweep,
				"shard_id", s.lease.shard.number, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	sweep, err := n.sweeps.get(s.ctx, s.lease.shard.sweep)
	if err != nil {
		return results.Delivery{}, err
	}
	return solver.solve(s.ctx, sweep, s.lease.first, s.lease.end)
}

// deliver sends a solved shard until the coordinator has answered or no longer wants it.
func (n *Node) deliver(s *heldShard, d delivery) {
	log := n.cfg.Log.With("sweep_id", s.lease.shard.sweep, "shard_id", s.lease.shard.number)
	var committed bool
	err := retry(s.ctx, func(attempt int, err error, wait time.Duration) {
		if attempt&(attempt-1) == 0 { // powers of two: an outage has many attempts
			log.Warn("delivery failed", "error", reason(err), "attempt", attempt, "retry_in", wait)
		}
	}, func() (err error) {
		committed, err = n.client.deliver(s.ctx, n.id, d)
		return err
	})
	switch {
	case err == nil && committed:
		log.Debug("shard committed")
		n.cfg.Metrics.shards.WithLabelValues("committed").Inc()
		n.post(delivered{s})
	case err == nil:
		log.Debug("delivery unwanted")
		n.cfg.Metrics.shards.WithLabelValues("unwanted").Inc()
		n.post(delivered{s})
	case s.ctx.Err() != nil: // revoked or handed back: Run knows
	default:
		log.Error("delivery rejected", "error", reason(err))
		n.cfg.Metrics.shards.WithLabelValues("rejected").Inc()
		n.post(abandoned{s, fmt.Errorf("delivery rejected: %w", err)})
	}
}
