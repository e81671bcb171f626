package board

// Action is what the board wants done, in the order given. An action that persists something comes
// before every action that tells somebody about it, and the shell does not go on before it is
// durable.
type Action interface{ action() }

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
