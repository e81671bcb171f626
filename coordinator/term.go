package coordinator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/googleapis/gax-go/v2"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/owner"
	"github.com/phasegrid/phasegrid/coordinator/spool"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

const (
	tickEvery = 100 * time.Millisecond
	// stalledAfter is how late a tick is only if the process was suspended.
	stalledAfter = time.Second
	// minRetryDelay and maxRetryDelay bound the wait between attempts to write to a failing ledger
	// or store.
	minRetryDelay = 20 * time.Millisecond
	maxRetryDelay = 2 * time.Second
)

// term is one term of leadership: everything that a leader has and that ends with its leadership.
//
// Ownership: the fields from board to withheld belong to the loop goroutine, to which others send
// functions through inbox. Fields below mu are guarded by it. Everything else has a lock of its own
// or never changes.
type term struct {
	cfg     *Config
	ledger  ledger.Ledger
	epoch   uint64
	claim   *owner.Claim
	spool   *spool.Spool
	index   *index
	log     *slog.Logger
	alarms  *alarms
	metrics *metrics
	ended   <-chan struct{}

	budget  *semaphore.Weighted // bytes of deliveries in memory
	reading *semaphore.Weighted // bytes of shards in memory for readers

	board      *board.Board
	tokens     uint64
	waiters    map[uint64]func(board.Answer)
	incoming   map[uint64]*incoming
	unsaved    int            // steps of the board whose actions wait for the ledger
	confirming int            // confirmations of leadership that are under way
	withheld   []board.Action // grants that wait for them

	inbox   *queue[func()]
	saves   *queue[save]
	commits *queue[*incoming]
	files   *queue[fileJob] // merges and other work on files
	failing *queue[fileJob]

	submit  *semaphore.Weighted // held while a sweep is created or reopened
	orphans map[string][]string // see ledger.LoadSweeps; guarded by submit

	mu     sync.RWMutex
	sweeps map[string]*entry
	nodes  map[uint64]*nodeStream
	conns  uint64
}

// entry is one sweep of the term.
type entry struct {
	design  *design
	failure string                   // why this release cannot plan it, or ""
	parts   map[int]ledger.PartState // guarded by term.mu
	figures []figure.Figure          // guarded by term.mu
}

func newTerm(
	cfg *Config, l *ledger.Leadership, claim *owner.Claim, log *slog.Logger, alarms *alarms, metrics *metrics,
) *term {
	log = log.With("epoch", l.Epoch)
	sp := spool.New(cfg.Spool, claim.Cluster, l.Epoch, log)
	return &term{
		cfg: cfg, ledger: l.Ledger, epoch: l.Epoch, claim: claim, spool: sp, index: newIndex(sp), log: log,
		alarms: alarms, metrics: metrics,
		budget:  semaphore.NewWeighted(cfg.DeliveryMemory),
		reading: semaphore.NewWeighted(readerMemory),
		submit:  semaphore.NewWeighted(1),
		board:   board.New(cfg.LeaseTTL, min(cfg.LeaseTTL, cfg.ReconnectGrace), l.Epoch<<32),
		waiters: map[uint64]func(board.Answer){}, incoming: map[uint64]*incoming{},
		inbox: newQueue[func()](), saves: newQueue[save](), commits: newQueue[*incoming](),
		files: newQueue[fileJob](), failing: newQueue[fileJob](),
		sweeps: map[string]*entry{}, nodes: map[uint64]*nodeStream{},
	}
}

// failpoint is where a crash test ends the process.
func (t *term) failpoint(step string) { t.cfg.failpoint(step) }

