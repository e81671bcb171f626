package coordinator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/phasegrid/phasegrid/coordinator/board"
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
	if c.Name == "" {
		c.Name, _ = os.Hostname() // a name for logs; "" is one
	}
	if c.Address == "" {
		c.Address = "127.0.0.1:7443"
	}
	if c.LeaseTTL == 0 {
		c.LeaseTTL = 10 * time.Second
	}
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
	if c.ReconnectGrace == 0 {
		c.ReconnectGrace = min(3*time.Second, c.LeaseTTL)
	}
	c.DeliveryMemory = max(c.DeliveryMemory, results.MaxPayloadBytes)
	if c.DeliveryTimeout == 0 {
		c.DeliveryTimeout = 2 * time.Minute
	}
	if c.ChunkTimeout == 0 {
		c.ChunkTimeout = 20 * time.Second
	}
	if c.OpenTimeout == 0 {
		c.OpenTimeout = 5 * time.Second
	}
	if c.ReaderTimeout == 0 {
		c.ReaderTimeout = 2 * time.Minute
	}
	if c.Mergers < 1 {
		c.Mergers = runtime.GOMAXPROCS(0)
	}
	if c.SolverVersion == 0 {
		c.SolverVersion = solver.Version
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.failpoint == nil {
		c.failpoint = func(string) {}
	}
	if c.Store == nil {
		return errors.New(
			"coordinator: a store for the result sets is needed: give --store file:///folder or s3://bucket",
		)
	}
	if c.Spool == nil {
		c.Spool = c.Store
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

// Coordinator serves sweeps to clients and leases to nodes while it leads.
type Coordinator struct {
	cfg        Config
	log        *slog.Logger
	metrics    *metrics
	alarms     *alarms
	health     *health.Server
	calls      *calls
	handshakes *handshakes
	planner    *planner
	backend    ledger.Backend
	term       atomic.Pointer[term] // nil while another leads
}

// New returns a coordinator. It does nothing before Run.
func New(cfg Config) (*Coordinator, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	log := cfg.Logger.With("coordinator", cfg.Name)
	checks := health.NewServer()
	checks.SetServingStatus(LiveService, healthpb.HealthCheckResponse_SERVING)
	m := newMetrics(cfg.Registry)
	return &Coordinator{
		cfg: cfg, log: log, metrics: m, alarms: newAlarms(log, m.alarms), health: checks,
		calls:      &calls{log, m},
		handshakes: newHandshakes(cfg.OpenTimeout),
		planner:    newPlanner(cfg.MaxPointBytes, cfg.SolverVersion),
	}, nil
}

// The services whose health tells who leads.
var leaderServices = []string{"phasegrid.v1.Sweeps", "phasegrid.v1.Nodes", "arrow.flight.protocol.FlightService"}

// Run serves until ctx ends, and returns when every goroutine of the coordinator has ended. A
// Coordinator runs once.
func (c *Coordinator) Run(ctx context.Context) error {
	listener, status, err := c.listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	if status != nil {
		defer status.Close()
	}
	if c.cfg.Advertise == "" {
		c.cfg.Advertise = listener.Addr().String()
	}
	if c.backend, err = c.openBackend(ctx); err != nil {
		return err
	}
	defer func() {
		if err := c.backend.Close(); err != nil {
			c.log.Warn("close the ledger", "error", err)
		}
	}()
	c.setLeading(false)
	server := c.newServer()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Serve(listener) })
	if status != nil {
		g.Go(func() error {
			return ServeProbes(ctx, status, c.cfg.Registry, c.health, map[string]http.HandlerFunc{"/readyz": c.readyz})
		})
	}
	g.Go(func() error {
		defer stopServer(server, c.health)
		return c.campaignAndLead(ctx)
	})
	err = g.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// govern campaigns, leads, and campaigns again. It fails if the stores are not the cluster's from
// the start; where that turns out later this coordinator says so, and does not campaign until they
// are.
func (c *Coordinator) campaignAndLead(ctx context.Context) error {
	candidacy, stores := c.alarms.reporter("etcd"), c.alarms.reporter("store")
	for first := true; ctx.Err() == nil; first = false {
		same, err := c.checkStores(ctx)
		if err != nil {
			if first && errors.Is(err, errForeignStore) {
				return err
			}
			c.raiseAndWait(ctx, stores, err)
			continue
		}
		if same {
			stores.clear()
		}
		leadership, err := c.campaign(ctx, candidacy.clear)
		if errors.Is(err, errForeignStore) {
			c.raiseAndWait(ctx, stores, err)
			continue
		}
		if err != nil {
			if ctx.Err() == nil {
				candidacy.raise(board.OneLine("campaign: " + err.Error()))
				pause(ctx, retryDelay)
			}
			continue
		}
		if err := c.lead(ctx, leadership, stores); err != nil && ctx.Err() == nil {
			c.log.Warn("leads no more", "error", err)
			pause(ctx, retryDelay)
		}
	}
	return ctx.Err()
}

func (c *Coordinator) raiseAndWait(ctx context.Context, about *reporter, err error) {
	if ctx.Err() == nil {
		about.raise(board.OneLine(err.Error()))
		pause(ctx, maxRetryDelay)
	}
}

// campaign campaigns for as long as the stores may be the cluster's.
func (c *Coordinator) campaign(ctx context.Context, standing func()) (*ledger.Leadership, error) {
	ctx, withdraw := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer withdraw(nil)
	watching.Go(func() {
		if err := c.awaitForeignStore(ctx); err != nil {
			withdraw(err)
		}
	})
	leadership, err := c.backend.Campaign(ctx, c.cfg.Advertise, standing)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errForeignStore) {
		err = cause
	}
	return leadership, err
}

