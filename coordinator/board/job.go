package board

import (
	"slices"
	"time"
)

// job is the state of one sweep.
//
// Invariant: each shard is in exactly one of open, suspects, leases, committing, done and
// quarantine.
type job struct {
	id       string
	seq      int // order of arrival
	cuts     Cuts
	priority int
	weight   float64
	solver   string
	class    string
	pinned   bool // class is durable; until then every commit stores it
	phase    Phase

	// pass is the cost leased so far divided by weight: the next lease comes from the job of the
	// highest priority with the least pass (stride scheduling).
	pass float64

	open       *shardSet
	suspects   []int // in rising order; with lease failures, so a node gets one at a time
	leases     map[int]*lease
	holders    map[*node]int // number of leases by node
	committing map[int]*commit
	done       *shardSet
	quarantine map[int]bool
	failures   map[int]*ShardFailures

	parts           []part
	stored          int  // parts with stage partStored
	writingManifest bool // set with WriteManifest
	savingDone      bool // set with SaveDone
	removal         removal
	removers        []uint64 // tokens of the requests to remove it

	lost      int // shards that were computed and have to be computed again
	counts    Counts
	costTotal float64
	costDone  float64
	maxMemory int64
	tooLittle int64 // bytes of memory into which no open shard fits; see nextFor
	pace      pace
}

// kind is what jobs have in common that compete for the same nodes. Passes of jobs of different
// kinds are not comparable.
type kind struct {
	priority      int
	solver, class string
}

func (j *job) kind() kind { return kind{j.priority, j.solver, j.class} }

// lease is the right of one node to solve one shard.
type lease struct {
	node  *node
	epoch uint64
	order uint64 // in which leases were granted
}

// commit is a delivery that is being made durable.
type commit struct {
	node       string
	token      uint64
	duplicates []uint64 // tokens of later deliveries of the same shard
	counts     Counts
}

// part is the state of one part.
type part struct {
	left    int // number of shards that are not done
	stage   partStage
	missing []int // shards that a merge leaves out
}

// removal is how far the removal of a sweep is.
type removal uint8

const (
	removalNone  removal = iota
	removalAsked         // durable; begins once nothing of the sweep is being written to the store
	removalBegun         // set with DeleteSweep
)

// partStage is how far the merge of a part is.
type partStage uint8

const (
	partOpen    partStage = iota
	partMerging           // set with MergePart
	partStored            // set by PartStored
)

func newJob(e SweepAdded, seq int) *job {
	n := e.Cuts.Shards()
	j := &job{
		id: e.ID, seq: seq, cuts: e.Cuts, priority: e.Priority, weight: float64(max(1, e.Weight)),
		solver: e.Solver, class: e.Class, pinned: e.Class != "", phase: e.Phase, counts: e.Counts,
		open: newShardSet(n), done: newShardSet(n),
		leases: map[int]*lease{}, holders: map[*node]int{}, committing: map[int]*commit{},
		quarantine: map[int]bool{}, failures: map[int]*ShardFailures{},
		parts: make([]part, e.Cuts.Parts()),
	}
	for _, s := range e.Done {
		j.done.add(s)
	}
	for i := range j.parts {
		first, end := j.cuts.Part(i)
		missing, stored := e.Parts[i]
		if stored {
			j.parts[i].stage, j.parts[i].missing = partStored, missing
			j.stored++
			for s := first; s < end; s++ {
				if _, absent := slices.BinarySearch(missing, s); !absent {
					j.done.add(s)
				}
			}
		}
	}
	for s, f := range e.Failures {
		j.failures[s] = &f
	}
	for s := range n {
		j.costTotal += j.cuts.Cost(s)
		j.maxMemory = max(j.maxMemory, j.cuts.Memory(s))
		switch f := j.failures[s]; {
		case j.done.has(s):
			j.costDone += j.cuts.Cost(s)
			continue
		case f != nil && f.Quarantined:
			j.quarantine[s] = true
		default:
			j.release(s)
		}
		j.parts[j.cuts.PartOf(s)].left++
	}
	// A stored part that lacks shards which are no longer in quarantine is merged again.
	for i := range j.parts {
		if j.parts[i].stage == partStored && !j.allQuarantined(j.parts[i].missing) {
			j.parts[i].stage = partOpen
			j.stored--
		}
	}
	return j
}

// allQuarantined reports whether all shards in missing are in quarantine.
func (j *job) allQuarantined(missing []int) bool {
	for _, s := range missing {
		if !j.quarantine[s] {
			return false
		}
	}
	return true
}

// release makes a shard leasable: as a suspect if it has lease failures.
func (j *job) release(shard int) {
	if j.failures[shard] == nil || len(j.failures[shard].Failures) == 0 {
		j.tooLittle = 0
		j.open.add(shard)
		return
	}
	if i, found := slices.BinarySearch(j.suspects, shard); !found {
		j.suspects = slices.Insert(j.suspects, i, shard)
	}
}

// claim removes a shard from the leasable ones, and returns false if it was not one of them.
func (j *job) claim(shard int) bool {
	if j.open.remove(shard) {
		return true
	}
	i, found := slices.BinarySearch(j.suspects, shard)
	if found {
		j.suspects = slices.Delete(j.suspects, i, i+1)
	}
	return found
}

// settled reports whether every shard is done or in quarantine.
func (j *job) settled() bool { return j.done.len()+len(j.quarantine) == j.cuts.Shards() }

// leasable is the number of shards that may be leased now.
func (j *job) leasable() int {
	if j.phase != Running {
		return 0
	}
	return j.open.len() + len(j.suspects)
}

// accepts returns why a node may not compute this job, or "".
func (j *job) accepts(solver, class string) string {
	if solver != j.solver {
		return "solver"
	}
	if j.class != "" && class != j.class {
		return "arithmetic class"
	}
	return ""
}

// finishShard moves a shard to done.
func (j *job) finishShard(shard int, counts Counts, now time.Time) {
	j.done.add(shard)
	j.counts.Add(counts)
	cost := j.cuts.Cost(shard)
	j.costDone += cost
	j.pace.add(cost, now)
	j.parts[j.cuts.PartOf(shard)].left--
}

// reopenShard makes a shard that was done leasable again.
func (j *job) reopenShard(shard int) {
	if !j.done.remove(shard) {
		return
	}
	j.costDone -= j.cuts.Cost(shard)
	j.parts[j.cuts.PartOf(shard)].left++
	j.release(shard)
}
