package board

import (
	"fmt"
	"maps"
	"slices"
)

// Check returns every violated invariant of the board.
func (b *Board) Check() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, j := range b.order {
		if b.jobs[j.id] != j {
			bad("sweep %s: listed but not on the board", j.id)
		}
		for _, e := range j.check() {
			bad("sweep %s: %w", j.id, e)
		}
		holders := map[*node]int{}
		for s, l := range j.leases {
			holders[l.node]++
			if l.node.held[shardRef{j.id, s}] != l {
				bad("sweep %s: shard %d is leased to %s, which does not hold it", j.id, s, l.node.info.Name)
			}
			if j.class != "" && l.node.info.Class != j.class || l.node.info.Solver != j.solver {
				bad("sweep %s: shard %d is leased to %s, which has another solver or arithmetic class",
					j.id, s, l.node.info.Name)
			}
		}
		if !maps.Equal(holders, j.holders) {
			bad("sweep %s: %d nodes hold shards of it, but %d are counted", j.id, len(holders), len(j.holders))
		}
	}
	left := 0
	for name, n := range b.nodes {
		if n.link == linkGone {
			left++
		}
		for ref, l := range n.held {
			j := b.jobs[ref.sweep]
			if j == nil || j.leases[ref.shard] != l {
				bad("node %s: holds shard %d of %s without a lease", name, ref.shard, ref.sweep)
			}
		}
		if n.link == linkGone && len(n.held) > 0 {
			bad("node %s: holds %d shards after it left", name, len(n.held))
		}
		if n.fenceReason != "" && len(n.held) > 0 {
			bad("node %s: holds %d shards while fenced", name, len(n.held))
		}
		if len(n.held) > MaxCapacity {
			bad("node %s: holds %d shards, more than the maximum", name, len(n.held))
		}
	}
	if left != len(b.gone) || left > maxGone {
		bad("%d nodes have left, %d are listed; at most %d are remembered", left, len(b.gone), maxGone)
	}
	return errs
}

// check returns the violated invariants of one job.
func (j *job) check() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	left := make([]int, len(j.parts))
	for s := range j.cuts.Shards() {
		_, leased := j.leases[s]
		_, committing := j.committing[s]
		in := 0
		for _, member := range []bool{
			j.open.has(s), slices.Contains(j.suspects, s), leased, committing, j.done.has(s), j.quarantine[s],
		} {
			if member {
				in++
			}
		}
		if in != 1 {
			bad("shard %d is in %d states", s, in)
		}
		if !j.done.has(s) {
			left[j.cuts.PartOf(s)]++
		}
		if j.quarantine[s] && (j.failures[s] == nil || !j.failures[s].Quarantined) {
			bad("shard %d is in quarantine without lease failures", s)
		}
	}
	stored := 0
	for i, p := range j.parts {
		if p.left != left[i] {
			bad("part %d: %d shards left, but %d are counted", i, left[i], p.left)
		}
		if p.stage != partOpen && p.left != len(p.missing) {
			bad("part %d: merged without %d shards, but %d are not done", i, len(p.missing), p.left)
		}
		if p.stage == partStored {
			stored++
		}
	}
	if stored != j.stored {
		bad("%d parts stored, but %d are counted", stored, j.stored)
	}
	if j.phase == Done && stored != len(j.parts) {
		bad("done with %d of %d parts", stored, len(j.parts))
	}
	return errs
}
