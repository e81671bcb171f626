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
		b.shardWentWrong(e.Node, e.Sweep, e.Shard, "refused: "+e.Cause)
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

// stepSweep applies an event about a whole sweep.
func (b *Board) stepSweep(event Event) {
	switch e := event.(type) {
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
	case PartStored:
		b.partStored(e)
	case MergeCancelled:
		b.mergeCancelled(e)
	case ManifestStored:
		b.manifestStored(e)
	case ManifestCancelled:
		b.manifestCancelled(e)
	case DoneStored:
		b.doneStored(e)
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

func sortedKeys[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
