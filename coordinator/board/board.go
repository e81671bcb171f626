package board

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// MaxCapacity is the most shards that a node may hold.
const MaxCapacity = 4096

// checkEvery is the minimum time between two checks for silent and fenced nodes. The clock advances
// with every Tick.
const checkEvery = 100 * time.Millisecond

// Board is the scheduler: which shard is leased to which node, which are committed, and what is
// next. It belongs to one goroutine, the loop of the leader's term.
//
//	            NodeAttached,    ShardDelivered     ShardCommitted
//	            NodeHeartbeat
//	open ──────────► leased ──────────► committing ──────────► done ──► part merged
//	 ▲  ▲              │ │
//	 │  └── returned ──┘ └─ failed ─► suspect ─► (leased alone) ─► ... third node: quarantine
//	 └───────────────────────────── RetryRequested ────────────────────────────────┘
type Board struct {
	ttl       time.Duration // after which a silent node loses its leases
	grace     time.Duration // after which a node whose stream broke loses its leases
	now       time.Time
	nextCheck time.Time // when nodes are checked again

	jobs  map[string]*job
	order []*job // by priority, then arrival
	nodes map[string]*node
	gone  []*node // nodes that left, in the order in which they did
	// ready are nodes that may have room for leases, in the order in which assign looks at them;
	// idle are nodes for which there was nothing to lease.
	ready, idle []*node
	slots       int // of all nodes that take leases

	// reached is the largest pass of the jobs of each kind, as of their last lease.
	reached map[kind]float64

	seq   int
	epoch uint64 // of the last lease
	out   []Action
}

// New returns an empty board. A node loses its leases once it has been silent for ttl, or its
// stream has been broken for grace. Epochs of leases start above epoch.
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

// Step applies one event and returns the actions that follow from it, in order. The caller owns the
// slice.
func (b *Board) Step(event Event) []Action {
	b.out = nil
	switch e := event.(type) {
	case Tick:
		b.tick(e.Now)
	case Stalled:
		b.stalled(e)
	case NodeAttached:
		b.nodeAttached(e)
	case NodeHeartbeat:
		b.nodeHeartbeat(e)
	case NodeDraining:
		b.nodeDraining(e)
	case NodeLeft:
		b.nodeLeft(e)
	case StreamBroken:
		b.streamBroken(e)
	case ShardsAbandoned:
		b.shardsAbandoned(e)
	case ShardDelivered:
		b.shardDelivered(e)
	case DeliveryRejected:
		b.nodeFailed(e.Node, e.Sweep, e.Shard, "rejected: "+e.Cause)
	case ShardCommitted:
		b.shardCommitted(e)
	case CommitCancelled:
		b.commitCancelled(e)
	default:
		b.stepSweep(event)
	}
	b.assign()
	return b.out
}

// stepSweep applies an event that concerns a sweep as a whole.
func (b *Board) stepSweep(event Event) {
	switch e := event.(type) {
	case SweepAdded:
		b.sweepAdded(e)
	case PhaseRequested:
		b.phaseRequested(e)
	case RetryRequested:
		b.retryRequested(e)
	case PartsLost:
		b.partsLost(e)
	case ReopenRequested:
		b.reopenRequested(e)
	case RemovalRequested:
		b.removalRequested(e)
	case SweepRemoved:
		b.sweepRemoved(e)
	case PartStored:
		b.partStored(e)
	case MergeCancelled:
		b.mergeCancelled(e)
	case ShardsLost:
		b.shardsLost(e)
	case ManifestStored:
		b.manifestStored(e)
	case ManifestCancelled:
		b.manifestCancelled(e)
	case DoneStored:
		b.doneStored(e)
	}
}

func (b *Board) emit(a Action) { b.out = append(b.out, a) }

// revoke tells a node that its leases of these shards have ended.
func (b *Board) revoke(n *node, ranges ...ShardRange) {
	b.emit(Revoke{Node: n.info.Name, Conn: n.conn, Ranges: ranges})
}

// tick advances the clock: silent nodes lose their leases, fences expire, nodes that left long ago
// are forgotten.
func (b *Board) tick(now time.Time) {
	b.now = now
	if now.Before(b.nextCheck) {
		return
	}
	b.nextCheck = now.Add(checkEvery)
	for _, name := range b.overdue() {
		n := b.nodes[name]
		if n == nil {
			continue // forgotten when another node of this loop left
		}
		silent := now.Sub(n.lastSeen)
		switch {
		case n.link == linkUp && silent > b.ttl:
			b.emit(Dismiss{Node: name, Conn: n.conn, Reason: "no heartbeat for longer than the lease TTL", Close: true})
			b.loseNode(n, fmt.Sprintf("no heartbeat for %v", b.ttl))
		case n.link == linkBroken && silent > b.grace:
			b.loseNode(n, "connection lost")
		}
		if n.fenceReason != "" && now.After(n.fencedUntil) {
			n.fenceReason, n.strikes = "", 0
			b.countSlots()
			b.enqueue(n)
		}
	}
	b.forgetGone()
}

// sortedKeys allocates nothing for an empty map, unlike slices.Sorted of its keys.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
