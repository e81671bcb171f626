package coordinator

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/credentials"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// Config is the configuration of a coordinator. The zero value of a field is its default.
type Config struct {
	// Name identifies the coordinator in logs; the host name by default.
	Name string

	// Listener serves gRPC. If nil, the coordinator listens on Address, 127.0.0.1:7443 by default.
	Listener net.Listener
	Address  string
	// Advertise is the address that other coordinators give to clients; that of the listener by
	// default.
	Advertise string
	// Credentials are those of the server. Without them a listener beyond loopback and unix sockets
	// needs Insecure. With mutual TLS, Authorize restricts callers to what the role in their
	// certificate may call; see admission.Role.
	Credentials credentials.TransportCredentials
	Insecure    bool
	Authorize   bool
	// PeerConnections bounds the connections of one address; see admission.ConnectionCaps.
	PeerConnections int
	// StatusListener serves /metrics, /healthz, /readyz and gRPC health in plain text. If nil, the
	// coordinator listens on StatusAddress; "" is none. Beyond loopback it needs StatusInsecure or
	// Insecure.
	StatusListener net.Listener
	StatusAddress  string
	StatusInsecure bool

	// Exactly one of these is where the ledger is stored.
	Ledger   ledger.Backend // already open; Run closes it
	Embedded string         // folder of an embedded etcd, for a single coordinator
	Etcd     ledger.Etcd    // an etcd cluster

	// Store has the result sets, Spool the shards whose part is not merged yet. Spool is Store by
	// default.
	Store store.Store
	Spool store.Store
	// AdoptStore is the id of a cluster that owns the store of the spool and is gone: this one
	// takes its place.
	AdoptStore string
	// Cluster is the id of a ledger that has none yet; a random one by default.
	Cluster string

	// LeaseTTL is the time after which a node without heartbeats loses its leases; 10 s by default.
	// ReconnectGrace is the time after which a node whose stream broke loses them; 3 s by default,
	// at most LeaseTTL.
	LeaseTTL       time.Duration
	ReconnectGrace time.Duration
	// DeliveryMemory bounds the bytes of deliveries in memory; by default, and at least, that of
	// one delivery of the largest size.
	DeliveryMemory int64
	// DeliveryTimeout bounds one delivery from its first byte to its answer; 2 minutes by default.
	DeliveryTimeout time.Duration
	// ChunkTimeout bounds the wait for the next chunk of a delivery, which holds memory that others
	// wait for; 20 s by default.
	ChunkTimeout time.Duration
	// OpenTimeout bounds the wait for the first message of a new stream; 5 s by default.
	OpenTimeout time.Duration
	// ReaderTimeout bounds the time in which a reader of Arrow Flight takes nothing; 2 minutes by
	// default.
	ReaderTimeout time.Duration
	// Mergers is how many parts are merged at once; GOMAXPROCS by default.
	Mergers int
	// MaxPointBytes is the most memory that a point may need; sweeps with a larger one are
	// rejected. 2 GiB by default.
	MaxPointBytes int64
	// Solver is the solver of new sweeps; the built-in one by default.
	Solver sweep.SolverIdentity
	// GitRevision is written to manifests.
	GitRevision string

	Registry *prometheus.Registry // a new one by default
	Logger   *slog.Logger

	// failpoint is called with the name of each step at which a process may die (see the table in
	// the package documentation). Only tests of this package set it, and die there.
	failpoint func(step string)
	// guardEvery is the period of guardClaim; another one in tests of this package only.
	guardEvery time.Duration
}

// minLeaseTTL leaves room for four heartbeats in a lease.
const minLeaseTTL = time.Second

// validate fills in defaults and returns an error for a configuration that cannot work.
func (c *Config) validate() error {
	c.fillIn()
	if c.LeaseTTL < minLeaseTTL {
		return fmt.Errorf(
			"configure coordinator: got lease TTL %v, want at least %v; set --lease-ttl", c.LeaseTTL, minLeaseTTL,
		)
	}
	if c.MaxPointBytes < 0 {
		return fmt.Errorf(
			"configure coordinator: got %d as the memory of a point, want 0 (default) or more; set --max-point-bytes",
			c.MaxPointBytes,
		)
	}
	if c.PeerConnections < 0 {
		return fmt.Errorf(
			"configure coordinator: got %d connections of an address, want 0 (default) or more; set --peer-connections",
			c.PeerConnections,
		)
	}
	if c.Store == nil {
		return errors.New(
			"configure coordinator: no store for result sets; set --store file:///folder or s3://bucket",
		)
	}
	ledgers := 0
	for _, given := range []bool{c.Ledger != nil, c.Embedded != "", len(c.Etcd.Endpoints) > 0} {
		if given {
			ledgers++
		}
	}
	if ledgers != 1 {
		return errors.New("configure coordinator: exactly one ledger is required; set --etcd or --embedded-etcd")
	}
	return nil
}

// fillIn sets fields that are zero to their defaults.
func (c *Config) fillIn() {
	if c.Name == "" {
		c.Name, _ = os.Hostname() // for logs; may be empty
	}
	c.Address = cmp.Or(c.Address, "127.0.0.1:7443")
	c.LeaseTTL = cmp.Or(c.LeaseTTL, 10*time.Second)
	c.ReconnectGrace = cmp.Or(c.ReconnectGrace, min(3*time.Second, c.LeaseTTL))
	c.DeliveryMemory = max(c.DeliveryMemory, results.MaxPayloadBytes)
	c.DeliveryTimeout = cmp.Or(c.DeliveryTimeout, 2*time.Minute)
	c.ChunkTimeout = cmp.Or(c.ChunkTimeout, 20*time.Second)
	c.OpenTimeout = cmp.Or(c.OpenTimeout, 5*time.Second)
	c.ReaderTimeout = cmp.Or(c.ReaderTimeout, 2*time.Minute)
	if c.Mergers < 1 {
		c.Mergers = runtime.GOMAXPROCS(0)
	}
	c.Solver = cmp.Or(c.Solver, sweep.BuiltinSolver(solver.Version))
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.guardEvery = cmp.Or(c.guardEvery, checkStoresEvery)
	if c.failpoint == nil {
		c.failpoint = func(string) {}
	}
	if c.Spool == nil {
		c.Spool = c.Store
	}
}
