package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"

	"github.com/phasegrid/phasegrid/node/solver"
)

const (
	// deliveryBytes bounds the solved shards that wait for the coordinator, per slot.
	deliveryBytes = 32 << 20
	// minDeliveryBytes is the least that a delivery counts, so that the number of empty ones is
	// bounded too.
	minDeliveryBytes = 512 << 10
)

// minHeartbeat bounds the interval of heartbeats that a coordinator may ask for.
const minHeartbeat = 10 * time.Millisecond

// Node solves shards for a coordinator.
//
// The fields from held on belong to Run's goroutine alone; slots, deliveries and the session report
// to it by events.
type Node struct {
	cfg    Config
	id     identity
	client *client
	sweeps *sweepCache
	events chan any
	starts chan *heldShard     // to the slots
	budget *semaphore.Weighted // bytes of solved shards that are not delivered
	memory *memoryBudget
	group  sync.WaitGroup  // every goroutine that Run starts
	base   context.Context // outlives Run's context by the drain
	stop   context.CancelFunc

	held     map[shardKey]*heldShard
	queue    []*heldShard  // granted, not started, in the order granted
	pace     time.Duration // exponentially weighted mean time of a slot on a shard; 0 before the first
	draining bool
	returned []lease // handed back, and not yet reported to the coordinator

	session  *session  // nil while there is none
	since    time.Time // start of the session
	failures int       // sessions lost in a row, none of which was stable

	connect      <-chan time.Time // time of the next attempt to attach
	grace, bound <-chan time.Time // ends of the drain's grace period and of the drain
	beat         *time.Timer
	interval     time.Duration // of heartbeats
}

// Events. A shard that is no longer held when its event arrives was revoked or handed back.
type (
	attached struct {
		session *session
		welcome welcome
	}
	detached struct {
		err      error
		rejected bool // the coordinator answered the hello, and would give the same answer again
	}
	solved struct {
		shard *heldShard
		took  time.Duration
	}
	delivered struct{ shard *heldShard }
	abandoned struct {
		shard *heldShard
		cause error
	}
)

// New returns a node that works for the coordinator behind conn.
func New(conn grpc.ClientConnInterface, cfg Config) *Node {
	cfg = cfg.withDefaults()
	c := newClient(conn)
	instance := make([]byte, 16)
	rand.Read(instance)
	return &Node{
		cfg: cfg,
		id: identity{
			name: cfg.Name, slots: cfg.Slots, memoryBytes: cfg.MemoryBytes, solver: ownSolver(),
			arithmeticClass: solver.ArithmeticClass(), kernel: solver.Kernel(), version: cfg.Version,
			instance: instance,
		},
		client: c,
		sweeps: &sweepCache{client: c},
		events: make(chan any),
		starts: make(chan *heldShard),
		budget: semaphore.NewWeighted(int64(cfg.Slots) * deliveryBytes),
		memory: newMemoryBudget(cfg.MemoryBytes, cfg.Slots),
		held:   map[shardKey]*heldShard{},
	}
}

// Run works until ctx ends, then drains: it starts no more shards, running ones have cfg.Grace
// to finish, finished ones are delivered and the others handed back, all within cfg.DrainTimeout.
// It returns an error if a table of optimizers or covariances is wrong, if solved shards could not
// be delivered in that time, or if the coordinator rejects the node. A node runs once.
func (n *Node) Run(ctx context.Context) error {
	if err := checkTables(); err != nil {
		return fmt.Errorf("start node %s: %w", n.cfg.Name, err)
	}
	n.base, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer n.group.Wait()
	defer n.stop()
	n.cfg.Log.Info("node started", "slots", n.id.slots, "memory_bytes", n.id.memoryBytes,
		"solver", n.id.solver.String(), "arithmetic_class", n.id.arithmeticClass, "kernel", n.id.kernel)
	for range n.cfg.Slots {
		n.group.Go(n.slot)
	}
	n.interval = time.Minute // until a welcome says otherwise
	n.beat = time.NewTimer(n.interval)
	defer n.beat.Stop()
	n.connect = time.After(0)
	err := n.loop(ctx.Done())
	if err == nil {
		n.cfg.Log.Info("node stopped")
	}
	return err
}

// loop handles events until the node has drained.
func (n *Node) loop(stop <-chan struct{}) error {
	for !n.draining || len(n.held) > 0 {
		var starts chan<- *heldShard
		var next *heldShard
		if len(n.queue) > 0 {
			starts, next = n.starts, n.queue[0]
		}
		select {
		case starts <- next:
			n.queue = n.queue[1:]
		case e := <-n.events:
			if err := n.handle(e); err != nil {
				return err
			}
		case <-n.connect:
			n.connect = nil
			m := hello{id: n.id, held: n.leases(), capacity: n.capacity()}
			n.group.Go(func() { n.attach(m) })
		case <-n.beat.C:
			n.sendHeartbeat()
			n.beat.Reset(n.interval)
		case <-stop:
			stop = nil
			n.drain()
		case <-n.grace:
			n.handBack(unsolvedShard)
		case <-n.bound:
			return n.endDrain()
		}
	}
	n.leave()
	return nil
}

// post sends an event to Run's goroutine; it returns early when the node has ended.
func (n *Node) post(event any) {
	select {
	case n.events <- event:
	case <-n.base.Done():
	}
}

// handle handles an event; an error ends the node.
func (n *Node) handle(event any) error {
	switch e := event.(type) {
	case attached:
		n.attached(e)
	case detached:
		if e.rejected {
			return fmt.Errorf("register node %s: %s", n.cfg.Name, reason(e.err))
		}
		n.detached(e.err)
	case sessionMessage:
		n.receive(e)
	case solved:
		e.shard.solved = true
		if n.pace == 0 {
			n.pace = e.took
		}
		n.pace += (e.took - n.pace) / 8
	case delivered:
		n.forget(e.shard)
	case abandoned:
		if n.holds(e.shard) && n.session != nil {
			n.logSend(n.session.send(abandon{e.shard.lease, e.cause.Error()}))
		}
		n.forget(e.shard)
	}
	return nil
}
