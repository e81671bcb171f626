package board

import (
	"fmt"
	"slices"
	"time"
)

// maxCapacity bounds what a node may ask to hold.
const MaxCapacity = 4096

// lookEvery is how often the board looks at what time has done to nodes. Its clock goes on with
// every Tick.
const lookEvery = 100 * time.Millisecond

// Board is the scheduler: what is leased to whom, what is committed, what is next. It is pure: the
// same events give the same actions, it does no I/O, reads no clock and starts no goroutine. It
// belongs to one goroutine, the leader's loop.
//
//	             Attach/Beat         Deliver          Committed
//	open ──────────► leased ──────────► committing ──────────► done ──► part merged
//	 ▲  ▲              │ │
//	 │  └── returned ──┘ └─ lost ─► suspect ─► (leased again, alone) ─► ... third node: quarantine
//	 └───────────────────────────────── retry ───────────────────────────────────┘
type Board struct {
	ttl   time.Duration // a silent node is lost after it
	grace time.Duration // a node whose stream broke is lost after it
	now   time.Time
	look  time.Time // when to look at the nodes again

	jobs  map[string]*job
	order []*job // by priority, then arrival
	nodes map[string]*node
	gone  []*node // those among them that left, in that order
	// hungry are the nodes with room to look at; idle ones found no work, and are looked at again
	// when there is some.
	ready, idle []*node
	slots       int // of all nodes that take work

	// reached is the most pass that a job of a kind has come to by its leases.
	reached map[kind]float64

	seq   int
	epoch uint64 // of the last lease
	out   []Action
}

// NewBoard returns an empty board. A node is lost when it was silent for ttl, or when its stream
// has been broken for grace. Epochs of leases start above epoch.
func New(ttl, grace time.Duration, epoch uint64) *Board {
	return &Board{
		ttl:     ttl,
		grace:   grace,
		epoch:   epoch,
		jobs:    map[string]*job{},
		nodes:   map[string]*node{},
		reached: map[kind]float64{},
	}
}

// Step applies one event and returns what must be done, in order. The caller owns the slice.
func (b *Board) Step(event Event) []Action {
	b.out = nil
	switch e := event.(type) {
	case Stalled:
		for _, n := range b.nodes {
			n.lastSeen = n.lastSeen.Add(e.Gap)
		}
	case Tick:
		b.tick(e.Now)
	case NodeAttached:
		b.nodeAttached(e)
	case NodeHeartbeat:
		if n := b.alive(e.Node, e.Conn); n != nil && n.capacity != e.Capacity {
			n.capacity = min(max(0, e.Capacity), MaxCapacity)
			b.wake(n)
		}
	case NodeDraining:
		if n := b.alive(e.Node, e.Conn); n != nil {
			n.draining = true
			b.countSlots()
			b.takeBack(n, e.Returned)
		}
	case NodeLeft:
		if n := b.alive(e.Node, e.Conn); n != nil {
			b.loseNode(n, "")
		}
	case StreamBroken:
		if n := b.alive(e.Node, e.Conn); n != nil {
			n.link = linkBroken
			b.countSlots()
		}
	case ShardsAbandoned:
		for s := e.Range.First; s < e.Range.First+e.Range.Count && s-e.Range.First < MaxCapacity; s++ {
			b.shardWentWrong(e.Node, e.Range.Sweep, s, "abandoned: "+e.Cause)
		}
	case DeliveryRejected:
		b.shardWentWrong(e.Node, e.Sweep, e.Shard, "refused: "+e.Cause)
	case SweepAdded:
		b.sweepAdded(e)
	case PhaseRequested:
		b.phaseRequested(e)
	case RetryRequested:
		b.retryRequested(e)
	case ReopenRequested:
		b.reopenRequested(e)
	case RemovalRequested:
		b.removalRequested(e)
	case SweepRemoved:
		b.sweepRemoved(e)
	case ShardDelivered:
		b.shardDelivered(e)
	case ShardCommitted:
		b.shardCommitted(e)
	case CommitCancelled:
		b.commitCancelled(e)
	case PartStored:
		b.partStored(e)
	case MergeCancelled:
		b.mergeCancelled(e)
	case ManifestCancelled:
		b.manifestCancelled(e)
	case ManifestStored:
		b.manifestStored(e)
	case DoneStored:
		b.doneStored(e)
	}
	b.assign()
	return b.out
}

// countSlots follows a change of which nodes take work.
func (b *Board) countSlots() {
	b.slots = 0
	for _, n := range b.nodes {
		if n.link == linkUp && !n.draining && n.fenceReason == "" {
			b.slots += max(1, n.info.Slots)
		}
	}
}

func (b *Board) emit(a Action) { b.out = append(b.out, a) }

// tick lets time pass: silent nodes are lost, fences fall, old nodes are forgotten.
func (b *Board) tick(now time.Time) {
	b.now = now
	if now.Before(b.look) {
		return
	}
	b.look = now.Add(lookEvery)
	for _, name := range b.due() {
		n := b.nodes[name]
		if n == nil {
			continue // forgotten, as others before it in this loop have left
		}
		silent := now.Sub(n.lastSeen)
		switch {
		case n.link == linkUp && silent > b.ttl:
			b.emit(Dismiss{Node: name, Conn: n.conn, Reason: "silent for longer than the lease", Close: true})
			b.loseNode(n, fmt.Sprintf("silent for %v", b.ttl))
		case n.link == linkBroken && silent > b.grace:
			b.loseNode(n, "connection lost")
		}
		if n.fenceReason != "" && now.After(n.fencedUntil) {
			n.fenceReason, n.strikes = "", 0
			b.countSlots()
			b.wake(n)
		}
	}
	b.forgetGone()
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

func sortedKeys[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// appendShard adds a shard to runs, to the last one where it follows that.
func appendShard(runs []ShardRange, sweep string, shard int, epoch uint64) []ShardRange {
	if k := len(runs) - 1; k >= 0 && runs[k].Sweep == sweep && runs[k].First+runs[k].Count == shard {
		runs[k].Count++
		return runs
	}
	return append(runs, ShardRange{Sweep: sweep, First: shard, Count: 1, Epoch: epoch})
}
