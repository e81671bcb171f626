package coordinator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/googleapis/gax-go/v2"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/owner"
	"github.com/phasegrid/phasegrid/sweep"
)

// Coordinator campaigns for leadership. While it leads it serves sweeps to clients and leases to
// nodes.
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
	term       atomic.Pointer[term] // nil unless this coordinator leads
}

// New returns a coordinator. It does nothing before Run.
func New(cfg Config) (*Coordinator, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if err := sweep.CheckCovariances(); err != nil {
		return nil, fmt.Errorf("start coordinator %s: %w", cfg.Name, err)
	}
	log := cfg.Logger.With("coordinator", cfg.Name)
	checks := health.NewServer()
	checks.SetServingStatus(LiveService, healthpb.HealthCheckResponse_SERVING)
	m := newMetrics(cfg.Registry)
	return &Coordinator{
		cfg: cfg, log: log, metrics: m, alarms: newAlarms(log, m.alarms), health: checks,
		calls:      &calls{log, m},
		handshakes: newHandshakes(cfg.OpenTimeout),
		planner:    newPlanner(cfg.MaxPointBytes, cfg.Solver),
	}, nil
}

// leaderServices are the services whose health is SERVING on the leader only.
var leaderServices = []string{"phasegrid.v1.Sweeps", "phasegrid.v1.Nodes", "arrow.flight.protocol.FlightService"}

// Run serves until ctx ends. It returns when every goroutine of the coordinator has ended. A
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
			c.log.Warn("ledger not closed", "error", err)
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
	if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
		c.log.Info("coordinator stopped")
		return nil
	}
	return err
}

// campaignAndLead campaigns, leads, and campaigns again. It fails if the stores are foreign from
// the start; where that turns out later, it raises an alarm and does not campaign until the stores
// are right.
func (c *Coordinator) campaignAndLead(ctx context.Context) error {
	candidacy, stores := c.alarms.reporter("etcd"), c.alarms.reporter("store")
	for first := true; ctx.Err() == nil; first = false {
		same, err := c.checkStores(ctx)
		if err != nil {
			if first && errors.Is(err, owner.ErrForeign) {
				return err
			}
			c.raiseAndWait(ctx, stores, err)
			continue
		}
		if same {
			stores.clear()
		}
		leadership, err := c.campaign(ctx, candidacy.clear)
		if errors.Is(err, owner.ErrForeign) {
			c.raiseAndWait(ctx, stores, err)
			continue
		}
		if err != nil {
			if ctx.Err() == nil {
				candidacy.raise(fmt.Errorf("campaign failed: %w", err))
				_ = gax.Sleep(ctx, retryDelay)
			}
			continue
		}
		if err := c.lead(ctx, leadership, stores); err != nil && ctx.Err() == nil {
			c.log.Warn("lost leadership", "error", err)
			_ = gax.Sleep(ctx, retryDelay)
		}
	}
	return ctx.Err()
}

// raiseAndWait raises an alarm and waits before the next attempt.
func (c *Coordinator) raiseAndWait(ctx context.Context, r *reporter, err error) {
	if ctx.Err() == nil {
		r.raise(err)
		_ = gax.Sleep(ctx, maxRetryDelay)
	}
}

// campaign waits for leadership, until a store turns out to be foreign.
func (c *Coordinator) campaign(ctx context.Context, accepted func()) (*ledger.Leadership, error) {
	ctx, withdraw := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer withdraw(nil)
	watching.Go(func() {
		if err := c.awaitForeignStore(ctx); err != nil {
			withdraw(err)
		}
	})
	leadership, err := c.backend.Campaign(ctx, c.cfg.Advertise, accepted)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, owner.ErrForeign) {
		err = cause
	}
	return leadership, err
}

// lead serves one term of leadership and resigns.
func (c *Coordinator) lead(ctx context.Context, leadership *ledger.Leadership, stores *reporter) error {
	claim, err := c.adoptStores(ctx, leadership)
	if err == nil {
		stores.clear()
		c.log.Info("became leader", "epoch", leadership.Epoch, "address", c.cfg.Advertise, "cluster", claim.Cluster)
		t := newTerm(&c.cfg, leadership, claim, c.log, c.alarms, c.metrics)
		err = t.run(ctx, leadership.Lost, func() {
			c.term.Store(t)
			c.setLeading(true)
		})
		if ctx.Err() != nil { // other losses are logged with their cause
			c.log.Info("lost leadership", "reason", "coordinator is stopping")
		}
	} else if ctx.Err() == nil && !errors.Is(err, ledger.ErrFenced) {
		stores.raise(err)
	}
	if errors.Is(err, ledger.ErrFenced) {
		c.metrics.lostSessions.Inc()
	}
	c.term.Store(nil)
	c.setLeading(false)
	resigned, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if failed := leadership.Resign(resigned); failed != nil {
		c.log.Warn("resignation failed; the next leader waits until the session expires", "error", failed)
	}
	return err
}

// setLeading sets the health of the services that only the leader serves. The coordinator itself,
// service "", is always ready.
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

// leading returns the current term, or the error that tells a caller where the leader is.
func (c *Coordinator) leading(ctx context.Context) (*term, error) {
	if t := c.term.Load(); t != nil {
		return t, nil
	}
	return nil, c.notLeader(ctx)
}

// notLeader is the error that tells a caller where the leader is.
func (c *Coordinator) notLeader(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	address, err := c.backend.Leader(ctx)
	if err != nil {
		return fmt.Errorf("%w; ask etcd for the leader: %w", &notLeaderError{alarms: c.alarms.list()}, err)
	}
	if address == c.cfg.Advertise {
		address = "" // about to lead, or just lost leadership
	}
	return &notLeaderError{address, c.alarms.list()}
}

// openBackend opens the ledger of the configuration.
func (c *Coordinator) openBackend(ctx context.Context) (ledger.Backend, error) {
	switch {
	case c.cfg.Ledger != nil:
		return c.cfg.Ledger, nil
	case c.cfg.Embedded != "":
		return ledger.StartEmbedded(ctx, c.cfg.Embedded, c.log)
	}
	return ledger.Dial(c.cfg.Etcd, c.log)
}
