package node

import (
	"slices"
	"time"
)

// drain stops the start of shards and hands back those that no slot has.
func (n *Node) drain() {
	n.draining = true
	n.cfg.Log.Info("draining", "held", len(n.held), "queued", len(n.queue))
	queued := n.queue
	n.queue = nil
	n.handBack(func(w *work) bool { return slices.Contains(queued, w) })
}

// handBack gives up the shards that match.
func (n *Node) handBack(match func(*work) bool) {
	for _, w := range n.held {
		if match(w) {
			n.returned = append(n.returned, w.lease)
			w.cancel(errDrained)
			n.forget(w)
		}
	}
	n.sendDrain()
}

// sendDrain tells what was handed back; without a connection it is told after the next attach, or
// by the node's end.
func (n *Node) sendDrain() {
	if n.session == nil {
		return
	}
	err := n.session.drain(n.returned)
	n.logSend(err)
	if err == nil {
		n.returned = nil
	}
}

// byeTimeout bounds the wait for the coordinator to close the stream after Bye.
func (n *Node) byeTimeout() time.Duration { return min(2*time.Second, n.cfg.DrainTimeout/4) }

// leave says Bye and waits until the coordinator has read it.
func (n *Node) leave() {
	if n.session == nil {
		return
	}
	if err := n.session.bye(n.returned); err != nil {
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
