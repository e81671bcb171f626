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
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
)

// Config says what a coordinator works with. The zero value of a field is its default.
type Config struct {
	// Name tells coordinators apart in logs; the host name by default.
	Name string

	// Listener serves gRPC. If nil, Address is listened on: 127.0.0.1:7443 by default.
	Listener net.Listener
	Address  string
	// Advertise is the address that other coordinators name to clients; the listener's by default.
	Advertise string
	// Credentials are those of the server. Without them any listener but loopback and unix sockets
	// needs Insecure. With mutual TLS, add AuthorizeUnary and AuthorizeStream to ServerOptions.
	Credentials   credentials.TransportCredentials
	Insecure      bool
	ServerOptions []grpc.ServerOption
	// StatusListener serves /metrics, /healthz, /readyz and gRPC health in plain text. If nil,
	// StatusAddress is listened on; "" is none. Beyond loopback it needs StatusInsecure or
	// Insecure.
	StatusListener net.Listener
	StatusAddress  string
	StatusInsecure bool

	// One of these three is where the ledger lives.
	Ledger   ledger.Backend // one that is open, such as ledger.NewMemory(); Run closes it
	Embedded string         // folder of an embedded etcd, for a coordinator that is alone
	Etcd     ledger.Etcd    // a cluster

	// Store keeps result sets, Spool the shards whose part is not merged yet; Store by default.
	Store store.Store
	Spool store.Store

	// LeaseTTL is how long a node may be silent; 10 s by default. ReconnectGrace is how long one
	// may take to come back after its connection broke; 3 s by default, at most LeaseTTL.
	LeaseTTL       time.Duration
	ReconnectGrace time.Duration
	// DeliveryMemory bounds the deliveries in memory, at least one of the largest; 256 MiB by
	// default.
	DeliveryMemory int64
	// DeliveryTimeout bounds one delivery from its first byte to its answer; 2 minutes by default.
	DeliveryTimeout time.Duration
	// ChunkTimeout is how long a delivery may bring nothing while it has memory that others wait
	// for; 20 s by default.
	ChunkTimeout time.Duration
	// OpenTimeout is how long a node's new stream may take for its first message; 5 s by default.
	OpenTimeout time.Duration
	// ReaderTimeout is how long a reader of Arrow Flight may take nothing; 2 minutes by default.
	ReaderTimeout time.Duration
	// Mergers is how many parts are merged at once; one for each core by default.
	Mergers int
	// MaxPointBytes refuses sweeps with a point that needs more memory; 2 GiB by default.
	MaxPointBytes int64
	// SolverVersion that new sweeps pin; solver.Version by default.
	SolverVersion int
	// GitRevision for manifests.
	GitRevision string

	Registry *prometheus.Registry // a new one by default
	Logger   *slog.Logger

	// fail is called with the name of each step at which a process may die (see the table in the
	// package documentation). Only this package's tests can set it: they die there.
	failpoint func(step string)
}

// minLeaseTTL leaves room for heartbeats, of which there are four in a lease.
const minLeaseTTL = time.Second

// validate fills defaults in and refuses what cannot work.
func (c *Config) validate() error {
	c.fillIn()
	if c.LeaseTTL < minLeaseTTL {
		return fmt.Errorf(
			"coordinator: a lease of %v is shorter than a pause that an honest node may make: give --lease-ttl of %v or more",
			c.LeaseTTL,
			minLeaseTTL,
		)
	}
	if c.MaxPointBytes < 0 {
		return fmt.Errorf(
			"coordinator: %d bytes for a point: give --max-point-bytes above 0, or 0 for the default",
			c.MaxPointBytes,
		)
	}
	if c.Store == nil {
		return errors.New(
			"coordinator: a store for the result sets is needed: give --store file:///folder or s3://bucket",
		)
	}
	ledgers := 0
	for _, given := range []bool{c.Ledger != nil, c.Embedded != "", len(c.Etcd.Endpoints) > 0} {
		if given {
			ledgers++
		}
	}
	if ledgers != 1 {
		return errors.New("coordinator: give one place for the state: --etcd URLs or --embedded-etcd folder")
	}
	return nil
}

// fillIn gives the fields that are zero their defaults.
func (c *Config) fillIn() {
	if c.Name == "" {
		c.Name, _ = os.Hostname() // a name for logs; "" is one
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
	c.SolverVersion = cmp.Or(c.SolverVersion, solver.Version)
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.failpoint == nil {
		c.failpoint = func(string) {}
	}
	if c.Spool == nil {
		c.Spool = c.Store
	}
}
