package board

import "fmt"

// How a shard gets from leased to done: the first delivery is committed, later ones wait for the
// same answer. A commit that cannot be made durable is cancelled once its sweep has ended.

// shardDelivered decides about a verified delivery. The first one wins, whichever node holds the
// lease.
func (b *Board) shardDelivered(e ShardDelivered) {
	j := b.jobs[e.Sweep]
	answer := func(o Outcome, reason string) { b.emit(Answer{Token: e.Token, Outcome: o, Reason: reason}) }
	switch {
	case j == nil || e.Shard < 0 || e.Shard >= j.cuts.Shards():
		answer(OutcomeUnwanted, "")
		return
	case j.done.has(e.Shard):
		answer(OutcomeDuplicate, "")
		return
	case j.phase.Ended() || j.parts[j.cuts.PartOf(e.Shard)].stage != partOpen:
		b.dropLease(j, e.Shard, e.Node)
		answer(OutcomeUnwanted, "")
		return
	case j.accepts(e.Solver, e.Class) != "":
		b.dropLease(j, e.Shard, e.Node)
		answer(OutcomeRejected, fmt.Sprintf("got solver %s with arithmetic class %q, want solver %s with class %q",
			e.Solver, e.Class, j.solver, j.class))
		return
	}
	if c := j.committing[e.Shard]; c != nil {
		c.duplicates = append(c.duplicates, e.Token)
		return
	}
	j.committing[e.Shard] = &commit{node: e.Node, token: e.Token, counts: e.Counts}
	if n := b.unlease(j, e.Shard); n != nil && n.info.Name != e.Node {
		b.revoke(n, ShardRange{Sweep: j.id, First: e.Shard, Count: 1})
	}
	j.claim(e.Shard)
	delete(j.quarantine, e.Shard)
	if j.class == "" {
		j.class = e.Class
		b.revokeOtherClasses(j)
	}
	var pin string
	if !j.pinned {
		pin = j.class
	}
	if n := b.nodes[e.Node]; n != nil {
		n.commit()
	}
	b.emit(CommitShard{Token: e.Token, Sweep: j.id, Shard: e.Shard, PinClass: pin})
}

// dropLease ends the lease of a shard if this node has it.
func (b *Board) dropLease(j *job, shard int, node string) {
	if l := j.leases[shard]; l != nil && l.node.info.Name == node {
		b.returnShard(l.node, shardRef{j.id, shard})
	}
}

// revokeOtherClasses ends the leases of nodes whose arithmetic class the sweep no longer accepts.
func (b *Board) revokeOtherClasses(j *job) {
	for _, shard := range sortedKeys(j.leases) {
		l := j.leases[shard]
		if l.node.info.Class != j.class {
			b.revoke(l.node, ShardRange{Sweep: j.id, First: shard, Count: 1, Epoch: l.epoch})
			b.returnShard(l.node, shardRef{j.id, shard})
		}
	}
}

// shardCommitted marks a shard as done and acknowledges its deliveries.
func (b *Board) shardCommitted(e ShardCommitted) {
	j := b.jobs[e.Sweep]
	if j == nil || j.committing[e.Shard] == nil {
		return
	}
	c := j.committing[e.Shard]
	delete(j.committing, e.Shard)
	j.pinned = true
	j.finishShard(e.Shard, c.counts, b.now)
	b.emit(Answer{Token: c.token, Outcome: OutcomeCommitted})
	for _, token := range c.duplicates {
		b.emit(Answer{Token: token, Outcome: OutcomeDuplicate})
	}
	if f := j.failures[e.Shard]; f != nil && f.Quarantined {
		f.Quarantined = false
		b.emit(SaveFailures{Sweep: j.id, Failures: f.clone()})
	}
	b.mergeIfComplete(j, j.cuts.PartOf(e.Shard))
	b.settle(j)
	b.removeIfIdle(j)
}

// commitCancelled makes the shard leasable again: its sweep has ended, but may be reopened.
func (b *Board) commitCancelled(e CommitCancelled) {
	j := b.jobs[e.Sweep]
	if j == nil || j.committing[e.Shard] == nil {
		return
	}
	c := j.committing[e.Shard]
	delete(j.committing, e.Shard)
	if f := j.failures[e.Shard]; f != nil && f.Quarantined {
		j.quarantine[e.Shard] = true
	} else {
		j.release(e.Shard)
	}
	if !j.pinned && len(j.committing) == 0 && len(j.leases) == 0 {
		j.class = "" // nothing of it is durable
	}
	for _, token := range append([]uint64{c.token}, c.duplicates...) {
		b.emit(Answer{Token: token, Outcome: OutcomeUnwanted})
	}
	b.removeIfIdle(j)
}
