package board

import (
	"fmt"
	"time"
)

// Event is what happens to the board. Time itself is one: Tick.
type Event interface{ event() }

// Action is what the board wants done, in the order given. An action that persists something comes
// before every action that tells somebody about it, and the shell does not go on before it is
// durable.
type Action interface{ action() }

// Phase of a sweep, in the words of the sweep's key in etcd.
type Phase uint8

const (
	Running   Phase = iota + 1 // set by submit, resume and retry
	Paused                     // set by pause: no new leases, deliveries welcome
	Done                       // set by the board once every part and the manifest are stored
	Cancelled                  // set by cancel: finished shards are kept, submit reopens
	Failed                     // shown where this release cannot plan the sweep
)

var phaseNames = [...]string{
	Running:   "running",
	Paused:    "paused",
	Done:      "done",
	Cancelled: "cancelled",
	Failed:    "failed",
}

func (p Phase) String() string {
	if int(p) < len(phaseNames) && phaseNames[p] != "" {
		return phaseNames[p]
	}
	return "unknown"
}

// parsePhase is the phase of a name that String returned.
func ParsePhase(word string) (Phase, error) {
	for p, name := range phaseNames {
		if name == word && name != "" {
			return Phase(p), nil
		}
	}
	return 0, fmt.Errorf("unknown phase %q", word)
}

// Ended tells whether nothing more happens to the sweep by itself.
func (p Phase) Ended() bool { return p >= Done }

// Run is a run of consecutive shards of one sweep, leased together.
type ShardRange struct {
	Sweep string
	First int
	Count int
	Epoch uint64
}

// NodeInfo is what a node says about itself when it attaches.
type NodeInfo struct {
	Name        string
	Slots       int
	MemoryBytes int64 // 0: not said, any shard fits
	Solver      int
	Class       string // arithmetic class
	Kernel      string
	Version     string
}

// Counts are rows by status.
type Counts struct{ OK, Diverged, Failed, Invalid int64 }

// Add adds other to c.
func (c *Counts) Add(other Counts) {
	c.OK += other.OK
	c.Diverged += other.Diverged
	c.Failed += other.Failed
	c.Invalid += other.Invalid
}

// Sub takes other from c.
func (c *Counts) Sub(other Counts) {
	c.OK -= other.OK
	c.Diverged -= other.Diverged
	c.Failed -= other.Failed
	c.Invalid -= other.Invalid
}

// Rows is the number of rows of all statuses.
func (c Counts) Rows() int64 { return c.OK + c.Diverged + c.Failed + c.Invalid }

// Cuts are the cuts of one sweep into shards and parts: pure functions of the sweep.
type Cuts interface {
	Shards() int
	Parts() int
	// Part is the range of shards of part i; PartOf is the part of a shard.
	Part(i int) (first, end int)
	PartOf(shard int) int
	// Cost is a shard's share of the work, Memory what a node needs to solve it.
	Cost(shard int) float64
	Memory(shard int) int64
}

// The events.
type (
	// Tick says what time it is; every other event happens at the time of the last Tick.
	Tick struct{ Now time.Time }
	// Stalled says that for so long nobody was listening (a stopped process, a paused machine): no
	// node was silent meanwhile. It comes before the Tick that ends the stall.
	Stalled struct{ Gap time.Duration }

	// Attach: a node opened its stream. Conn tells its streams apart, Instance its processes; Held
	// are shards it still has from before.
	NodeAttached struct {
		Conn     uint64
		Info     NodeInfo
		Instance string
		Capacity int
		Held     []ShardRange
	}
	// Beat: a node is alive and is willing to hold Capacity shards.
	NodeHeartbeat struct {
		Conn     uint64
		Node     string
		Capacity int
	}
	// Drain: a node takes no more shards and hands some back.
	NodeDraining struct {
		Conn     uint64
		Node     string
		Returned []ShardRange
	}
	// Leave: a node ended its life cleanly.
	NodeLeft struct {
		Conn uint64
		Node string
	}
	// Broken: a node's stream ended without a goodbye. The node may come back.
	StreamBroken struct {
		Conn uint64
		Node string
	}
	// Abandon: a node cannot solve these shards.
	ShardsAbandoned struct {
		Node  string
		Range ShardRange
		Cause string
	}

	// AddSweep puts a sweep on the board, new or as it was stored.
	SweepAdded struct {
		ID       string
		Cuts     Cuts
		Priority int
		Weight   int
		Solver   int
		Class    string // pinned arithmetic class, "" before the first commit
		Phase    Phase
		Removing bool                  // its removal has begun
		Done     []int                 // shards committed; those of stored parts need not be named
		Counts   Counts                // rows committed so far
		Parts    map[int][]int         // stored parts, with the shards each lacks, rising
		Failures map[int]ShardFailures // by shard
	}
	// SetPhase asks for Running, Paused or Cancelled. Token is answered.
	PhaseRequested struct {
		Token uint64
		Sweep string
		Phase Phase
	}
	// Retry lifts the quarantine of all of a sweep's shards. Token is answered.
	RetryRequested struct {
		Token uint64
		Sweep string
	}
	// Reopen: these stored parts, each with its rows, are gone from the store; their shards must be
	// computed again. Token is answered.
	ReopenRequested struct {
		Token uint64
		Sweep string
		Parts map[int]Counts
	}
	// RemoveSweep removes an ended sweep and its result set. Token is answered when they are gone.
	RemovalRequested struct {
		Token uint64
		Sweep string
	}

	// Removed: the files and the keys of a sweep are gone.
	SweepRemoved struct{ Sweep string }

	// Deliver: a shard's verified bytes have arrived. Token is answered.
	ShardDelivered struct {
		Token  uint64
		Sweep  string
		Shard  int
		Node   string
		Solver int
		Class  string
		Counts Counts
	}
	// Refuse: a node delivered bytes that did not verify.
	DeliveryRejected struct {
		Node  string
		Sweep string
		Shard int
		Cause string
	}
	// Committed: the commit of a shard is durable.
	ShardCommitted struct {
		Sweep string
		Shard int
	}
	// CommitGivenUp: a delivery cannot be made durable, and its sweep has ended.
	CommitCancelled struct {
		Sweep string
		Shard int
	}
	// PartStored: a part's files and its key are durable.
	PartStored struct {
		Sweep string
		Part  int
	}
	// MergeGivenUp: a part is not merged, as its sweep has ended.
	MergeCancelled struct {
		Sweep string
		Part  int
	}
	// FinishGivenUp: the manifest is not written, or for nothing, as its sweep has ended.
	ManifestCancelled struct{ Sweep string }
	// Finishing: the manifest is durable.
	ManifestStored struct{ Sweep string }
	// Finished: the phase Done is durable.
	DoneStored struct{ Sweep string }
)

