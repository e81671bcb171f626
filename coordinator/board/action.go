package board

// Action is an effect that the board asks its caller for, in the order given. An action that makes
// something durable comes before every action that tells anyone about it, and the caller executes
// the actions after it only once it is durable.
type Action interface{ action() }

// Actions, each with its result if it has one.
type (
	// SaveFailures makes the lease failures of a shard durable.
	SaveFailures struct {
		Sweep    string
		Failures ShardFailures
	}
	// DeleteFailures deletes the lease failures of shards, in one transaction with the phase.
	DeleteFailures struct {
		Sweep  string
		Shards []int
		Phase  Phase
	}
	// SavePhase makes the phase of a sweep durable.
	SavePhase struct {
		Sweep string
		Phase Phase
	}
	// DeleteParts deletes the keys of stored parts and sets the phase.
	DeleteParts struct {
		Sweep string
		Parts []int
		Phase Phase
	}
	// SaveRemoval makes durable that a sweep will be removed, which begins once nothing of it is
	// being written to the store. DeleteSweep follows.
	SaveRemoval struct{ Sweep string }
	// DeleteSweep makes durable that a sweep is being removed, then deletes its files and its keys.
	// Its result is SweepRemoved.
	DeleteSweep struct{ Sweep string }
	// ForgetSweep releases the memory of a sweep whose keys are deleted.
	ForgetSweep struct{ Sweep string }
	// CommitShard makes a delivery durable. Its result is ShardCommitted or CommitCancelled.
	// PinClass is the arithmetic class to store with it; it is set until a first shard of the sweep
	// is committed.
	CommitShard struct {
		Token    uint64
		Sweep    string
		Shard    int
		PinClass string
	}
	// Answer is the reply to the event with this Token.
	Answer struct {
		Token   uint64
		Outcome Outcome
		Shards  int    // of RetryRequested: shards released from quarantine
		Reason  string // of OutcomeRejected
	}
	// Grant leases shards to a node.
	Grant struct {
		Node   string
		Conn   uint64
		Ranges []ShardRange
	}
	// Revoke ends the leases of a node.
	Revoke struct {
		Node   string
		Conn   uint64
		Ranges []ShardRange
	}
	// Dismiss tells a node that it gets no leases, and why. Close also ends its stream.
	Dismiss struct {
		Node   string
		Conn   uint64
		Reason string
		Close  bool
	}
	// DeleteNode deletes the key of a node that has left.
	DeleteNode struct{ Node string }
	// MergePart writes the files of a part, without the rows of the shards in Missing. Its result
	// is PartStored or MergeCancelled.
	MergePart struct {
		Sweep   string
		Part    int
		Missing []int
	}
	// WriteManifest writes the manifest. Its result is ManifestStored or ManifestCancelled.
	WriteManifest struct{ Sweep string }
	// SaveDone makes the phase Done durable. Its result is DoneStored.
	SaveDone struct{ Sweep string }
)

// Outcome is the result of a delivery or a request.
type Outcome uint8

const (
	OutcomeCommitted Outcome = iota + 1
	OutcomeDuplicate         // the shard was already committed
	OutcomeUnwanted          // the sweep has ended or does not exist
	OutcomeRejected          // this node may not compute the sweep; Reason says why
	OutcomeOK                // the request was applied
	OutcomeUnknown           // no such sweep
	OutcomeNotEnded          // the sweep has not ended, or some of its files are still being written
	OutcomeEnded             // the sweep has ended
	OutcomeRemoving          // the sweep is being removed
)

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
