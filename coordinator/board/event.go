package board

import "time"

// Event is a fact that Step applies. The passing of time is one: Tick.
type Event interface{ event() }

// Events. Those with a Token are requests: an Answer with the same Token follows.
type (
	// Tick is the current time; every other event happens at the time of the last Tick.
	Tick struct{ Now time.Time }
	// Stalled: the process did not run for Gap, during which it could not receive heartbeats. It
	// comes before the Tick that ends the stall.
	Stalled struct{ Gap time.Duration }

	// NodeAttached: a node opened a stream. Conn identifies the stream, Instance the process; Held
	// are the shards that it still has from an earlier stream.
	NodeAttached struct {
		Conn     uint64
		Info     NodeInfo
		Instance string
		Capacity int
		Held     []ShardRange
	}
	// NodeHeartbeat: a node is alive and willing to hold Capacity shards.
	NodeHeartbeat struct {
		Conn     uint64
		Node     string
		Capacity int
	}
	// NodeDraining: a node takes no more shards and returns some.
	NodeDraining struct {
		Conn     uint64
		Node     string
		Returned []ShardRange
	}
	// NodeLeft: a node said goodbye.
	NodeLeft struct {
		Conn uint64
		Node string
	}
	// StreamBroken: a node's stream ended without a goodbye. The node may come back.
	StreamBroken struct {
		Conn uint64
		Node string
	}
	// ShardsAbandoned: a node cannot solve these shards.
	ShardsAbandoned struct {
		Node  string
		Range ShardRange
		Cause string
	}

	// SweepAdded: a sweep was submitted, or loaded from the ledger.
	SweepAdded struct {
		ID       string
		Cuts     Cuts
		Priority int
		Weight   int
		Solver   string
		Class    string // pinned arithmetic class; "" before the first commit
		Phase    Phase
		Removing bool                  // its removal has been made durable
		Done     []int                 // committed shards; those of stored parts may be left out
		Counts   Counts                // rows committed so far
		Parts    map[int][]int         // stored parts, with the missing shards of each in rising order
		Failures map[int]ShardFailures // by shard
	}
	// PhaseRequested asks for Running, Paused or Cancelled.
	PhaseRequested struct {
		Token uint64
		Sweep string
		Phase Phase
	}
	// RetryRequested asks to release all shards of a sweep from quarantine.
	RetryRequested struct {
		Token uint64
		Sweep string
	}
	// ReopenRequested: the files of these stored parts (with their rows) are gone from the store,
	// so their shards have to be computed again.
	ReopenRequested struct {
		Token uint64
		Sweep string
		Parts map[int]Counts
	}
	// PartsLost: the files of these stored parts (with their rows) were found gone before the
	// manifest was written.
	PartsLost struct {
		Sweep string
		Parts map[int]Counts
	}
	// RemovalRequested asks to remove an ended sweep and its result set. It is answered once they
	// are gone.
	RemovalRequested struct {
		Token uint64
		Sweep string
	}

	// SweepRemoved: the files and the keys of a sweep are deleted.
	SweepRemoved struct{ Sweep string }

	// ShardDelivered: the bytes of a shard have arrived and are verified. It is answered once they
	// are durable.
	ShardDelivered struct {
		Token  uint64
		Sweep  string
		Shard  int
		Node   string
		Solver string
		Class  string
		Counts Counts
	}
	// DeliveryRejected: a node delivered bytes that failed a check.
	DeliveryRejected struct {
		Node  string
		Sweep string
		Shard int
		Cause string
	}
	// ShardCommitted: a delivery is durable.
	ShardCommitted struct {
		Sweep string
		Shard int
	}
	// CommitCancelled: a delivery was not made durable, because its sweep has ended.
	CommitCancelled struct {
		Sweep string
		Shard int
	}
	// PartStored: the files of a part and its key are durable.
	PartStored struct {
		Sweep string
		Part  int
	}
	// MergeCancelled: a part was not merged, because its sweep has ended.
	MergeCancelled struct {
		Sweep string
		Part  int
	}
	// ShardsLost: committed shards of a part that was to be merged cannot be read any more. They
	// are computed again; their rows were Counts.
	ShardsLost struct {
		Sweep  string
		Part   int
		Shards []int
		Counts Counts
	}
	// ManifestCancelled: the manifest was not written, or is void, because its sweep has ended.
	ManifestCancelled struct{ Sweep string }
	// ManifestStored: the manifest is durable.
	ManifestStored struct{ Sweep string }
	// DoneStored: the phase Done is durable.
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
func (PartsLost) event()         {}
func (RemovalRequested) event()  {}
func (SweepRemoved) event()      {}
func (ShardDelivered) event()    {}
func (DeliveryRejected) event()  {}
func (ShardCommitted) event()    {}
func (CommitCancelled) event()   {}
func (PartStored) event()        {}
func (MergeCancelled) event()    {}
func (ShardsLost) event()        {}
func (ManifestCancelled) event() {}
func (ManifestStored) event()    {}
func (DoneStored) event()        {}
