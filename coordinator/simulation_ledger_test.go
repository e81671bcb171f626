package coordinator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// sessionTTL is the time after which a leader that does not reach the ledger is replaced.
const sessionTTL = 5 * time.Second

// simLedger is the ledger that all coordinators of a simulation share. Guarded by world.mu.
type simLedger struct {
	world     *world
	keys      map[string][]byte
	ephemeral map[string]bool
	epoch     uint64
	leader    *process
	lost      chan struct{}
	vacant    time.Time // since when the leader does not renew its session; zero while it does
	resigned  bool      // the leader has closed its session, which the ledger does not know
}

func newSimLedger(w *world) *simLedger {
	return &simLedger{world: w, keys: map[string][]byte{}, ephemeral: map[string]bool{}}
}

// expire ends the session of a leader that has been dead or suspended for the TTL.
func (l *simLedger) expire() {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	if l.leader == nil {
		return
	}
	if !l.leader.dead && !l.leader.paused && !l.resigned {
		l.vacant = time.Time{}
		return
	}
	if l.vacant.IsZero() {
		l.vacant = time.Now()
	}
	if time.Since(l.vacant) >= sessionTTL {
		l.world.note("session of p%d expires", l.leader.number)
		l.end()
	}
}

// end ends the current leadership. The leader learns it when the scheduler says so: it may be
// suspended. Call it with world.mu.
func (l *simLedger) end() {
	lost, former := l.lost, l.leader
	l.leader, l.lost, l.vacant, l.resigned = nil, nil, time.Time{}, false
	for key := range l.ephemeral {
		delete(l.keys, key)
	}
	clear(l.ephemeral)
	if former.dead {
		return
	}
	l.world.parked = append(l.world.parked, &operation{
		process: former, label: "learn that the session has expired", done: make(chan error, 1),
		effect: func() error { close(lost); return nil },
	})
}

// forget stops the renewal of a dead process's session. Call it with world.mu.
func (l *simLedger) forget(p *process) {
	if l.leader == p && l.vacant.IsZero() {
		l.vacant = time.Now()
	}
}

// simBackend is the ledger as one process reaches it.
type simBackend struct {
	*simLedger
	process *process
}

var _ ledger.Backend = (*simBackend)(nil)

func (b *simBackend) Close() error { return nil }

func (b *simBackend) Leader(context.Context) (string, error) {
	b.world.mu.Lock()
	defer b.world.mu.Unlock()
	if b.leader == nil {
		return "", nil
	}
	return fmt.Sprint("p", b.leader.number), nil
}

func (b *simBackend) Campaign(ctx context.Context, _ string, accepted func()) (*ledger.Leadership, error) {
	accepted()
	var won *ledger.Leadership
	err := b.world.wait(ctx, &operation{
		process: b.process, label: "campaign", done: make(chan error, 1),
		ready: func() bool { return b.leader == nil },
		effect: func() error {
			if b.leader != nil { // it was elected, and the answer was lost
				return errInjected
			}
			b.epoch++
			b.leader, b.lost, b.resigned = b.process, make(chan struct{}), false
			won = &ledger.Leadership{
				Ledger: &simLeaderLedger{b, b.epoch}, Epoch: b.epoch, Lost: b.lost, Resign: b.resign(b.epoch),
			}
			return nil
		},
	})
	if err != nil {
		b.world.mu.Lock()
		defer b.world.mu.Unlock()
		if won != nil && b.leader == b.process && !b.process.dead { // the session is given up
			b.leader, b.lost = nil, nil
		}
		return nil, err
	}
	return won, nil
}

func (b *simBackend) resign(epoch uint64) func(context.Context) error {
	return func(ctx context.Context) error {
		leads := func() bool { return b.epoch == epoch && b.leader == b.process }
		b.world.mu.Lock()
		b.resigned = b.resigned || leads()
		b.world.mu.Unlock()
		return b.world.do(ctx, b.process, "resign", func() error {
			if leads() {
				b.end()
			}
			return nil
		})
	}
}

func (b *simBackend) Load(ctx context.Context, prefix string, visit func(key string, value []byte) error) error {
	var keys []string
	values := map[string][]byte{}
	err := b.world.do(ctx, b.process, "load "+prefix, func() error {
		for k, v := range b.keys {
			if strings.HasPrefix(k, prefix) {
				keys = append(keys, k)
				values[k] = v
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := visit(k, values[k]); err != nil {
			return err
		}
	}
	return nil
}

// simLeaderLedger is the ledger as the leader of one epoch writes it.
type simLeaderLedger struct {
	*simBackend
	of uint64 // epoch
}

var _ ledger.Ledger = (*simLeaderLedger)(nil)

func (l *simLeaderLedger) Commit(ctx context.Context, writes []ledger.Write) error {
	label := "commit"
	for _, w := range writes {
		label += " " + w.Key
		if w.Delete {
			label += " (delete)"
		}
	}
	return l.world.do(ctx, l.process, label, func() error {
		if l.of != l.epoch || l.leader != l.process {
			return ledger.ErrFenced
		}
		for _, w := range writes {
			l.write(w)
		}
		return nil
	})
}

func (l *simLeaderLedger) write(w ledger.Write) {
	switch {
	case w.Delete && w.Prefix:
		for k := range l.keys {
			if strings.HasPrefix(k, w.Key) {
				delete(l.keys, k)
			}
		}
	case w.Delete:
		delete(l.keys, w.Key)
	default:
		l.keys[w.Key] = slices.Clone(w.Value)
		if w.Ephemeral {
			l.ephemeral[w.Key] = true
		}
	}
}
