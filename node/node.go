package node

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"

	"github.com/phasegrid/phasegrid/node/solver"
)

// deliveryBytes of solved shards may wait for the coordinator, for each slot.
const deliveryBytes = 32 << 20

// minDeliveryBytes is what a delivery counts at least, so that many empty ones are bounded too.
const minDeliveryBytes = 512 << 10

// ahead is how long the queue of granted shards should last; maxAhead bounds it in shards for each
// slot.
const (
	ahead    = 500 * time.Millisecond
	maxAhead = 128
)

// What a coordinator takes.
const (
	maxNameBytes = 253
	maxSlots     = 1 << 16
)

// errRevoked is the cause of cancelling a shard that the coordinator no longer wants.
var errRevoked = errors.New("revoked by the coordinator")

// errDrained is the cause of cancelling a shard that the node hands back.
var errDrained = errors.New("handed back: the node drains")

// Node solves shards for a coordinator.
//
// The fields from held on belong to Run's goroutine alone; slots, deliveries and the connection
// tell it what happened by events.
type Node struct {
	cfg    Config
	id     identity
	client *client
	specs  *specs
	events chan any
	jobs   chan *work
	budget *semaphore.Weighted // bytes of solved shards on their way
	memory *memoryBudget
	group  sync.WaitGroup  // every goroutine that Run starts
	base   context.Context // outlives Run's context by the drain
	stop   context.CancelFunc

	held     map[key]*work
	queue    []*work       // granted, not started, in the order granted
	pace     time.Duration // mean time of a slot on a shard, exponentially weighted; 0 before the first
	session  *session      // nil while there is no connection
	since    time.Time     // when the session began
	failures int           // connections lost in a row, none of which lasted
	draining bool
	returned []lease // handed back and not yet told
}

// Events. A work that is no longer held by the time its event arrives was revoked or handed back.
type (
	attached struct {
		session *session
		welcome welcome
	}
	detached struct {
		err     error
		refused bool // the coordinator answered the hello, and would answer it so again
	}
	solved struct {
		work *work
		took time.Duration
	}
	delivered struct{ work *work }
	abandoned struct {
		work  *work
		cause error
	}
)

