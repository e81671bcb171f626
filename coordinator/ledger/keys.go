package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// Every key of the ledger. A key is a fact, and only the leader writes any of them.
//
//	/phasegrid/v1/leader/<lease>               address of a candidate, on its session; the oldest leads
//	/phasegrid/v1/sweeps/<id>                  SweepState, immutable
//	/phasegrid/v1/sweeps/<id>/phase            running | paused | done | cancelled | failed
//	/phasegrid/v1/sweeps/<id>/removing         the sweep and its result set are being removed
//	/phasegrid/v1/sweeps/<id>/class            arithmetic class, pinned with the first committed shard
//	/phasegrid/v1/sweeps/<id>/figures          figures of the last submission that had any, as JSON
//	/phasegrid/v1/sweeps/<id>/done/<part>/<n>  DoneState: one group commit in a part, or several compacted into one
//	/phasegrid/v1/sweeps/<id>/parts/<part>     PartState; replaces the done keys of the part in the same transaction
//	/phasegrid/v1/sweeps/<id>/losses/<shard>   LossState: lease failures of a shard
//	/phasegrid/v1/cluster                      ClusterState: ids of the cluster, nonces of its claims to stores
//	/phasegrid/v1/stores/results, spool        StoreState: id of a store, and its URL
//	/phasegrid/v1/nodes/<name>                 NodeRecord, on the lease of the leader's session
const (
	// Root is the prefix of every key.
	Root       = "/phasegrid/v1/"
	leaderKey  = Root + "leader"
	sweepsRoot = Root + "sweeps/"
	nodesRoot  = Root + "nodes/"
	storesRoot = Root + "stores/"

	// ClusterKey is the key of the cluster's identity.
	ClusterKey = Root + "cluster"

	// ResultsIDKey and SpoolIDKey are the keys of the ids of the stores.
	ResultsIDKey = storesRoot + "results"
	SpoolIDKey   = storesRoot + "spool"
)

// SweepKey is the key of a sweep.
func SweepKey(id string) string { return sweepsRoot + id }

// PhaseKey is the key of a sweep's phase.
func PhaseKey(id string) string { return sweepsRoot + id + "/phase" }

// RemovingKey is the key that a sweep has while it is being removed.
func RemovingKey(id string) string { return sweepsRoot + id + "/removing" }

// ClassKey is the key of a sweep's arithmetic class.
func ClassKey(id string) string { return sweepsRoot + id + "/class" }

// FiguresKey is the key of the figures that a sweep asks for.
func FiguresKey(id string) string { return sweepsRoot + id + "/figures" }

// NodeKey is the key of an attached node.
func NodeKey(name string) string { return nodesRoot + name }

// SweepPrefix is the prefix of every key of a sweep except its own.
func SweepPrefix(id string) string { return sweepsRoot + id + "/" }

// DoneKey is done key n of a part.
func DoneKey(id string, part, n int) string { return DonePrefix(id, part) + fmt.Sprintf("%08d", n) }

// DonePrefix is the prefix of the done keys of a part.
func DonePrefix(id string, part int) string {
	return sweepsRoot + id + fmt.Sprintf("/done/%06d/", part)
}

// PartKey is the key of a part.
func PartKey(id string, part int) string { return sweepsRoot + id + fmt.Sprintf("/parts/%06d", part) }

// FailuresKey is the key of the lease failures of a shard.
func FailuresKey(id string, shard int) string {
	return sweepsRoot + id + fmt.Sprintf("/losses/%07d", shard)
}

// splitSweepKey splits a key under sweepsRoot into the id of the sweep, the kind of the key ("" for
// the sweep itself), and its numbers.
func splitSweepKey(key string) (id, what string, numbers []int, err error) {
	words := strings.Split(strings.TrimPrefix(key, sweepsRoot), "/")
	id = words[0]
	if len(words) > 1 {
		what = words[1]
		for _, w := range words[2:] {
			n, err := strconv.Atoi(w)
			if err != nil || n < 0 {
				return "", "", nil, fmt.Errorf("parse ledger key %q: %q is not a number", key, w)
			}
			numbers = append(numbers, n)
		}
	}
	want := map[string]int{
		"":         0,
		"phase":    0,
		"removing": 0,
		"class":    0,
		"figures":  0,
		"done":     2,
		"parts":    1,
		"losses":   1,
	}
	if len(numbers) != want[what] {
		return "", "", nil, fmt.Errorf("parse ledger key %q: got %d numbers, want %d", key, len(numbers), want[what])
	}
	return id, what, numbers, nil
}
