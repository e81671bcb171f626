package board

import "time"

// Event is what happens to the board. Time itself is one: Tick.
type Event interface{ event() }

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
