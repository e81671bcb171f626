package board

import "slices"

// countSlots follows a change of which nodes take work.
func (b *Board) countSlots() {
	b.slots = 0
	for _, n := range b.nodes {
		if n.link == linkUp && !n.draining && n.fenceReason == "" {
			b.slots += max(1, n.info.Slots)
		}
	}
}

// alive notes that a node's present stream showed life, and returns the node; nil for an older
// stream.
func (b *Board) alive(name string, conn uint64) *node {
	n := b.nodes[name]
	if n == nil || n.conn != conn || n.link != linkUp {
		return nil
	}
	n.lastSeen = b.now
	return n
}

// attach takes a node in, new or again. What it should hold and does not is lost if its process is
// another one. The same process never heard of it, as its stream broke before: that goes back, and
// what was counted as lost meanwhile did not kill it, nor was it this node's fault.
func (b *Board) nodeAttached(e NodeAttached) {
	name := e.Info.Name
	n := b.nodes[name]
	if n == nil {
		n = &node{held: map[shardRef]*lease{}}
		b.nodes[name] = n
	} else if n.link == linkUp {
		b.emit(Dismiss{Node: name, Conn: n.conn, Reason: "another stream of this node has taken over", Close: true})
	} else if n.link == linkGone {
		b.gone = slices.DeleteFunc(b.gone, func(g *node) bool { return g == n })
	}
	same := e.Instance != "" && e.Instance == n.instance
	n.info, n.instance, n.conn, n.link, n.draining, n.lastSeen = e.Info, e.Instance, e.Conn, linkUp, false, b.now
	n.capacity = min(max(0, e.Capacity), MaxCapacity)
	if same && len(n.lostShards) > 0 {
		n.pardon()
	}
	b.countSlots()

	var still = map[shardRef]bool{}
	var stale []ShardRange
	for _, run := range e.Held {
		j := b.jobs[run.Sweep]
		for s := run.First; s < run.First+run.Count && len(still) < MaxCapacity; s++ {
			if j == nil || s < 0 || s >= j.cuts.Shards() || j.done.has(s) || j.phase.Ended() {
				stale = appendShard(stale, run.Sweep, s, run.Epoch)
				continue
			}
			still[shardRef{run.Sweep, s}] = true
			b.forgive(j, s, name)
			if n.fenceReason == "" && j.accepts(n.info.Solver, n.info.Class) == "" && j.claim(s) {
				b.lease(j, s, n, run.Epoch)
			}
		}
	}
	for _, ref := range n.lostShards {
		if j := b.jobs[ref.sweep]; same && j != nil && !j.done.has(ref.shard) {
			b.forgive(j, ref.shard, name)
		}
	}
	n.lostShards = nil
	for _, ref := range b.notHeld(n, still, same) {
		b.lose(n, ref, "node restarted")
	}
	if len(stale) > 0 {
		b.emit(Revoke{Node: name, Conn: n.conn, Ranges: stale})
	}
	if n.fenceReason != "" {
		b.emit(Dismiss{Node: name, Conn: n.conn, Reason: n.fenceReason})
	}
	b.wake(n)
}

// stalled gives nodes back the time in which nobody listened to them.
func (b *Board) stalled(e Stalled) {
	for _, n := range b.nodes {
		n.lastSeen = n.lastSeen.Add(e.Gap)
	}
}

func (b *Board) nodeHeartbeat(e NodeHeartbeat) {
	if n := b.alive(e.Node, e.Conn); n != nil && n.capacity != e.Capacity {
		n.capacity = min(max(0, e.Capacity), MaxCapacity)
		b.wake(n)
	}
}

func (b *Board) nodeDraining(e NodeDraining) {
	if n := b.alive(e.Node, e.Conn); n != nil {
		n.draining = true
		b.countSlots()
		b.takeBack(n, e.Returned)
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

// notHeld are the shards leased to a node that it does not have: those that another process of it
// was solving were lost, the others go back.
func (b *Board) notHeld(n *node, still map[shardRef]bool, same bool) []shardRef {
	var lost []shardRef
	for i, ref := range n.inOrder() {
		if still[ref] {
			continue
		}
		if i < n.info.Slots && !same {
			lost = append(lost, ref)
		} else {
			b.giveBack(n, ref)
		}
	}
	return lost
}

// loseNode takes everything back from a node. A cause makes it an unclean loss of the shards that
// it was solving: the first of them in the order granted, one a slot.
func (b *Board) loseNode(n *node, cause string) {
	n.link, n.lastSeen = linkGone, b.now
	b.gone = append(b.gone, n)
	b.forgetGone()
	b.countSlots()
	refs := n.inOrder()
	for i, ref := range refs {
		if cause != "" && i < n.info.Slots {
			n.lostShards = append(n.lostShards, ref)
			b.lose(n, ref, cause)
		} else {
			b.giveBack(n, ref)
		}
	}
	if cause != "" && len(refs) > 0 {
		b.strike(n)
	}
	b.emit(DeleteNode{Node: n.info.Name})
}

// due are the nodes that time may have done something to, by name.
func (b *Board) due() []string {
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

// forgetGone forgets nodes that left long ago, and the first of too many.
func (b *Board) forgetGone() {
	for len(b.gone) > maxGone || len(b.gone) > 0 && b.now.Sub(b.gone[0].lastSeen) > goneAfter {
		delete(b.nodes, b.gone[0].info.Name)
		b.gone = slices.Delete(b.gone, 0, 1)
	}
}
