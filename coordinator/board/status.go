package board

import (
	"fmt"
	"strings"
	"time"
)

// Progress is the state of a sweep as clients see it.
type Progress struct {
	Phase               Phase
	Removing            bool
	Shards, ShardsDone  int
	Leased, Quarantined int
	Lost                int // shards that had to be computed again because their bytes were lost
	Parts, PartsDone    int
	Counts              Counts
	CostTotal, CostDone float64
	ETA                 time.Duration // 0: unknown
	Nodes               int           // with leases of it
	Waiting             string        // why no shard is leased; "" if one is
	Failures            []ShardFailures
	Class               string
	Priority, Weight    int
}

// maxFailuresShown bounds the failures of one Progress.
const maxFailuresShown = 100

// Progress returns the state of a sweep; false if there is no such sweep.
func (b *Board) Progress(sweep string) (Progress, bool) {
	j := b.jobs[sweep]
	if j == nil {
		return Progress{}, false
	}
	p := Progress{
		Phase: j.phase, Removing: j.removal != removalNone,
		Shards: j.cuts.Shards(), ShardsDone: j.done.len(), Leased: len(j.leases) + len(j.committing),
		Quarantined: len(j.quarantine), Lost: j.lost, Parts: len(j.parts), PartsDone: j.stored, Counts: j.counts,
		CostTotal: j.costTotal, CostDone: min(j.costDone, j.costTotal), Waiting: b.waiting(j), Class: j.class,
		Priority: j.priority, Weight: int(j.weight), Nodes: len(j.holders),
	}
	if j.phase == Running {
		p.ETA = j.pace.eta(p.CostTotal-p.CostDone, b.now)
	}
	for _, s := range sortedKeys(j.failures) {
		if len(p.Failures) < maxFailuresShown && j.failures[s].Attempts > 0 {
			p.Failures = append(p.Failures, j.failures[s].clone())
		}
	}
	return p, true
}

// Attempts returns the number of lease failures of each of a sweep's shards that has any.
func (b *Board) Attempts(sweep string) map[int]int {
	attempts := map[int]int{}
	if j := b.jobs[sweep]; j != nil {
		for s, f := range j.failures {
			attempts[s] = f.Attempts
		}
	}
	return attempts
}

// waiting explains in one sentence why no shard of a sweep is leased, or returns "".
func (b *Board) waiting(j *job) string {
	switch {
	case j.phase == Paused:
		return "paused; resume it to continue"
	case j.phase.Ended() || len(j.leases)+len(j.committing) > 0:
		return ""
	case j.writingManifest:
		return "writing the manifest"
	case j.settled():
		return fmt.Sprintf("merging: %d of %d parts stored", j.stored, len(j.parts))
	}
	return b.waitingForNodes(j)
}

// waitingForNodes explains why no node has an open shard of a sweep.
func (b *Board) waitingForNodes(j *job) string {
	var connected, draining, fenced, memory int
	var most int64
	solvers, classes := map[string]int{}, map[string]int{}
	for _, n := range b.nodes {
		if n.link != linkUp {
			continue
		}
		connected++
		switch {
		case n.fenceReason != "":
			fenced++
		case n.draining:
			draining++
		case n.info.Solver != j.solver:
			solvers[n.info.Solver]++
		case j.class != "" && n.info.Class != j.class:
			classes[n.info.Class]++
		case n.info.MemoryBytes != 0 && n.info.MemoryBytes < j.maxMemory &&
			nextFor(j, n, 0) < 0 && firstSuspect(j, n) < 0:
			memory++
			most = max(most, n.info.MemoryBytes)
		default:
			return b.waitingForShare(j)
		}
	}
	if connected == 0 {
		return "no node is connected; start one with phasegrid node"
	}
	var reasons []string
	if len(solvers) > 0 {
		reasons = append(reasons, fmt.Sprintf("needs solver %s; %s", j.solver, offers(solvers)))
	}
	if len(classes) > 0 {
		reasons = append(reasons, fmt.Sprintf("needs arithmetic class %s; %s", j.class, offers(classes)))
	}
	if memory > 0 {
		reasons = append(
			reasons,
			fmt.Sprintf("a shard needs %s of memory; the largest of %s has %s",
				size(j.maxMemory), plural(memory, "node", "nodes"), size(most)),
		)
	}
	if draining > 0 {
		reasons = append(reasons, plural(draining, "node is draining", "nodes are draining"))
	}
	if fenced > 0 {
		reasons = append(reasons, plural(fenced, "node is fenced", "nodes are fenced"))
	}
	return strings.Join(reasons, "; ")
}

// waitingForShare explains why the nodes that could compute this sweep do not.
func (b *Board) waitingForShare(j *job) string {
	for _, o := range b.order {
		if o != j && len(o.leases) > 0 && o.priority > j.priority {
			return "every node is busy with sweeps of higher priority"
		}
	}
	return "waiting for a free slot"
}

// offers formats what nodes offer: "4 nodes offer 2".
func offers(counts map[string]int) string {
	var parts []string
	for _, k := range sortedKeys(counts) {
		parts = append(parts, plural(counts[k], "node offers", "nodes offer")+" "+k)
	}
	return strings.Join(parts, ", ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// size formats bytes: "300 B", "1.5 GiB".
func size(bytes int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	if bytes < 1024 {
		return fmt.Sprintf("%d B", bytes)
	}
	x, unit := float64(bytes)/1024, 0
	for x >= 1024 && unit < len(units)-1 {
		x, unit = x/1024, unit+1
	}
	return fmt.Sprintf("%.3g %s", x, units[unit])
}

// NodeStatus is the state of a node as clients see it.
type NodeStatus struct {
	Info     NodeInfo
	Held     int
	Draining bool
	Fenced   string
	LastSeen time.Time
}

// Nodes returns the nodes that are connected or may come back soon, sorted by name.
func (b *Board) Nodes() []NodeStatus {
	var list []NodeStatus
	for _, name := range sortedKeys(b.nodes) {
		n := b.nodes[name]
		if n.link != linkGone {
			list = append(list, NodeStatus{
				Info: n.info, Held: len(n.held), Draining: n.draining, Fenced: n.fenceReason, LastSeen: n.lastSeen,
			})
		}
	}
	return list
}

// Census is how many shards the sweeps that have not ended have in each state, and how many nodes
// are connected.
type Census struct {
	Open, Leased, Committing, Done, Quarantined int // shards
	Nodes, Fenced                               int // connected nodes, and those of them that are fenced
}

// Census counts the shards of sweeps that have not ended, and the connected nodes.
func (b *Board) Census() Census {
	var c Census
	for _, j := range b.order {
		if j.phase.Ended() {
			continue
		}
		c.Open += j.open.len() + len(j.suspects)
		c.Leased += len(j.leases)
		c.Committing += len(j.committing)
		c.Done += j.done.len()
		c.Quarantined += len(j.quarantine)
	}
	for _, n := range b.nodes {
		if n.link == linkUp {
			c.Nodes++
			if n.fenceReason != "" {
				c.Fenced++
			}
		}
	}
	return c
}
