package coordinator

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// A simulation runs a whole cluster in one synctest bubble: coordinators with all of their real
// code, a ledger and a store in memory, nodes and clients. Each effect on the ledger and the store
// waits until the scheduler, the goroutine of the test, lets it happen; so do messages and the
// clock. Between two decisions of the scheduler every other goroutine is blocked. Its decisions
// come from a random generator, so a seed is a schedule.

// errCrashed is what a process gets from everything outside itself once it is dead.
var errCrashed = errors.New("this process has crashed")

// errInjected is a failure of the ledger or the store.
var errInjected = errors.New("injected failure")

// world is what the processes of a simulation share, and its scheduler.
type world struct {
	random *rand.Rand
	faults bool // the scheduler injects them
	log    io.Writer

	mu     sync.Mutex // guards all below, also what belongs to processes and nodes
	trace  hash.Hash
	parked []*operation
	broken []string // violated promises

	ledger    *simLedger
	store     *simStore
	processes []*process
	nodes     []*simNode
	client    *simClient
}

// operation is an effect that waits for the scheduler.
type operation struct {
	process *process
	label   string
	effect  func() error
	ready   func() bool // nil: always
	done    chan error
}

func newWorld(seed uint64, log io.Writer) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)), faults: true, trace: sha256.New(), log: log}
	w.ledger = newSimLedger(w)
	w.store = newSimStore()
	return w
}

// note adds a line to the trace. Call it with mu.
func (w *world) note(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	fmt.Fprintln(w.trace, line)
	if w.log != nil {
		fmt.Fprintf(w.log, "%s  %s\n", time.Now().Format("05.000"), line)
	}
}

