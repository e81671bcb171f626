package coordinator

import (
	"context"
	"sync"
)

// queue hands items from any goroutine to one, in order. It has no bound of its own: what is put
// into it is bounded by capacities of nodes, by the memory budget of deliveries, and by whoever
// looks at how much waits.
type queue[T any] struct {
	mu    sync.Mutex
	items []T
	ready chan struct{} // has a token when items may be there
}

func newQueue[T any]() *queue[T] { return &queue[T]{ready: make(chan struct{}, 1)} }

// put adds an item, and returns how many are waiting then.
func (q *queue[T]) put(x T) int {
	q.mu.Lock()
	q.items = append(q.items, x)
	n := len(q.items)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return n
}

// all takes everything that is waiting, without waiting.
func (q *queue[T]) all() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items = nil
	return items
}

// wait takes everything that is waiting, at least one item.
func (q *queue[T]) wait(ctx context.Context) ([]T, error) {
	for {
		if items := q.all(); len(items) > 0 {
			return items, nil
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// next takes one item; several goroutines may.
func (q *queue[T]) next(ctx context.Context) (T, error) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			x := q.items[0]
			q.items = q.items[1:]
			more := len(q.items) > 0
			q.mu.Unlock()
			if more {
				select {
				case q.ready <- struct{}{}:
				default:
				}
			}
			return x, nil
		}
		q.mu.Unlock()
		select {
		case <-q.ready:
		case <-ctx.Done():
			var zero T
			return zero, ctx.Err()
		}
	}
}
