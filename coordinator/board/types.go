package board

import "fmt"

// Phase is the phase of a sweep. Its names are those of the phase key in the ledger.
type Phase uint8

const (
	Running   Phase = iota + 1 // after submit, resume and retry
	Paused                     // no new leases; deliveries are accepted
	Done                       // every part and the manifest are stored
	Cancelled                  // finished shards are kept; submitting the sweep again reopens it
	Failed                     // this release cannot plan the sweep
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

// ParsePhase returns the phase with a name that String returned.
func ParsePhase(word string) (Phase, error) {
	for p, name := range phaseNames {
		if name == word && name != "" {
			return Phase(p), nil
		}
	}
	return 0, fmt.Errorf("unknown phase %q", word)
}

// Ended reports whether a sweep in this phase needs a request to continue.
func (p Phase) Ended() bool { return p >= Done }

// ShardRange is a range of consecutive shards of one sweep that are leased together.
type ShardRange struct {
	Sweep string
	First int
	Count int
	Epoch uint64
}

// NodeInfo describes a node, as it registered when it attached.
type NodeInfo struct {
	Name        string
	Slots       int
	MemoryBytes int64  // 0: unknown; any shard fits
	Solver      string // identity in one line, compared as a whole
	Class       string // arithmetic class
	Kernel      string
	Version     string
}

// Counts are numbers of rows by status.
type Counts struct{ OK, Diverged, Failed, Invalid int64 }

// Add adds other to c.
func (c *Counts) Add(other Counts) {
	c.OK += other.OK
	c.Diverged += other.Diverged
	c.Failed += other.Failed
	c.Invalid += other.Invalid
}

// Sub subtracts other from c.
func (c *Counts) Sub(other Counts) {
	c.OK -= other.OK
	c.Diverged -= other.Diverged
	c.Failed -= other.Failed
	c.Invalid -= other.Invalid
}

// Rows is the number of rows of every status.
func (c Counts) Rows() int64 { return c.OK + c.Diverged + c.Failed + c.Invalid }

// Cuts is how one sweep is cut into shards and parts. It never changes.
type Cuts interface {
	Shards() int
	Parts() int
	// Part returns the range of shards of part i, PartOf the part of a shard.
	Part(i int) (first, end int)
	PartOf(shard int) int
	// Cost is in cost units, Memory in bytes that a node needs to solve the shard.
	Cost(shard int) float64
	Memory(shard int) int64
}
