package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// Every key in etcd. A key that exists is a fact; only the leader writes any of them.
//
//	/phasegrid/v1/leader                       address of the leader, on the lease of its session
//	/phasegrid/v1/sweeps/<id>                  SweepState, immutable
//	/phasegrid/v1/sweeps/<id>/phase            running | paused | done | cancelled | failed
//	/phasegrid/v1/sweeps/<id>/removing         the sweep and its result set are being removed; goes with the sweep's other keys
//	/phasegrid/v1/sweeps/<id>/class            arithmetic class, pinned by the first committed shard
//	/phasegrid/v1/sweeps/<id>/done/<part>/<n>  DoneState: one group commit in a part, or many folded into one
//	/phasegrid/v1/sweeps/<id>/parts/<part>     PartState; the part's done keys go in the same transaction
//	/phasegrid/v1/sweeps/<id>/losses/<shard>   LossState
//	/phasegrid/v1/stores/results, spool        id of a store, and where the leader that noted it had it (see storeid.go)
//	/phasegrid/v1/nodes/<name>                 NodeRecord, on the lease of the leader's session
const (
	Root       = "/phasegrid/v1/"
	leaderKey  = Root + "leader"
	sweepsRoot = Root + "sweeps/"
	NodesRoot  = Root + "nodes/"
	storesRoot = Root + "stores/"

	ResultsIDKey = storesRoot + "results"
	SpoolIDKey   = storesRoot + "spool"
)

func SweepKey(id string) string    { return sweepsRoot + id }
func PhaseKey(id string) string    { return sweepsRoot + id + "/phase" }
func RemovingKey(id string) string { return sweepsRoot + id + "/removing" }
func ClassKey(id string) string    { return sweepsRoot + id + "/class" }
func NodeKey(name string) string   { return NodesRoot + name }

// belowSweep is the prefix of everything of a sweep but its own key.
func SweepPrefix(id string) string { return sweepsRoot + id + "/" }

func DoneKey(id string, part, n int) string { return DonePrefix(id, part) + fmt.Sprintf("%08d", n) }

func DonePrefix(id string, part int) string {
	return sweepsRoot + id + fmt.Sprintf("/done/%06d/", part)
}

func PartKey(id string, part int) string { return sweepsRoot + id + fmt.Sprintf("/parts/%06d", part) }

func FailuresKey(id string, shard int) string {
	return sweepsRoot + id + fmt.Sprintf("/losses/%07d", shard)
}

// splitSweepKey takes a key under sweepsRoot apart: the sweep's id, what the key is ("" for the
// sweep itself), its numbers.
func splitSweepKey(key string) (id, what string, numbers []int, err error) {
	words := strings.Split(strings.TrimPrefix(key, sweepsRoot), "/")
	id = words[0]
	if len(words) > 1 {
		what = words[1]
		for _, w := range words[2:] {
			n, err := strconv.Atoi(w)
			if err != nil || n < 0 {
				return "", "", nil, fmt.Errorf("etcd key %q: %q is not a number", key, w)
			}
			numbers = append(numbers, n)
		}
	}
	if want := map[string]int{"": 0, "phase": 0, "removing": 0, "class": 0, "done": 2, "parts": 1, "losses": 1}; len(
		numbers,
	) != want[what] {
		return "", "", nil, fmt.Errorf("etcd key %q: %d numbers where %d are expected", key, len(numbers), want[what])
	}
	return id, what, numbers, nil
}
