package board

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

const (
	// quarantineNodes different nodes with a lease failure of a shard quarantine it.
	quarantineNodes = 3
	// quarantineAttempts lease failures quarantine it too, for clusters of fewer nodes.
	quarantineAttempts = 9
	// fenceStrikes failures fence a node, for fenceFor.
	fenceStrikes = 5
	fenceFor     = 10 * time.Minute
	// commitsPerStrike commits of a node undo one strike.
	commitsPerStrike = 16
	maxCauseBytes    = 512
)

// LeaseFailure is a lease that ended by the fault of its node. A drain, a preemption or a
// cancellation is not one.
type LeaseFailure struct {
	Node  string
	Cause string
	Time  time.Time
}

// ShardFailures is the history of the lease failures of one shard.
type ShardFailures struct {
	Shard       int
	Attempts    int
	Quarantined bool
	Failures    []LeaseFailure // the last one of each node, the newest last
}

// clip returns the printable runes of a text from outside, at most maxCauseBytes: the text ends up
// in terminals, and control characters could do anything there. It never ends within a rune, since
// Protobuf rejects strings that are not UTF-8.
func clip(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxCauseBytes)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}

// OneLine returns a text as one printable line of bounded length.
func OneLine(s string) string { return clip(strings.Join(strings.Fields(s), " ")) }

// add counts one more failure.
func (f *ShardFailures) add(c LeaseFailure) {
	c.Cause = clip(c.Cause)
	f.Attempts++
	f.Failures = append(slices.DeleteFunc(f.Failures, func(old LeaseFailure) bool { return old.Node == c.Node }), c)
	f.Quarantined = len(f.Failures) >= quarantineNodes || f.Attempts >= quarantineAttempts
}

// undo takes the last failure of a node back, if there was one.
func (f *ShardFailures) undo(node string) bool {
	i := slices.IndexFunc(f.Failures, func(c LeaseFailure) bool { return c.Node == node })
	if i < 0 {
		return false
	}
	f.Failures = slices.Delete(f.Failures, i, i+1)
	f.Attempts--
	return true
}

func (f *ShardFailures) clone() ShardFailures {
	c := *f
	c.Failures = append([]LeaseFailure(nil), f.Failures...)
	return c
}

// lastNode is the node of the newest failure.
func (f *ShardFailures) lastNode() string {
	if len(f.Failures) == 0 {
		return ""
	}
	return f.Failures[len(f.Failures)-1].Node
}