// The actions.
type (
	// SaveLoss persists the losses of a shard.
	SaveFailures struct {
		Sweep    string
		Failures ShardFailures
	}
	// DropLosses removes the losses of shards, in one transaction with the phase if that is not
	// zero.
	DeleteFailures struct {
		Sweep  string
		Shards []int
		Phase  Phase
	}
	// SavePhase persists the phase of a sweep.
	SavePhase struct {
		Sweep string
		Phase Phase
	}
	// DropParts removes the keys of stored parts, and makes the sweep run.
	DeleteParts struct {
		Sweep string
		Parts []int
		Phase Phase
	}
	// SaveRemoval persists that a sweep is to be removed as soon as nothing of it is on its way to
	// the store; Remove follows.
	SaveRemoval struct{ Sweep string }
	// Remove persists that a sweep is being removed, and removes its files and its keys; Removed
	// follows.
	DeleteSweep struct{ Sweep string }
	// DropSweep forgets a sweep whose keys are gone.
	ForgetSweep struct{ Sweep string }
	// Commit persists a delivery; Committed follows, or CommitGivenUp. PinClass is the sweep's
	// class, to be stored with it, until one is Committed.
	CommitShard struct {
		Token    uint64
		Sweep    string
		Shard    int
		PinClass string
	}
	// Answer replies to whoever waits on Token.
	Answer struct {
		Token   uint64
		Outcome Outcome
		Shards  int    // of Retry: shards lifted
		Reason  string // of OutcomeRejected
	}
	// Grant leases runs to a node.
	Grant struct {
		Node   string
		Conn   uint64
		Ranges []ShardRange
	}
	// Revoke tells a node to stop these shards.
	Revoke struct {
		Node   string
		Conn   uint64
		Ranges []ShardRange
	}
	// Dismiss tells a node that it gets no work, and why. Close ends its stream too.
	Dismiss struct {
		Node   string
		Conn   uint64
		Reason string
		Close  bool
	}
	// Forget removes the key of a node that is gone.
	DeleteNode struct{ Node string }
	// Merge writes the files of a part, without the rows of the shards in Missing; PartStored
	// follows, or MergeGivenUp.
	MergePart struct {
		Sweep   string
		Part    int
		Missing []int
	}
	// Finish writes the manifest; Finishing follows, or FinishGivenUp.
	WriteManifest struct{ Sweep string }
	// Close persists the phase Done; Finished follows.
	SaveDone struct{ Sweep string }
)

// Outcome of a delivery or of a request.
type Outcome uint8

const (
	OutcomeCommitted Outcome = iota + 1
	OutcomeDuplicate         // a twin was first
	OutcomeUnwanted          // the sweep no longer wants it
	OutcomeRejected          // not by this node; Reason says why
	OutcomeOK                // of a request
	OutcomeUnknown           // there is no such sweep
	OutcomeNotEnded          // the sweep has not ended, or something of it is still being written
	OutcomeEnded             // the sweep has ended
	OutcomeRemoving          // the sweep is being removed
)

func (Tick) event()              {}
func (Stalled) event()           {}
func (NodeAttached) event()      {}
func (NodeHeartbeat) event()     {}
func (NodeDraining) event()      {}
func (NodeLeft) event()          {}
func (StreamBroken) event()      {}
func (ShardsAbandoned) event()   {}
func (SweepAdded) event()        {}
func (PhaseRequested) event()    {}
func (RetryRequested) event()    {}
func (ReopenRequested) event()   {}
func (RemovalRequested) event()  {}
func (SweepRemoved) event()      {}
func (ShardDelivered) event()    {}
func (DeliveryRejected) event()  {}
func (ShardCommitted) event()    {}
func (CommitCancelled) event()   {}
func (PartStored) event()        {}
func (MergeCancelled) event()    {}
func (ManifestCancelled) event() {}
func (ManifestStored) event()    {}
func (DoneStored) event()        {}

func (SaveFailures) action()   {}
func (DeleteFailures) action() {}
func (SavePhase) action()      {}
func (DeleteParts) action()    {}
func (SaveRemoval) action()    {}
func (DeleteSweep) action()    {}
func (ForgetSweep) action()    {}
func (CommitShard) action()    {}
func (Answer) action()         {}
func (Grant) action()          {}
func (Revoke) action()         {}
func (Dismiss) action()        {}
func (DeleteNode) action()     {}
func (MergePart) action()      {}
func (WriteManifest) action()  {}
func (SaveDone) action()       {}
