package board

import (
	"slices"
	"time"
)

// job is one sweep on the board.
//
// Invariant: each shard is in exactly one of open, suspects, leases, committing, done and
// quarantine.
type job struct {
	id       string
	seq      int // order of arrival, breaks ties
	cuts     Cuts
	priority int
	weight   float64
	solver   int
	class    string
	pinned   bool // the class is durable; until then every commit brings it along
	phase    Phase

	// pass is the cost leased so far over weight: the eligible job of the highest priority with the
	// least pass is next.
	pass float64

	open       *shardSet
	suspects   []int // rising; lost before, so leased one at a time to a node
	leases     map[int]*lease
	holders    map[*node]int // leases by node: people ask for their number all the time
	committing map[int]*commit
	done       *shardSet
	quarantine map[int]bool
	failures   map[int]*ShardFailures

	parts           []part
	stored          int  // parts with stage partStored
	writingManifest bool // set with Finish
	savingDone      bool // set by Finishing
	removal         removal
	removers        []uint64 // who waits for the removal

	counts    Counts
	costTotal float64
	costDone  float64
	maxMemory int64
	tooLittle int64 // no open shard fits into so much memory, see nextFor
	pace      pace
}

// kind is what jobs have in common that take the same nodes from each other. One of another kind
// may have had much more, or less, of nodes of its own.
type kind struct {
	priority, solver int
	class            string
}

func (j *job) kind() kind { return kind{j.priority, j.solver, j.class} }

// lease is one shard leased to one node.
type lease struct {
	node  *node
	epoch uint64
	order uint64 // of granting
}

// commit is a delivery on its way to disk, with those who delivered the same shard meanwhile.
type commit struct {
	node       string
	token      uint64
	duplicates []uint64
	counts     Counts
}

// part is a run of shards merged into one file per table.
type part struct {
	left    int // shards not done
	stage   partStage
	missing []int // of a stored part: shards it lacks
}

// removal is how far the removal of a sweep is.
type removal uint8

const (
	removalNone  removal = iota
	removalAsked         // set by RemoveSweep, and saved: it begins once nothing of the sweep is on its way to the store
	removalBegun         // set with Remove
)

type partStage uint8

const (
	partOpen    partStage = iota
	partMerging           // set with Merge
	partStored            // set by PartStored
)

func newJob(e SweepAdded, seq int) *job {
	n := e.Cuts.Shards()
	j := &job{
		id: e.ID, seq: seq, cuts: e.Cuts, priority: e.Priority, weight: float64(max(1, e.Weight)),
		solver: e.Solver, class: e.Class, pinned: e.Class != "", phase: e.Phase, counts: e.Counts,
		open: newShardSet(n), done: newShardSet(n),
		leases: map[int]*lease{}, holders: map[*node]int{}, committing: map[int]*commit{}, quarantine: map[int]bool{}, failures: map[int]*ShardFailures{},
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
				if _, lacks := slices.BinarySearch(missing, s); !lacks {
					j.done.add(s)
				}
			}
		}
	}
	for s, l := range e.Failures {
		j.failures[s] = &l
	}
	for s := range n {
		j.costTotal += j.cuts.Cost(s)
		j.maxMemory = max(j.maxMemory, j.cuts.Memory(s))
		switch l := j.failures[s]; {
		case j.done.has(s):
			j.costDone += j.cuts.Cost(s)
			continue
		case l != nil && l.Quarantined:
			j.quarantine[s] = true
		default:
			j.release(s)
		}
		j.parts[j.cuts.PartOf(s)].left++
	}
	// A stored part that lacks shards which are out of quarantine again is written anew.
	for i := range j.parts {
		if j.parts[i].stage == partStored && !j.settledWithout(j.parts[i].missing) {
			j.parts[i].stage = partOpen
			j.stored--
		}
	}
	return j
}

// settledWithout tells whether all shards in missing are in quarantine.
func (j *job) settledWithout(missing []int) bool {
	for _, s := range missing {
		if !j.quarantine[s] {
			return false
		}
	}
	return true
}

// release makes a shard leasable: its own node's loss history decides how.
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

// claim takes a leasable shard off its set, and tells whether it was in one.
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

// settled tells whether no shard is on its way any more: all are done or in quarantine.
func (j *job) settled() bool { return j.done.len()+len(j.quarantine) == j.cuts.Shards() }

// leasable is the number of shards that may be leased now.
func (j *job) leasable() int {
	if j.phase != Running {
		return 0
	}
	return j.open.len() + len(j.suspects)
}

// accepts tells why a node may not compute this job, or "".
func (j *job) accepts(solver int, class string) string {
	if solver != j.solver {
		return "solver version"
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