// violated notes a broken promise. Call it with mu.
func (w *world) violated(format string, args ...any) {
	w.note("VIOLATED "+format, args...)
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// chance is true with probability p, while there are faults.
func (w *world) chance(p float64) bool { return w.faults && w.random.Float64() < p }

// do has the scheduler perform an effect, and waits for that. If ctx ends first the effect may
// still happen, like that of a request that is on its way.
func (w *world) do(ctx context.Context, p *process, label string, effect func() error) error {
	o := &operation{process: p, label: label, effect: effect, done: make(chan error, 1)}
	return w.wait(ctx, o)
}

func (w *world) wait(ctx context.Context, o *operation) error {
	w.mu.Lock()
	if o.process.dead {
		w.mu.Unlock()
		return errCrashed
	}
	w.parked = append(w.parked, o)
	w.mu.Unlock()
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// runnable returns the operations that may happen now, in an order that depends on the seed only.
// Call it with mu.
func (w *world) runnable() []*operation {
	var list []*operation
	for _, o := range w.parked {
		if !o.process.paused && (o.ready == nil || o.ready()) {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b *operation) int {
		return cmp.Or(cmp.Compare(a.process.number, b.process.number), cmp.Compare(a.label, b.label))
	})
	return list
}

// perform lets an operation happen, or fail: without an effect, or after it.
func (w *world) perform(o *operation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(o)
	fate := "done"
	var err error
	switch {
	case w.chance(0.02):
		fate, err = "failed", errInjected
	case w.chance(0.02):
		fate = "done, answer lost"
		_ = o.effect()
		err = errInjected
	default:
		if err = o.effect(); err != nil {
			fate = err.Error()
		}
	}
	w.note("p%d %s: %s", o.process.number, o.label, fate)
	o.done <- err
}

func (w *world) remove(o *operation) {
	w.parked = slices.DeleteFunc(w.parked, func(x *operation) bool { return x == o })
}

// settle waits until every other goroutine is blocked.
func (w *world) settle() { synctest.Wait() }

// sleep lets time pass in steps that are short enough for heartbeats.
func (w *world) sleep(d time.Duration) {
	for d > 0 {
		step := min(d, 997*time.Millisecond)
		time.Sleep(step)
		d -= step
		w.settle()
		w.ledger.expire()
		w.settle()
		for _, n := range w.nodes {
			n.beat()
			w.settle()
		}
	}
}

// process is one coordinator, from its start to its crash.
type process struct {
	world  *world
	number int
	leader *Coordinator
	nodes  *nodesServer
	sweeps *sweepsServer
	cancel context.CancelFunc
	ended  chan struct{}

	// guarded by world.mu
	dead, paused bool
	pausedAt     time.Time
	resumed      chan struct{} // closed when a pause ends
	crashAt      string        // a step of the crash table, "" for none
}

// start starts a coordinator.
func (w *world) start() *process {
	p := &process{world: w, number: len(w.processes) + 1, ended: make(chan struct{})}
	log := slog.New(slog.DiscardHandler)
	if w.log != nil {
		log = slog.New(slog.NewTextHandler(w.log, nil))
	}
	c, err := New(Config{
		Name: fmt.Sprint("p", p.number), Advertise: fmt.Sprint("p", p.number),
		Ledger: &simBackend{w.ledger, p}, Store: &simView{w.store, p},
		Mergers: 1, Logger: log, failpoint: p.failpoint,
		Cluster: "CLUSTER", // names of objects are part of the trace
	})
	if err != nil {
		panic(err)
	}
	c.backend = c.cfg.Ledger
	p.leader = c
	p.nodes = &nodesServer{leader: c, calls: c.calls, handshakes: c.handshakes}
	p.sweeps = &sweepsServer{leader: c, planner: c.planner}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	w.mu.Lock()
	w.processes = append(w.processes, p)
	w.note("p%d starts", p.number)
	w.mu.Unlock()
	go func() {
		defer close(p.ended)
		if err := c.campaignAndLead(ctx); err != nil && ctx.Err() == nil {
			w.mu.Lock()
			w.violated("coordinator p%d ended: %v", p.number, err)
			w.mu.Unlock()
		}
	}()
	return p
}

// failpoint is called at each step of the crash table, and before each tick.
func (p *process) failpoint(step string) {
	p.world.mu.Lock()
	if !p.dead && p.crashAt == step {
		p.world.note("p%d is at %s", p.number, step)
		p.crash()
	}
	paused, resumed := p.paused && !p.dead, p.resumed
	p.world.mu.Unlock()
	if paused {
		<-resumed
	}
}

// crash ends a process: from now on nothing that it does has an effect. What it has asked for may
// have happened or not. Call it with world.mu.
func (p *process) crash() {
	w := p.world
	w.note("p%d crashes", p.number)
	p.dead = true
	if p.paused {
		p.paused = false
		close(p.resumed)
	}
	for _, o := range w.runnable() {
		if o.process != p {
			continue
		}
		w.remove(o)
		if w.random.IntN(2) == 0 {
			w.note("p%d %s: happened before the crash", p.number, o.label)
			_ = o.effect()
		}
		o.done <- errCrashed
	}
	w.parked = slices.DeleteFunc(w.parked, func(o *operation) bool {
		if o.process == p {
			o.done <- errCrashed
		}
		return o.process == p
	})
	w.store.tear(w.random)
	for _, n := range w.nodes {
		if n.process == p {
			n.detach()
		}
	}
	w.ledger.forget(p)
	p.cancel()
}

// pause suspends a process, as SIGSTOP does. Call it with world.mu.
func (p *process) pause() {
	p.world.note("p%d is suspended", p.number)
	p.paused, p.pausedAt, p.resumed = true, time.Now(), make(chan struct{})
}

// resume ends a pause. Call it with world.mu.
func (p *process) resume() {
	p.world.note("p%d continues", p.number)
	p.paused = false
	close(p.resumed)
}

// living returns the processes that have not crashed. Call it with mu.
func (w *world) living() []*process {
	return slices.DeleteFunc(slices.Clone(w.processes), func(p *process) bool { return p.dead })
}

// leads returns a process that can be reached and believes that it leads, or nil.
func (w *world) leads() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range slices.Backward(w.living()) {
		if !p.paused && p.leader.term.Load() != nil {
			return p
		}
	}
	return nil
}

// sum returns the hash of everything that happened.
func (w *world) sum() string { return fmt.Sprintf("%x", w.trace.Sum(nil)[:8]) }

// equalFiles reports the first object below a result set whose bytes are not the wanted ones.
func (w *world) equalFiles(want map[string][]byte) error {
	got := w.store.files()
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			return fmt.Errorf(
				"%s has %d bytes that differ from the %d of an undisturbed run",
				name,
				len(got[name]),
				len(data),
			)
		}
	}
	return nil
}