// New returns a node that will work for the coordinator behind conn.
func New(conn grpc.ClientConnInterface, cfg Config) *Node {
	if cfg.Name == "" {
		host, _ := os.Hostname()
		cfg.Name = fmt.Sprintf("%s-%d", cmp.Or(host, "node"), os.Getpid())
	}
	if cfg.Slots <= 0 {
		cfg.Slots = runtime.GOMAXPROCS(0)
	}
	if cfg.MemoryBytes <= 0 {
		cfg.MemoryBytes = availableMemory()
	}
	if cfg.DrainTimeout <= 0 {
		cfg.DrainTimeout = 10 * time.Second
	}
	if cfg.NewSolver == nil {
		cfg.NewSolver = func() Solver { return solver.New() }
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	cfg.Log = cfg.Log.With("node", cfg.Name)
	c := newClient(conn)
	instance := make([]byte, 16)
	rand.Read(instance)
	return &Node{
		cfg: cfg,
		id: identity{
			name: cfg.Name, slots: cfg.Slots, memoryBytes: cfg.MemoryBytes, solverVersion: solver.Version,
			arithmeticClass: solver.ArithmeticClass(), kernel: solver.Kernel(), version: cfg.Version,
			instance: instance,
		},
		client: c,
		specs:  &specs{client: c},
		events: make(chan any),
		jobs:   make(chan *work),
		budget: semaphore.NewWeighted(int64(cfg.Slots) * deliveryBytes),
		memory: newMemoryBudget(cfg.MemoryBytes, cfg.Slots),
		held:   map[key]*work{},
	}
}

// Run works until ctx ends, then drains: no shard is started any more, running ones have cfg.Grace
// to finish, finished ones are delivered, the rest is handed back, all within cfg.DrainTimeout. It
// returns an error where that time was too short to deliver what was finished, and where the
// coordinator refuses the node as it is. A node runs once.
func (n *Node) Run(ctx context.Context) error {
	n.base, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer n.group.Wait()
	defer n.stop()
	for range n.cfg.Slots {
		n.group.Go(n.slot)
	}

	beat := time.NewTimer(0)
	defer beat.Stop()
	connect := time.After(0)
	stop := ctx.Done()
	var grace, bound <-chan time.Time
	var interval time.Duration
	for !n.draining || len(n.held) > 0 {
		var jobs chan<- *work
		var next *work
		if len(n.queue) > 0 {
			jobs, next = n.jobs, n.queue[0]
		}
		select {
		case jobs <- next:
			n.queue = n.queue[1:]
		case e := <-n.events:
			switch e := e.(type) {
			case attached:
				n.attached(e)
				interval = max(e.welcome.heartbeat, 10*time.Millisecond)
				beat.Reset(interval)
			case detached:
				wait := n.detached(e)
				if e.refused {
					return fmt.Errorf("the coordinator does not take this node: %w", e.err)
				}
				connect = time.After(wait)
			default:
				n.handle(e)
			}
		case <-connect:
			connect = nil
			held, capacity := n.leases(), n.capacity()
			n.group.Go(func() { n.attach(held, capacity) })
		case <-beat.C:
			n.beat()
			beat.Reset(max(interval, 10*time.Millisecond))
		case <-stop:
			stop = nil
			n.drain()
			// What is left of the bound is for saying so.
			grace, bound = time.After(n.cfg.Grace), time.After(n.cfg.DrainTimeout-n.byeTimeout())
		case <-grace:
			n.handBack(func(w *work) bool { return !w.solved })
		case <-bound:
			n.handBack(func(w *work) bool { return !w.solved }) // where the grace is the longer one
			late := len(n.held)
			n.handBack(func(*work) bool { return true })
			n.leave()
			if late == 0 {
				return nil
			}
			return fmt.Errorf(
				"%d finished shards could not be delivered within %v; they will be computed again",
				late,
				n.cfg.DrainTimeout,
			)
		}
	}
	n.leave()
	return nil
}

// post tells Run's goroutine; it gives up when the node has ended.
func (n *Node) post(event any) {
	select {
	case n.events <- event:
	case <-n.base.Done():
	}
}

// attach holds a connection from hello to its end. It runs beside Run, one at a time.
func (n *Node) attach(held []lease, capacity int) {
	s, err := n.client.attach(n.base, n.id, held, capacity)
	if err != nil {
		n.lose(err, hopeless(err))
		return
	}
	defer s.end()
	welcomed := false
	for {
		m, err := s.receive()
		if err != nil {
			n.lose(err, !welcomed && hopeless(err))
			return
		}
		if m.welcome != nil {
			welcomed = true
			n.post(attached{s, *m.welcome})
			continue
		}
		n.post(m)
	}
}

// lose reports a session's end. Who was silent may stay so for long: the next attempt shall not
// wait for it.
func (n *Node) lose(err error, refused bool) {
	if errors.Is(err, errSilent) {
		err = errors.Join(err, n.client.renew())
	}
	n.post(detached{err, refused})
}

func (n *Node) attached(e attached) {
	n.session, n.since = e.session, time.Now()
	n.cfg.Metrics.attached.Set(1)
	n.cfg.Log.Info("attached to the coordinator", "lease_ttl", e.welcome.leaseTTL, "held", len(n.held))
	n.beat()
	if n.draining {
		n.sendDrain()
	}
}

// detached returns how long to wait before the next attempt.
func (n *Node) detached(e detached) time.Duration {
	if n.session != nil && time.Since(n.since) > lasting {
		n.failures = 0
	}
	n.session = nil
	n.cfg.Metrics.attached.Set(0)
	n.failures++
	wait := backOff(n.failures, e.err)
	level := slog.LevelInfo // a coordinator that starts or is replaced is nothing to worry about
	if n.failures%worrisomeFailures == 0 || n.failures == 1 && nameTaken(e.err) {
		level = slog.LevelWarn
	}
	n.cfg.Log.Log(
		n.base,
		level,
		"no connection to the coordinator",
		"error",
		e.err,
		"attempt",
		n.failures,
		"retry_in",
		wait,
	)
	return wait
}

// handle takes every event that does not concern the connection itself.
func (n *Node) handle(event any) {
	switch e := event.(type) {
	case downward:
		switch {
		case e.refused != "":
			n.cfg.Log.Error("the coordinator gives this node no work", "reason", e.refused)
		case e.revoke != nil:
			n.revoke(e.revoke)
		default:
			n.grant(e.grant)
		}
	case solved:
		e.work.solved = true
		if n.pace == 0 {
			n.pace = e.took
		}
		n.pace += (e.took - n.pace) / 8
	case delivered:
		n.forget(e.work)
	case abandoned:
		if n.holds(e.work) && n.session != nil {
			n.logSend(n.session.abandon(e.work.lease, e.cause.Error()))
		}
		n.forget(e.work)
	}
}

func (n *Node) grant(leases []lease) {
	for _, l := range leases {
		if n.held[l.key] != nil {
			continue // granted again after a reconnect: the work goes on
		}
		if n.draining {
			n.returned = append(n.returned, l)
			continue
		}
		w := &work{lease: l}
		w.ctx, w.cancel = context.WithCancelCause(n.base)
		n.held[l.key] = w
		n.queue = append(n.queue, w)
	}
	if n.draining {
		n.sendDrain()
	}
}

func (n *Node) revoke(keys []key) {
	for _, k := range keys {
		if w := n.held[k]; w != nil {
			n.forget(w)
			w.cancel(errRevoked)
			n.cfg.Metrics.shards.WithLabelValues("revoked").Inc()
		}
	}
}

func (n *Node) holds(w *work) bool { return n.held[w.key] == w }

// forget ends the node's interest in a shard.
func (n *Node) forget(w *work) {
	if !n.holds(w) {
		return
	}
	w.cancel(nil)
	delete(n.held, w.key)
	n.queue = slices.DeleteFunc(n.queue, func(q *work) bool { return q == w })
}

// capacity is how many shards this node wants to hold: those its slots work on, the same again on
// their way, and a queue that lasts for a moment, so that cheap shards do not wait for the
// coordinator.
func (n *Node) capacity() int {
	if n.draining {
		return 0
	}
	queue := n.cfg.Slots
	if n.pace > 0 {
		queue = int(min(float64(n.cfg.Slots)*float64(ahead)/float64(n.pace), float64(n.cfg.Slots*maxAhead)))
	}
	return 2*n.cfg.Slots + queue
}

func (n *Node) beat() {
	if n.session != nil {
		n.logSend(n.session.heartbeat(n.capacity()))
	}
}

// leases lists what the node holds.
func (n *Node) leases() []lease {
	var out []lease
	for _, w := range n.held {
		out = append(out, w.lease)
	}
	return out
}

// logSend notes a failed send. The receiver reports the same failure as the connection's end, which
// is what acts on it.
func (n *Node) logSend(err error) {
	if err != nil {
		n.cfg.Log.Debug("send failed", "error", err)
	}
}
