package board

import "fmt"

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
