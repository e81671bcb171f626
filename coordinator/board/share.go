package board

// enqueue makes assign consider a node. Every node that holds less than before is enqueued.
func (b *Board) enqueue(n *node) {
	if n.queued {
		return
	}
	n.queued = true
	b.ready = append(b.ready, n)
}

// enqueueIdle enqueues the nodes for which there was nothing to lease before.
func (b *Board) enqueueIdle() {
	for _, n := range b.idle {
		b.enqueue(n)
	}
	b.idle = b.idle[:0]
}

// assign grants leases to the nodes that have room, first come, first served.
func (b *Board) assign() {
	for len(b.ready) > 0 {
		ready := b.ready
		b.ready = nil
		for _, n := range ready {
			n.queued = false
			if n.room() == 0 {
				continue
			}
			if ranges := b.take(n); len(ranges) > 0 {
				b.emit(Grant{Node: n.info.Name, Conn: n.conn, Ranges: ranges})
			}
			if n.room() > 0 {
				b.idle = append(b.idle, n)
			}
		}
	}
	if len(b.idle) > 2*len(b.nodes)+16 {
		b.compactIdle()
	}
}

// compactIdle drops duplicates and nodes that left from the idle list.
func (b *Board) compactIdle() {
	seen := map[*node]bool{}
	kept := b.idle[:0]
	for _, n := range b.idle {
		if !seen[n] && n.link == linkUp {
			seen[n] = true
			kept = append(kept, n)
		}
	}
	clear(b.idle[len(kept):])
	b.idle = kept
}

// take leases shards to a node until it is full, has its fair share of every sweep, or nothing fits
// it.
func (b *Board) take(n *node) []ShardRange {
	var ranges []ShardRange
	quota := map[*job]int{} // what is left of the fair share
	for room := n.capacity - len(n.held); room > 0; {
		j := b.nextJob(n, quota)
		if j == nil {
			break
		}
		if _, seen := quota[j]; !seen {
			quota[j] = b.fairSize(j, n)
		}
		for _, r := range b.takeFrom(j, n, min(room, quota[j])) {
			room -= r.Count
			quota[j] -= r.Count
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// nextJob returns the job of the highest priority with the least pass that has a shard for this
// node and quota left, or nil.
func (b *Board) nextJob(n *node, quota map[*job]int) *job {
	var best *job
	for _, j := range b.order {
		if best != nil && j.priority < best.priority {
			break
		}
		if left, seen := quota[j]; seen && left <= 0 {
			continue
		}
		if b.fits(j, n) && (best == nil || j.pass < best.pass) {
			best = j
		}
	}
	return best
}

// fits reports whether a job has a shard that this node may get.
func (b *Board) fits(j *job, n *node) bool {
	if j.leasable() == 0 || j.accepts(n.info.Solver, n.info.Class) != "" {
		return false
	}
	return nextFor(j, n, 0) >= 0 || n.suspect == nil && firstSuspect(j, n) >= 0
}

// fairSize is how many shards of a job a node gets at once: half of its slots' share of what is
// left, so that the last shards are spread over all nodes, but enough of its share to fill its
// slots.
func (b *Board) fairSize(j *job, n *node) int {
	own := max(1, n.info.Slots)
	total := max(own, b.slots)
	left := j.leasable() * own
	return max(1, left/(2*total), min(own-len(n.held), (left+total-1)/total))
}

// takeFrom leases up to limit shards of a job: a suspect shard alone, others as ranges.
func (b *Board) takeFrom(j *job, n *node, limit int) []ShardRange {
	if n.suspect == nil {
		if s := firstSuspect(j, n); s >= 0 {
			j.claim(s)
			b.epoch++
			b.lease(j, s, n, b.epoch)
			b.charge(j, s)
			return []ShardRange{{Sweep: j.id, First: s, Count: 1, Epoch: b.epoch}}
		}
	}
	var ranges []ShardRange
	for s := nextFor(j, n, 0); s >= 0 && limit > 0; s = nextFor(j, n, s+1) {
		if k := len(ranges) - 1; k < 0 || ranges[k].First+ranges[k].Count != s {
			b.epoch++
		}
		ranges = appendShard(ranges, j.id, s, b.epoch)
		j.claim(s)
		b.lease(j, s, n, b.epoch)
		b.charge(j, s)
		limit--
	}
	return ranges
}

// charge adds the cost of a lease to a job's pass.
func (b *Board) charge(j *job, shard int) {
	j.pass += j.cuts.Cost(shard) / j.weight
	b.reached[j.kind()] = max(b.reached[j.kind()], j.pass)
}

// Standing returns the ranges of a grant that are still leased as granted. While a grant waited for
// the ledger, a late delivery of the same shard or a revocation may have ended its leases.
func (b *Board) Standing(g Grant) []ShardRange {
	var ranges []ShardRange
	for _, r := range g.Ranges {
		j := b.jobs[r.Sweep]
		if j == nil {
			continue
		}
		gap := true
		for s := r.First; s < r.First+r.Count; s++ {
			l := j.leases[s]
			if l == nil || l.node.info.Name != g.Node || l.epoch != r.Epoch {
				gap = true
				continue
			}
			if gap {
				ranges = append(ranges, ShardRange{Sweep: r.Sweep, First: s, Epoch: r.Epoch})
				gap = false
			}
			ranges[len(ranges)-1].Count++
		}
	}
	return ranges
}

// nextFor returns the first open shard at or after s that fits into the memory of the node, or -1.
// Since the search may pass very many shards that do not fit, tooLittle remembers that none did
// until shards become open again.
func nextFor(j *job, n *node, s int) int {
	if n.info.MemoryBytes != 0 && n.info.MemoryBytes <= j.tooLittle {
		return -1
	}
	from := s
	s = j.open.next(s)
	for s >= 0 && !n.hasMemory(j, s) {
		s = j.open.next(s + 1)
	}
	if s < 0 && from == 0 {
		j.tooLittle = max(j.tooLittle, n.info.MemoryBytes)
	}
	return s
}

// firstSuspect returns a suspect shard that fits the node, preferably one whose last failure was on
// another node; or -1.
func firstSuspect(j *job, n *node) int {
	for _, s := range j.suspects {
		if n.hasMemory(j, s) && j.failures[s].lastNode() != n.info.Name {
			return s
		}
	}
	for _, s := range j.suspects {
		if n.hasMemory(j, s) {
			return s
		}
	}
	return -1
}

// hasMemory reports whether a shard fits into the memory of the node.
func (n *node) hasMemory(j *job, shard int) bool {
	return n.info.MemoryBytes == 0 || j.maxMemory <= n.info.MemoryBytes || j.cuts.Memory(shard) <= n.info.MemoryBytes
}
