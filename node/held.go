package node

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	// queueTime is how long the queue of granted shards should last.
	queueTime = 500 * time.Millisecond
	// maxQueue bounds the queue in shards per slot.
	maxQueue = 128
)

// errRevoked is the cause of cancelling a shard that the coordinator no longer wants.
var errRevoked = errors.New("revoked by the coordinator")

func (n *Node) grant(leases []lease) {
	for _, l := range leases {
		if n.held[l.shard] != nil {
			continue // granted again after a reconnect: work on it continues
		}
		if n.draining {
			n.returned = append(n.returned, l)
			continue
		}
		s := &heldShard{lease: l}
		s.ctx, s.cancel = context.WithCancelCause(n.base)
		n.held[l.shard] = s
		n.queue = append(n.queue, s)
	}
	if n.draining {
		n.sendDrain()
	}
}

func (n *Node) revoke(revoked []revocation) {
	for key, s := range n.held {
		if slices.ContainsFunc(revoked, func(r revocation) bool { return r.covers(key) }) {
			n.forget(s)
			s.cancel(errRevoked)
			n.cfg.Metrics.shards.WithLabelValues("revoked").Inc()
		}
	}
}

func (n *Node) holds(s *heldShard) bool { return n.held[s.lease.shard] == s }

// forget removes a shard from what the node holds.
func (n *Node) forget(s *heldShard) {
	if !n.holds(s) {
		return
	}
	s.cancel(nil)
	delete(n.held, s.lease.shard)
	n.queue = slices.DeleteFunc(n.queue, func(q *heldShard) bool { return q == s })
}

// leases lists what the node holds.
func (n *Node) leases() []lease {
	var out []lease
	for _, s := range n.held {
		out = append(out, s.lease)
	}
	return out
}

// capacity is how many shards this node is willing to hold: those that its slots solve, as many
// that are being delivered, and a queue that lasts for queueTime, so that cheap shards do not wait
// for the coordinator.
func (n *Node) capacity() int {
	if n.draining {
		return 0
	}
	queue := n.cfg.Slots
	if n.pace > 0 {
		queue = int(min(float64(n.cfg.Slots)*float64(queueTime)/float64(n.pace), float64(n.cfg.Slots*maxQueue)))
	}
	return 2*n.cfg.Slots + queue
}
