package coordinator_test

import (
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// newRelay starts a relay to an etcd server. A cut loses connections at once: etcd itself takes
// seconds to close them.
func newRelay(t *testing.T, cfg *embed.Config) *coordtest.Relay {
	t.Helper()
	r, err := coordtest.NewRelay(cfg.ListenClientUrls[0].Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// etcdThrough is the etcd cluster behind a relay, for coordinators that wait for it only as long as
// tests can.
func etcdThrough(r *coordtest.Relay) ledger.Etcd {
	return ledger.Etcd{
		Endpoints:  []string{"http://" + r.Address()},
		SessionTTL: 2 * time.Second,
		Timeout:    time.Second,
	}
}
