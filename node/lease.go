package node

import (
	"cmp"
	"context"
	"slices"
)

// key names a shard of a sweep.
type key struct {
	sweep string
	shard int64
}

// lease is one shard that the coordinator granted to this node.
type lease struct {
	key
	first, end int64  // the unfiltered indices first..end-1
	epoch      uint64 // echoed in the delivery
}

// run is a run of consecutive shards of one sweep and one epoch, as it travels.
type run struct {
	sweep  string
	shard  int64   // the first one
	bounds []int64 // shards + 1 rising indices
	epoch  uint64
}

// leases cuts a run into its shards.
func (r run) leases() []lease {
	out := make([]lease, len(r.bounds)-1)
	for i := range out {
		out[i] = lease{key: key{r.sweep, r.shard + int64(i)}, first: r.bounds[i], end: r.bounds[i+1], epoch: r.epoch}
	}
	return out
}

// runs joins leases to as few runs as possible.
func runs(leases []lease) []run {
	leases = slices.SortedFunc(slices.Values(leases), func(a, b lease) int {
		return cmp.Or(cmp.Compare(a.sweep, b.sweep), cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.shard, b.shard))
	})
	var out []run
	for _, l := range leases {
		if n := len(out); n > 0 {
			last := &out[n-1]
			next := last.shard + int64(len(last.bounds)-1)
			if last.sweep == l.sweep && last.epoch == l.epoch && next == l.shard &&
				last.bounds[len(last.bounds)-1] == l.first {
				last.bounds = append(last.bounds, l.end)
				continue
			}
		}
		out = append(out, run{sweep: l.sweep, shard: l.shard, bounds: []int64{l.first, l.end}, epoch: l.epoch})
	}
	return out
}

// work is a lease inside the node. Run's goroutine owns it; ctx ends when the shard is no longer
// wanted.
type work struct {
	lease
	ctx    context.Context
	cancel context.CancelCauseFunc
	solved bool // its payload waits to be delivered, or is on its way
}