// lead serves one leadership and gives it up.
func (c *Coordinator) lead(ctx context.Context, leadership *ledger.Leadership, stores *reporter) error {
	err := c.adoptStores(ctx, leadership.Ledger)
	if err == nil {
		stores.clear()
		c.log.Info("leads", "epoch", leadership.Epoch)
		t := newTerm(&c.cfg, leadership, c.log, c.alarms, c.metrics)
		err = t.run(ctx, leadership.Lost, func() {
			c.term.Store(t)
			c.setLeading(true)
		})
	} else if ctx.Err() == nil && !errors.Is(err, ledger.ErrFenced) {
		stores.raise(board.OneLine(err.Error()))
	}
	if errors.Is(err, ledger.ErrFenced) {
		c.metrics.leaseFailures.Inc()
	}
	c.term.Store(nil)
	c.setLeading(false)
	resigned, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if failed := leadership.Resign(resigned); failed != nil {
		c.log.Warn("resign; the next leader waits for this one's lease to expire", "error", failed)
	}
	return err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// setLeading tells by health whether this coordinator leads. It is Ready, service "", in any case.
func (c *Coordinator) setLeading(leads bool) {
	state := healthpb.HealthCheckResponse_NOT_SERVING
	if leads {
		state = healthpb.HealthCheckResponse_SERVING
		c.metrics.leader.Set(1)
	} else {
		c.metrics.resetLeader()
	}
	for _, service := range leaderServices {
		c.health.SetServingStatus(service, state)
	}
}

// leading is the present term, or the error that tells a caller where to go.
func (c *Coordinator) leading(ctx context.Context) (*term, error) {
	if t := c.term.Load(); t != nil {
		return t, nil
	}
	return nil, c.notLeader(ctx)
}

func (c *Coordinator) notLeader(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	address, err := c.backend.Leader(ctx)
	if err != nil {
		return fmt.Errorf("%w; etcd: %w", &notLeaderError{alarms: c.alarms.list()}, err)
	}
	if address == c.cfg.Advertise {
		address = "" // about to lead, or just did
	}
	return &notLeaderError{address, c.alarms.list()}
}

// openBackend opens the ledger that the configuration names.
func (c *Coordinator) openBackend(ctx context.Context) (ledger.Backend, error) {
	switch {
	case c.cfg.Ledger != nil:
		return c.cfg.Ledger, nil
	case c.cfg.Embedded != "":
		return ledger.StartEmbedded(ctx, c.cfg.Embedded, c.log)
	}
	return ledger.Dial(c.cfg.Etcd, c.log)
}
