package board

import (
	"slices"
	"time"
)

// A node that left is remembered for its strikes until goneAfter has passed or maxGone other nodes
// have left: a name costs a client nothing, so made-up names must not fill the memory.
const (
	goneAfter = time.Hour
	maxGone   = 4096
)

// node is the state of one node.
type node struct {
	info     NodeInfo
	instance string // of its process; "" if unknown
	conn     uint64 // current stream
	capacity int
	link     link
	draining bool
	lastSeen time.Time

	held       map[shardRef]*lease
	suspect    *shardRef  // the only suspect shard that it holds
	lostShards []shardRef // leases that failed when it was lost

	strikes     int
	commits     int // since the last strike was undone
	fencedUntil time.Time
	fenceReason string

	queued bool // in Board.ready
}

// link is the state of a node's stream.
type link uint8

const (
	linkUp     link = iota
	linkBroken      // ended without a goodbye; the node may come back
	linkGone        // the node left or was lost; kept for its strikes
)

// shardRef names a shard.
type shardRef struct {
	sweep string
	shard int
}

// room is the number of shards that may be leased to the node now. A node is refilled once it holds
// at most half its capacity, so that grants are ranges.
func (n *node) room() int {
	if n.link != linkUp || n.draining || n.fenceReason != "" || 2*len(n.held) > n.capacity {
		return 0
	}
	return n.capacity - len(n.held)
}

// inOrder returns the shards that the node holds, in the order in which they were granted.
func (n *node) inOrder() []shardRef {
	refs := make([]shardRef, 0, len(n.held))
	for ref := range n.held {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b shardRef) int {
		if n.held[a].order < n.held[b].order {
			return -1
		}
		return 1
	})
	return refs
}

// strike counts a lease failure of the node, and returns true if that fences it.
func (n *node) strike(now time.Time, reason string) bool {
	n.strikes++
	if n.strikes < fenceStrikes || n.fenceReason != "" {
		return false
	}
	n.fencedUntil, n.fenceReason = now.Add(fenceFor), reason
	return true
}

// undoStrike takes the last strike back, and the fence if the strike caused it.
func (n *node) undoStrike() {
	if n.strikes = max(0, n.strikes-1); n.strikes < fenceStrikes {
		n.fenceReason = ""
	}
}

// commit counts a committed shard of the node; commitsPerStrike of them undo a strike.
func (n *node) commit() {
	if n.commits++; n.commits >= commitsPerStrike {
		n.commits, n.strikes = 0, max(0, n.strikes-1)
	}
}
