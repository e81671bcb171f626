package node

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// errDrained is the cause of cancelling a shard that the node hands back.
var errDrained = errors.New("handed back: the node drains")

// drain stops starting shards and hands back those that no slot has.
func (n *Node) drain() {
	n.draining = true
	n.cfg.Log.Info("drain started", "held", len(n.held), "queued", len(n.queue))
	queued := n.queue
	n.queue = nil
	n.handBack(func(s *heldShard) bool { return slices.Contains(queued, s) })
	n.grace = time.After(n.cfg.Grace)
	n.bound = time.After(n.cfg.DrainTimeout - n.byeTimeout()) // the rest is for saying bye
}

func unsolvedShard(s *heldShard) bool { return !s.solved }

// handBack gives up the shards that match.
func (n *Node) handBack(match func(*heldShard) bool) {
	for _, s := range n.held {
		if match(s) {
			n.returned = append(n.returned, s.lease)
			s.cancel(errDrained)
			n.forget(s)
		}
	}
	n.sendDrain()
}

// sendDrain reports to the coordinator what was handed back. Without a session, the report follows
// after the next attach, or with the node's bye.
func (n *Node) sendDrain() {
	if n.session == nil {
		return
	}
	err := n.session.send(drain{n.returned})
	n.logSend(err)
	if err == nil {
		n.returned = nil
	}
}

// endDrain hands back everything at the end of the drain's time. It returns an error if that
// includes solved shards.
func (n *Node) endDrain() error {
	n.handBack(unsolvedShard) // if the grace period is longer than the drain
	undelivered := len(n.held)
	n.handBack(func(*heldShard) bool { return true })
	n.leave()
	if undelivered == 0 {
		return nil
	}
	return fmt.Errorf("deliver %d solved shards: no answer within %v; they will be computed again",
		undelivered, n.cfg.DrainTimeout)
}

// byeTimeout bounds the wait for the coordinator to close the stream after bye.
func (n *Node) byeTimeout() time.Duration { return min(2*time.Second, n.cfg.DrainTimeout/4) }

// leave says bye and waits until the coordinator has read it.
func (n *Node) leave() {
	if n.session == nil {
		return
	}
	if err := n.session.close(n.returned); err != nil {
		n.logSend(err)
		return
	}
	timeout := time.After(n.byeTimeout())
	for {
		select {
		case e := <-n.events:
			if _, ok := e.(detached); ok {
				return
			}
		case <-timeout:
			return
		}
	}
}
