package board

import (
	"slices"
	"time"
)

// A node that left is remembered for its strikes until goneAfter has passed, or maxGone others have
// left since: names cost nothing, so whoever makes them up must not fill the memory.
const (
	goneAfter = time.Hour
	maxGone   = 4096
)

// worker is one node as the board knows it.
type node struct {
	info     NodeInfo
	instance string // of its process, "" if it does not say
	conn     uint64 // of its current stream
	capacity int
	link     link
	draining bool
	lastSeen time.Time

	held       map[shardRef]*lease
	suspect    *shardRef  // the one suspect it holds
	lostShards []shardRef // with it, when it was given up

	strikes     int
	commits     int // since the last strike was taken away
	fencedUntil time.Time
	fenceReason string

	queued bool // in Board.hungry
}

// link is whether a node's stream is there.
type link uint8

const (
	linkUp     link = iota
	linkBroken      // the stream ended without a goodbye; the node may be back
	linkGone        // given up, or left; kept for its strikes
)

type shardRef struct {
	sweep string
	shard int
}

// room is how many more shards it may get. It is refilled at half its capacity, so that grants come
// in runs.
func (p *node) room() int {
	if p.link != linkUp || p.draining || p.fenceReason != "" || 2*len(p.held) > p.capacity {
		return 0
	}
	return p.capacity - len(p.held)
}

// inOrder are the shards it holds, in the order granted.
func (p *node) inOrder() []shardRef {
	refs := make([]shardRef, 0, len(p.held))
	for ref := range p.held {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b shardRef) int {
		if p.held[a].order < p.held[b].order {
			return -1
		}
		return 1
	})
	return refs
}

// strike notes that a shard went wrong on this node; true if that fences it off.
func (p *node) strike(now time.Time, reason string) bool {
	p.strikes++
	if p.strikes < fenceStrikes || p.fenceReason != "" {
		return false
	}
	p.fencedUntil, p.fenceReason = now.Add(fenceFor), reason
	return true
}

// pardon takes the last strike back, and with it the fence that it put up.
func (p *node) pardon() {
	if p.strikes = max(0, p.strikes-1); p.strikes < fenceStrikes {
		p.fenceReason = ""
	}
}

// commit notes a shard that went well.
func (p *node) commit() {
	if p.commits++; p.commits >= forgiveCommits {
		p.commits, p.strikes = 0, max(0, p.strikes-1)
	}
}
