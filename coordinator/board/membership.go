package board

import "slices"

// countSlots recounts the slots of the nodes that take leases.
func (b *Board) countSlots() {
	b.slots = 0
	for _, n := range b.nodes {
		if n.link == linkUp && !n.draining && n.fenceReason == "" {
			b.slots += max(1, n.info.Slots)
		}
	}
}

// alive returns the node and records that it is alive, if conn is its current stream; otherwise
// nil.
func (b *Board) alive(name string, conn uint64) *node {
	n := b.nodes[name]
	if n == nil || n.conn != conn || n.link != linkUp {
		return nil
	}
	n.lastSeen = b.now
	return n
}

// nodeAttached registers a node, or its new stream. Leases that it does not list in Held fail if
// its process is another one. The same process never received them, because its stream broke
// before: they return to the queue, and failures counted meanwhile are undone.
func (b *Board) nodeAttached(e NodeAttached) {
	name := e.Info.Name
	n := b.nodes[name]
	if n == nil {
		n = &node{held: map[shardRef]*lease{}}
		b.nodes[name] = n
	} else if n.link == linkUp {
		b.emit(Dismiss{Node: name, Conn: n.conn, Reason: "replaced by a newer stream of this node", Close: true})
	} else if n.link == linkGone {
		b.gone = slices.DeleteFunc(b.gone, func(g *node) bool { return g == n })
	}
	same := e.Instance != "" && e.Instance == n.instance
	n.info, n.instance, n.conn, n.link, n.draining, n.lastSeen = e.Info, e.Instance, e.Conn, linkUp, false, b.now
	n.capacity = min(max(0, e.Capacity), MaxCapacity)
	if same && len(n.lostShards) > 0 {
		n.undoStrike()
	}
	b.countSlots()

	still := map[shardRef]bool{}
	var stale []ShardRange
	for _, r := range e.Held {
		j := b.jobs[r.Sweep]
		for s := r.First; s < r.First+r.Count && len(still) < MaxCapacity; s++ {
			if j == nil || s < 0 || s >= j.cuts.Shards() || j.done.has(s) || j.phase.Ended() {
				stale = appendShard(stale, r.Sweep, s, r.Epoch)
				continue
			}
			still[shardRef{r.Sweep, s}] = true
			b.undoFailure(j, s, name)
			if n.fenceReason == "" && j.accepts(n.info.Solver, n.info.Class) == "" && j.claim(s) {
				b.lease(j, s, n, r.Epoch)
			}
		}
	}
	for _, ref := range n.lostShards {
		if j := b.jobs[ref.sweep]; same && j != nil && !j.done.has(ref.shard) {
			b.undoFailure(j, ref.shard, name)
		}
	}
	n.lostShards = nil
	for _, ref := range b.notHeld(n, still, same) {
		b.failLease(n, ref, "node restarted")
	}
	if len(stale) > 0 {
		b.revoke(n, stale...)
	}
	if n.fenceReason != "" {
		b.emit(Dismiss{Node: name, Conn: n.conn, Reason: n.fenceReason})
	}
	b.enqueue(n)
}

// stalled extends the deadline of every node by the time in which this process received nothing.
func (b *Board) stalled(e Stalled) {
	for _, n := range b.nodes {
		n.lastSeen = n.lastSeen.Add(e.Gap)
	}
}

func (b *Board) nodeHeartbeat(e NodeHeartbeat) {
	if n := b.alive(e.Node, e.Conn); n != nil && n.capacity != e.Capacity {
		n.capacity = min(max(0, e.Capacity), MaxCapacity)
		b.enqueue(n)
	}
}

func (b *Board) nodeDraining(e NodeDraining) {
	if n := b.alive(e.Node, e.Conn); n != nil {
		n.draining = true
		b.countSlots()
		b.returnShards(n, e.Returned)
	}
}

func (b *Board) nodeLeft(e NodeLeft) {
	if n := b.alive(e.Node, e.Conn); n != nil {
		b.loseNode(n, "")
	}
}

func (b *Board) streamBroken(e StreamBroken) {
	if n := b.alive(e.Node, e.Conn); n != nil {
		n.link = linkBroken
		b.countSlots()
	}
}

// notHeld returns the leases that fail because an earlier process of the node was solving them: of
// those that the node no longer holds, the first ones in the order granted, one a slot. It ends the
// others without a failure.
func (b *Board) notHeld(n *node, still map[shardRef]bool, same bool) []shardRef {
	var lost []shardRef
	for i, ref := range n.inOrder() {
		if still[ref] {
			continue
		}
		if i < n.info.Slots && !same {
			lost = append(lost, ref)
		} else {
			b.returnShard(n, ref)
		}
	}
	return lost
}

// loseNode ends all leases of a node. With a cause, those of the shards that it was solving fail:
// the first ones in the order granted, one a slot.
func (b *Board) loseNode(n *node, cause string) {
	n.link, n.lastSeen = linkGone, b.now
	b.gone = append(b.gone, n)
	b.forgetGone()
	b.countSlots()
	refs := n.inOrder()
	for i, ref := range refs {
		if cause != "" && i < n.info.Slots {
			n.lostShards = append(n.lostShards, ref)
			b.failLease(n, ref, cause)
		} else {
			b.returnShard(n, ref)
		}
	}
	if cause != "" && len(refs) > 0 {
		b.strike(n)
	}
	b.emit(DeleteNode{Node: n.info.Name})
}

// overdue returns the names of nodes for which a deadline may have passed, sorted.
func (b *Board) overdue() []string {
	var names []string
	for name, n := range b.nodes {
		silent := n.link != linkGone && b.now.Sub(n.lastSeen) > min(b.ttl, b.grace)
		if silent || n.fenceReason != "" && b.now.After(n.fencedUntil) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// forgetGone forgets nodes that left long ago, and the earliest ones if there are too many.
func (b *Board) forgetGone() {
	for len(b.gone) > maxGone || len(b.gone) > 0 && b.now.Sub(b.gone[0].lastSeen) > goneAfter {
		delete(b.nodes, b.gone[0].info.Name)
		b.gone = slices.Delete(b.gone, 0, 1)
	}
}