// run leads until ctx ends, the leadership is lost or an error is final. It returns when every
// goroutine of the term has ended. It calls ready once requests can be served.
func (t *term) run(ctx context.Context, lost <-chan struct{}, ready func()) error {
	g, ctx := errgroup.WithContext(ctx)
	t.ended = ctx.Done()
	g.Go(func() error {
		select {
		case <-lost:
			return ledger.ErrFenced
		case <-ctx.Done():
			return nil
		}
	})
	states, err := t.load(ctx)
	if err != nil {
		g.Go(func() error { return err })
		return g.Wait()
	}
	g.Go(func() error { return t.loop(ctx) })
	g.Go(func() error { return t.saver(ctx) })
	g.Go(func() error { return t.committer(ctx) })
	g.Go(func() error {
		t.cleanUp(ctx, states)
		for range t.cfg.Mergers {
			g.Go(func() error { return t.fileWorker(ctx) })
		}
		return nil
	})
	g.Go(func() error { return t.retryFiles(ctx) })
	g.Go(func() error { return t.guardClaim(ctx) })
	ready()
	err = g.Wait()
	t.endFiles()
	t.closeNodes()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// loop owns the board: it runs the functions of inbox and lets time pass.
func (t *term) loop(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			last = t.tick(last)
			t.measure()
		case <-t.inbox.ready:
			last = t.tick(last)
			for _, f := range t.inbox.all() {
				f()
			}
		}
	}
}

// tick passes the time to the board. A late tick means that this process was suspended, and could
// not receive heartbeats meanwhile.
func (t *term) tick(last time.Time) (now time.Time) {
	t.failpoint("before-tick")
	now = time.Now()
	if gap := now.Sub(last); gap > stalledAfter {
		t.log.Warn("process was suspended; extending node deadlines", "duration", gap)
		t.step(board.Stalled{Gap: gap})
		t.confirmLeadership()
	}
	t.step(board.Tick{Now: now})
	return now
}

// post passes an event to the board from another goroutine.
func (t *term) post(event board.Event) { t.inbox.put(func() { t.step(event) }) }

// retry calls do until it succeeds, returns ErrFenced, or ctx ends. Meanwhile an alarm about
// subject is active.
func (t *term) retry(ctx context.Context, subject string, do func() error) error {
	reporter := t.alarms.reporter(subject)
	// Also if the term ends first: the next leader, which may be this process, raises its own
	// alarms.
	defer reporter.clear()
	for delay := minRetryDelay; ; delay = min(2*delay, maxRetryDelay) {
		err := do()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ledger.ErrFenced):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		reporter.raise(err)
		if err := gax.Sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// lookup returns the sweep with an id, or nil.
func (t *term) lookup(id string) *entry {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.sweeps[id]
}

// find returns a sweep by id, by a prefix of its id, by the name of its result set, or by its name;
// of several sweeps of a name, the newest.
func (t *term) find(ref string) (*entry, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if e := t.sweeps[ref]; e != nil {
		return e, nil
	}
	var named *entry
	var prefixed []*entry
	for id, e := range t.sweeps {
		if e.design.name == ref && (named == nil || e.design.created.After(named.design.created)) {
			named = e
		}
		if len(ref) >= 4 && strings.HasPrefix(id, ref) || e.design.set == ref {
			prefixed = append(prefixed, e)
		}
	}
	switch {
	case named != nil:
		return named, nil
	case len(prefixed) == 1:
		return prefixed[0], nil
	case len(prefixed) > 1:
		return nil, fmt.Errorf("find sweep %q: %w", ref, errAmbiguous)
	}
	return nil, fmt.Errorf("find sweep %q: %w", ref, errUnknownSweep)
}

// ask runs a function in the loop and returns its result.
func ask[T any](ctx context.Context, t *term, f func() T) (T, error) {
	answer := make(chan T, 1)
	t.inbox.put(func() { answer <- f() })
	return await(ctx, t, answer)
}

// await waits for an answer of the loop, until ctx or the term ends.
func await[T any](ctx context.Context, t *term, answer <-chan T) (T, error) {
	var zero T
	select {
	case v := <-answer:
		return v, nil
	case <-ctx.Done():
		return zero, ctx.Err()
	case <-t.ended:
		return zero, &notLeaderError{}
	}
}

// request passes an event with a token to the board and waits for the answer.
func (t *term) request(ctx context.Context, event func(token uint64) board.Event) (board.Answer, error) {
	answer := make(chan board.Answer, 1)
	t.inbox.put(func() {
		t.tokens++
		t.waiters[t.tokens] = func(a board.Answer) { answer <- a }
		t.step(event(t.tokens))
	})
	return await(ctx, t, answer)
}
