package ledger

import (
	"context"
	"slices"
	"strings"
)

// ClusterState is the value of the key of the cluster: who it is to the stores that it owns.
type ClusterState struct {
	// ID is the id of the cluster; "" before its first term.
	ID string
	// Former are the ids that it had before, and those of clusters whose store it has taken over.
	Former []string
	// Nonces are those of the last entries that this ledger has written, or begun to write, to the
	// log of owners of a store (package owner), oldest first.
	Nonces []string
}

// maxNonces bounds the nonces of a ledger.
const maxNonces = 256

// Encode returns the value: a line with the ids, and one for each nonce.
func (s ClusterState) Encode() []byte {
	ids := strings.Join(append([]string{s.ID}, s.Former...), " ")
	return []byte(strings.Join(append([]string{ids}, s.Nonces...), "\n"))
}

// LoadCluster reads the state of the cluster.
func LoadCluster(ctx context.Context, ledger Reader) (s ClusterState, err error) {
	err = ledger.Load(ctx, ClusterKey, func(_ string, value []byte) error {
		lines := strings.Split(string(value), "\n")
		ids := strings.Split(lines[0], " ")
		s = ClusterState{ID: ids[0], Former: ids[1:], Nonces: lines[1:]}
		return nil
	})
	return s, err
}

// Wrote reports whether this ledger wrote the entry with a nonce.
func (s ClusterState) Wrote(nonce string) bool { return slices.Contains(s.Nonces, nonce) }

// WithNonce returns the state with one more nonce.
func (s ClusterState) WithNonce(nonce string) ClusterState {
	s.Nonces = append(slices.Clone(s.Nonces), nonce)
	s.Nonces = s.Nonces[max(0, len(s.Nonces)-maxNonces):]
	return s
}

// Succeed returns the state under another id, of a cluster that has taken over the store of
// adopted.
func (s ClusterState) Succeed(adopted, id string) ClusterState {
	former := slices.Clone(s.Former)
	for _, old := range []string{s.ID, adopted} {
		if old != "" && !slices.Contains(former, old) {
			former = append(former, old)
		}
	}
	s.ID, s.Former = id, former
	return s
}
