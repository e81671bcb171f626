package board

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

const (
	// quarantineNodes is how many different nodes must have been lost uncleanly during a shard to
	// quarantine it.
	quarantineNodes = 3
	// quarantineAttempts quarantines it too, for fleets of fewer nodes.
	quarantineAttempts = 9
	// fenceStrikes shards gone wrong on one node fence it off, for fenceFor.
	fenceStrikes = 5
	fenceFor     = 10 * time.Minute
	// forgiveCommits commits of a node take one strike away.
	forgiveCommits = 16
	maxCauseBytes  = 512
)

// Cause is one unclean loss of a shard.
type LeaseFailure struct {
	Node  string
	Cause string
	Time  time.Time
}

// Loss is the history of a shard that was lost uncleanly. A drain, a preemption or a cancel is no
// loss.
type ShardFailures struct {
	Shard       int
	Attempts    int
	Quarantined bool
	Failures    []LeaseFailure // the last one of each node
}

// clip bounds a text from outside, and takes out what is not to be printed: it comes to people's
// terminals, which control characters command. Protobuf refuses strings that are not UTF-8, so it
// never ends inside a rune.
func clip(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxCauseBytes)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}

// oneLine makes a text one printable line of bounded length, as causes of losses are kept.
func OneLine(s string) string { return clip(strings.Join(strings.Fields(s), " ")) }

// add notes one more loss.
func (l *ShardFailures) add(c LeaseFailure) {
	c.Cause = clip(c.Cause)
	l.Attempts++
	l.Failures = append(slices.DeleteFunc(l.Failures, func(old LeaseFailure) bool { return old.Node == c.Node }), c)
	l.Quarantined = len(l.Failures) >= quarantineNodes || l.Attempts >= quarantineAttempts
}

// forgive takes the last loss by a node back, if there was one: the node is there again, and still
// has the shard.
func (l *ShardFailures) forgive(node string) bool {
	i := slices.IndexFunc(l.Failures, func(c LeaseFailure) bool { return c.Node == node })
	if i < 0 {
		return false
	}
	l.Failures = slices.Delete(l.Failures, i, i+1)
	l.Attempts--
	return true
}

func (l *ShardFailures) clone() ShardFailures {
	c := *l
	c.Failures = append([]LeaseFailure(nil), l.Failures...)
	return c
}

// lastNode is the node that lost the shard last.
func (l *ShardFailures) lastNode() string {
	if len(l.Failures) == 0 {
		return ""
	}
	return l.Failures[len(l.Failures)-1].Node
}
