package board

import "fmt"

// takeBack returns shards that a node hands back.
func (b *Board) takeBack(n *node, runs []ShardRange) {
	for _, run := range runs {
		for s := run.First; s < run.First+run.Count && s-run.First < MaxCapacity; s++ {
			b.giveBack(n, shardRef{run.Sweep, s})
		}
	}
}

// giveBack makes a shard of a node leasable again, without any mark.
func (b *Board) giveBack(n *node, ref shardRef) {
	if n.held[ref] == nil {
		return
	}
	j := b.jobs[ref.sweep]
	b.unlease(j, ref.shard)
	j.release(ref.shard)
	b.wakeAll()
}

// lose takes a shard from a node uncleanly, and quarantines it if that has happened too often.
func (b *Board) lose(n *node, ref shardRef, cause string) {
	j := b.jobs[ref.sweep]
	b.unlease(j, ref.shard)
	l := j.failures[ref.shard]
	if l == nil {
		l = &ShardFailures{Shard: ref.shard}
		j.failures[ref.shard] = l
	}
	l.add(LeaseFailure{Node: n.info.Name, Cause: cause, Time: b.now})
	b.emit(SaveFailures{Sweep: j.id, Failures: l.clone()})
	if l.Quarantined {
		j.quarantine[ref.shard] = true
		b.settle(j)
		return
	}
	j.release(ref.shard)
	b.wakeAll()
}

// forgive takes a node's mark off a shard that it turned out to have still.
func (b *Board) forgive(j *job, shard int, node string) {
	l := j.failures[shard]
	if l == nil || l.Quarantined || !l.forgive(node) {
		return
	}
	if j.claim(shard) {
		j.release(shard)
	}
	b.emit(SaveFailures{Sweep: j.id, Failures: l.clone()})
}

// shardWentWrong handles a shard that a node spoiled while it lives on.
func (b *Board) shardWentWrong(node, sweep string, shard int, cause string) {
	n := b.nodes[node]
	if n == nil {
		return
	}
	ref := shardRef{sweep, shard}
	if n.held[ref] != nil {
		b.lose(n, ref, cause)
	}
	b.strike(n)
}

// strike counts something that went wrong on a node; too much of it fences the node off.
func (b *Board) strike(n *node) {
	reason := fmt.Sprintf(
		"fenced off: %d shards went wrong on this node; see its log, then restart the node under another name or wait %v",
		fenceStrikes,
		fenceFor,
	)
	if !n.strike(b.now, reason) {
		return
	}
	b.countSlots()
	for _, ref := range n.inOrder() {
		b.emit(
			Revoke{
				Node:   n.info.Name,
				Conn:   n.conn,
				Ranges: []ShardRange{{Sweep: ref.sweep, First: ref.shard, Count: 1, Epoch: n.held[ref].epoch}},
			},
		)
		b.giveBack(n, ref)
	}
	b.emit(Dismiss{Node: n.info.Name, Conn: n.conn, Reason: n.fenceReason})
}

// lease gives a claimed shard to a node.
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

// unlease takes a shard from the node that has it, and returns that node, or nil.
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
	b.wake(l.node)
	if len(j.leases) == 0 && len(j.committing) == 0 {
		j.pace.stop()
	}
	return l.node
}

// appendShard adds a shard to runs, to the last one where it follows that.
func appendShard(runs []ShardRange, sweep string, shard int, epoch uint64) []ShardRange {
	if k := len(runs) - 1; k >= 0 && runs[k].Sweep == sweep && runs[k].First+runs[k].Count == shard {
		runs[k].Count++
		return runs
	}
	return append(runs, ShardRange{Sweep: sweep, First: shard, Count: 1, Epoch: epoch})
}

func (b *Board) shardsAbandoned(e ShardsAbandoned) {
	for s := e.Range.First; s < e.Range.First+e.Range.Count && s-e.Range.First < MaxCapacity; s++ {
		b.shardWentWrong(e.Node, e.Range.Sweep, s, "abandoned: "+e.Cause)
	}
}
