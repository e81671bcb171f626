package ledger

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// Memory is a ledger within one process. A coordinator that gets the Memory of an earlier one finds
// the state that it left, as with etcd.
type Memory struct {
	mu        sync.Mutex
	keys      map[string][]byte
	ephemeral map[string]bool
	epoch     uint64
	leading   chan struct{} // has a token while there is a leader
	address   string
}

// NewMemory returns an empty ledger in memory.
func NewMemory() *Memory {
	return &Memory{keys: map[string][]byte{}, ephemeral: map[string]bool{}, leading: make(chan struct{}, 1)}
}

var _ Backend = (*Memory)(nil)

// Campaign waits for the end of the current leadership.
func (m *Memory) Campaign(ctx context.Context, address string, accepted func()) (*Leadership, error) {
	accepted()
	select {
	case m.leading <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch++
	m.address = address
	for key := range m.ephemeral {
		delete(m.keys, key)
	}
	clear(m.ephemeral)
	var once sync.Once
	return &Leadership{
		Ledger: &memoryLedger{m, m.epoch}, Epoch: m.epoch, Lost: make(chan struct{}),
		Resign: func(context.Context) error {
			once.Do(func() {
				m.mu.Lock()
				m.address = ""
				m.mu.Unlock()
				<-m.leading
			})
			return nil
		},
	}, nil
}

func (m *Memory) Leader(context.Context) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.address, nil
}

func (m *Memory) Close() error { return nil }

func (m *Memory) Load(ctx context.Context, prefix string, visit func(key string, value []byte) error) error {
	m.mu.Lock()
	var keys []string
	values := map[string][]byte{}
	for k, v := range m.keys {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
			values[k] = v
		}
	}
	m.mu.Unlock()
	slices.Sort(keys)
	for _, k := range keys {
		if err := visit(k, values[k]); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// memoryLedger is Memory as the leader of one epoch writes it.
type memoryLedger struct {
	memory *Memory
	epoch  uint64 // of the leader
}

var _ Ledger = (*memoryLedger)(nil)

func (l *memoryLedger) Load(ctx context.Context, prefix string, visit func(key string, value []byte) error) error {
	return l.memory.Load(ctx, prefix, visit)
}

func (l *memoryLedger) Commit(ctx context.Context, writes []Write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.memory.mu.Lock()
	defer l.memory.mu.Unlock()
	if l.epoch != l.memory.epoch {
		return ErrFenced
	}
	for _, w := range writes {
		switch {
		case w.Delete && w.Prefix:
			for k := range l.memory.keys {
				if strings.HasPrefix(k, w.Key) {
					delete(l.memory.keys, k)
				}
			}
		case w.Delete:
			delete(l.memory.keys, w.Key)
		default:
			l.memory.keys[w.Key] = slices.Clone(w.Value)
			if w.Ephemeral {
				l.memory.ephemeral[w.Key] = true
			}
		}
	}
	return nil
}
