package board

import "fmt"

// returnShards ends the leases of shards that a node returns.
func (b *Board) returnShards(n *node, ranges []ShardRange) {
	for _, r := range ranges {
		for s := r.First; s < r.First+r.Count && s-r.First < MaxCapacity; s++ {
			b.returnShard(n, shardRef{r.Sweep, s})
		}
	}
}

// returnShard ends the lease of a shard without a lease failure: it can be leased again.
func (b *Board) returnShard(n *node, ref shardRef) {
	if n.held[ref] == nil {
		return
	}
	j := b.jobs[ref.sweep]
	b.unlease(j, ref.shard)
	j.release(ref.shard)
	b.enqueueIdle()
}

// failLease ends a lease with a lease failure, and quarantines the shard after too many.
func (b *Board) failLease(n *node, ref shardRef, cause string) {
	j := b.jobs[ref.sweep]
	b.unlease(j, ref.shard)
	f := j.failures[ref.shard]
	if f == nil {
		f = &ShardFailures{Shard: ref.shard}
		j.failures[ref.shard] = f
	}
	f.add(LeaseFailure{Node: n.info.Name, Cause: cause, Time: b.now})
	b.emit(SaveFailures{Sweep: j.id, Failures: f.clone()})
	if f.Quarantined {
		j.quarantine[ref.shard] = true
		b.settle(j)
		return
	}
	j.release(ref.shard)
	b.enqueueIdle()
}

// undoFailure removes a node's last lease failure from a shard that the node turns out to still
// have.
func (b *Board) undoFailure(j *job, shard int, node string) {
	f := j.failures[shard]
	if f == nil || f.Quarantined || !f.undo(node) {
		return
	}
	if j.claim(shard) {
		j.release(shard)
	}
	b.emit(SaveFailures{Sweep: j.id, Failures: f.clone()})
}

// nodeFailed counts a shard that a live node abandoned or delivered wrongly.
func (b *Board) nodeFailed(node, sweep string, shard int, cause string) {
	n := b.nodes[node]
	if n == nil {
		return
	}
	ref := shardRef{sweep, shard}
	if n.held[ref] != nil {
		b.failLease(n, ref, cause)
	}
	b.strike(n)
}

// strike counts a failure of a node. After fenceStrikes of them the node is fenced and its leases
// end.
func (b *Board) strike(n *node) {
	reason := fmt.Sprintf(
		"fenced after %d failures on this node; see its log, then restart it with another --name or wait %v",
		fenceStrikes, fenceFor,
	)
	if !n.strike(b.now, reason) {
		return
	}
	b.countSlots()
	for _, ref := range n.inOrder() {
		b.revoke(n, ShardRange{Sweep: ref.sweep, First: ref.shard, Count: 1, Epoch: n.held[ref].epoch})
		b.returnShard(n, ref)
	}
	b.emit(Dismiss{Node: n.info.Name, Conn: n.conn, Reason: n.fenceReason})
}

// lease records the lease of a claimed shard.
func (b *Board) lease(j *job, shard int, n *node, epoch uint64) {
	b.seq++
	l := &lease{node: n, epoch: epoch, order: uint64(b.seq)}
	j.leases[shard] = l
	j.holders[n]++
	ref := shardRef{j.id, shard}
	n.held[ref] = l
	if j.failures[shard] != nil && len(j.failures[shard].Failures) > 0 {
		n.suspect = &ref
	}
	j.pace.start(b.now)
}

// unlease ends the lease of a shard and returns the node that had it, or nil.
func (b *Board) unlease(j *job, shard int) *node {
	l := j.leases[shard]
	if l == nil {
		return nil
	}
	ref := shardRef{j.id, shard}
	delete(j.leases, shard)
	if j.holders[l.node]--; j.holders[l.node] == 0 {
		delete(j.holders, l.node)
	}
	delete(l.node.held, ref)
	if l.node.suspect != nil && *l.node.suspect == ref {
		l.node.suspect = nil
	}
	b.enqueue(l.node)
	if len(j.leases) == 0 && len(j.committing) == 0 {
		j.pace.stop()
	}
	return l.node
}

// appendShard appends a shard to ranges, extending the last one if the shard follows it.
func appendShard(ranges []ShardRange, sweep string, shard int, epoch uint64) []ShardRange {
	if k := len(ranges) - 1; k >= 0 && ranges[k].Sweep == sweep && ranges[k].First+ranges[k].Count == shard {
		ranges[k].Count++
		return ranges
	}
	return append(ranges, ShardRange{Sweep: sweep, First: shard, Count: 1, Epoch: epoch})
}

// shardsAbandoned counts a failure for each shard, for no more of them than a node may hold.
func (b *Board) shardsAbandoned(e ShardsAbandoned) {
	for s := e.Range.First; s < e.Range.First+e.Range.Count && s-e.Range.First < MaxCapacity; s++ {
		b.nodeFailed(e.Node, e.Range.Sweep, s, "abandoned: "+e.Cause)
	}
}
