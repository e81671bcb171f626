package node

import (
	"cmp"
	"context"
	"slices"
)

// shardKey identifies a shard: its sweep, and its number within it.
type shardKey struct {
	sweep  string
	number int64
}

// lease is one shard that the coordinator granted to this node.
type lease struct {
	shard      shardKey
	first, end int64  // the unfiltered indices [first, end)
	epoch      uint64 // echoed in the delivery
}

// shardRange is consecutive shards of one sweep and one epoch, as leases are sent.
type shardRange struct {
	sweep  string
	first  int64   // number of the first shard
	bounds []int64 // first index of each shard, and the end of the last; not falling
	epoch  uint64
}

// shards is the number of shards in the range.
func (r shardRange) shards() int64 { return int64(len(r.bounds) - 1) }

// leases splits a range into its shards.
func (r shardRange) leases() []lease {
	out := make([]lease, r.shards())
	for i := range out {
		shard := shardKey{r.sweep, r.first + int64(i)}
		out[i] = lease{shard: shard, first: r.bounds[i], end: r.bounds[i+1], epoch: r.epoch}
	}
	return out
}

// rangesOf joins leases into as few ranges as possible.
func rangesOf(leases []lease) []shardRange {
	leases = slices.SortedFunc(slices.Values(leases), func(a, b lease) int {
		return cmp.Or(
			cmp.Compare(a.shard.sweep, b.shard.sweep),
			cmp.Compare(a.epoch, b.epoch),
			cmp.Compare(a.shard.number, b.shard.number),
		)
	})
	var out []shardRange
	for _, l := range leases {
		if n := len(out); n > 0 {
			last := &out[n-1]
			if last.sweep == l.shard.sweep && last.epoch == l.epoch && last.first+last.shards() == l.shard.number &&
				last.bounds[len(last.bounds)-1] == l.first {
				last.bounds = append(last.bounds, l.end)
				continue
			}
		}
		out = append(out, shardRange{
			sweep: l.shard.sweep, first: l.shard.number, bounds: []int64{l.first, l.end}, epoch: l.epoch,
		})
	}
	return out
}

// revocation is consecutive shards of one sweep whose results are no longer wanted.
type revocation struct {
	sweep         string
	first, shards int64
}

func (r revocation) covers(k shardKey) bool {
	return k.sweep == r.sweep && k.number >= r.first && k.number-r.first < r.shards
}

// heldShard is a lease that the node holds. Run's goroutine owns it; ctx ends when the shard is no
// longer wanted.
type heldShard struct {
	lease  lease
	ctx    context.Context
	cancel context.CancelCauseFunc
	solved bool // its payload waits to be delivered, or is being delivered
}
