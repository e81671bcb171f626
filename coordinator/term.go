package coordinator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/spool"
)

const (
	tickEvery = 100 * time.Millisecond
	// stalledAfter is how late a tick of a process that runs never is.
	stalledAfter = time.Second
	// minRetryDelay and maxRetryDelay bound the wait between attempts to write to a ledger or store
	// that fails.
	minRetryDelay = 20 * time.Millisecond
	maxRetryDelay = 2 * time.Second
)

// term is one reign: everything that a leader has and that ends with its leadership.
//
// Ownership: what stands from board to withheld belongs to the loop goroutine; others hand it
// functions through inbox. What mu guards is read by the servers too. Everything else has its own
// lock or never changes.
type term struct {
	cfg     *Config
	ledger  ledger.Ledger
	epoch   uint64
	spool   *spool.Spool
	index   *index
	log     *slog.Logger
	alarms  *alarms
	metrics *metrics
	ended   <-chan struct{}

	budget  *semaphore.Weighted // bytes of deliveries in memory
	reading *semaphore.Weighted // bytes of shards in memory that are sent to readers

	board      *board.Board
	tokens     uint64
	waiters    map[uint64]func(board.Answer)
	incoming   map[uint64]*incoming
	unsaved    int            // steps of the board that wait for the ledger
	confirming int            // proofs that this leader still leads which are on their way
	withheld   []board.Action // grants, until they are there

	inbox   *queue[func()]
	saves   *queue[save]
	commits *queue[*incoming]
	files   *queue[fileJob] // merges and other work on files
	failing *queue[fileJob]

	submit  sync.Mutex          // held while a sweep is created or reopened
	orphans map[string][]string // see loadSweeps; belongs to submit

	mu     sync.RWMutex
	sweeps map[string]*entry
	nodes  map[uint64]*nodeStream
	conns  uint64
}

// entry is one sweep as the leader's goroutines see it.
type entry struct {
	design  *design
	failure string                   // why it cannot be planned by this release, or ""
	parts   map[int]ledger.PartState // belongs to term.mu
}

func newTerm(cfg *Config, l *ledger.Leadership, log *slog.Logger, alarms *alarms, metrics *metrics) *term {
	log = log.With("epoch", l.Epoch)
	sp := spool.New(cfg.Spool, l.Epoch, log)
	return &term{
		cfg: cfg, ledger: l.Ledger, epoch: l.Epoch, spool: sp, index: newIndex(sp), log: log,
		alarms: alarms, metrics: metrics,
		budget:  semaphore.NewWeighted(cfg.DeliveryMemory),
		reading: semaphore.NewWeighted(readerMemory),
		board:   board.New(cfg.LeaseTTL, min(cfg.LeaseTTL, cfg.ReconnectGrace), l.Epoch<<32),
		waiters: map[uint64]func(board.Answer){}, incoming: map[uint64]*incoming{},
		inbox: newQueue[func()](), saves: newQueue[save](), commits: newQueue[*incoming](),
		files: newQueue[fileJob](), failing: newQueue[fileJob](),
		sweeps: map[string]*entry{}, nodes: map[uint64]*nodeStream{},
	}
}

// fail is where a test ends the process.
func (t *term) failpoint(step string) { t.cfg.failpoint(step) }

// run leads until ctx ends, the reign is lost or something cannot go on; it returns when every
// goroutine of it has. Ready is called once requests can be served.
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
		t.tidyUp(ctx, states)
		for range t.cfg.Mergers {
			g.Go(func() error { return t.fileWorker(ctx) })
		}
		return nil
	})
	g.Go(func() error { return t.retryFiles(ctx) })
	ready()
	err = g.Wait()
	t.endFiles()
	t.closeNodes()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// loop owns the board: it takes what others put into inbox, and lets time pass.
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

// tick tells the board what time it is, and where that comes late, that it was not the nodes who
// were silent.
func (t *term) tick(last time.Time) (now time.Time) {
	now = time.Now()
	if gap := now.Sub(last); gap > stalledAfter {
		t.log.Warn("this process stood still; nodes are not blamed for it", "for", gap)
		t.step(board.Stalled{Gap: gap})
		t.confirmLeadership()
	}
	t.step(board.Tick{Now: now})
	return now
}

// post steps the board from another goroutine.
func (t *term) post(event board.Event) { t.inbox.put(func() { t.step(event) }) }

// retry does something until it works, ErrFenced comes or ctx ends. Meanwhile there is an alarm
// about subject.
func (t *term) retry(ctx context.Context, subject string, do func() error) error {
	trouble := t.alarms.reporter(subject)
	// Also where the term ends first: the next leader has its own trouble, and this process may be
	// it.
	defer trouble.clear()
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
		trouble.raise(board.OneLine(err.Error()))
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lookup finds a sweep by its full id.
func (t *term) lookup(id string) *entry {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.sweeps[id]
}

// find finds a sweep by id, by a prefix of it, or by the name of the newest sweep that has it.
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
		return nil, fmt.Errorf("%q: %w", ref, errAmbiguous)
	}
	return nil, fmt.Errorf("%q: %w", ref, errUnknownSweep)
}

// ask has the loop compute something.
func ask[T any](ctx context.Context, t *term, f func() T) (T, error) {
	answer := make(chan T, 1)
	t.inbox.put(func() { answer <- f() })
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

// request steps the board and waits for the answer to it.
func (t *term) request(ctx context.Context, event func(token uint64) board.Event) (board.Answer, error) {
	answer := make(chan board.Answer, 1)
	t.inbox.put(func() {
		t.tokens++
		t.waiters[t.tokens] = func(a board.Answer) { answer <- a }
		t.step(event(t.tokens))
	})
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return board.Answer{}, ctx.Err()
	case <-t.ended:
		return board.Answer{}, &notLeaderError{}
	}
}
