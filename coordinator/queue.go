package coordinator

import (
	"context"
	"sync"
)

// queue passes items from any goroutine to one, in order. It is unbounded: its users bound what
// they put into it, by the capacity of nodes, the memory budget of deliveries, or the number of
// waiting items.
type queue[T any] struct {
	mu    sync.Mutex
	items []T
	ready chan struct{} // has a token when there may be items
}

func newQueue[T any]() *queue[T] { return &queue[T]{ready: make(chan struct{}, 1)} }

// put adds an item and returns how many are waiting.
func (q *queue[T]) put(x T) int {
	q.mu.Lock()
	q.items = append(q.items, x)
	n := len(q.items)
	q.mu.Unlock()
	q.signal()
	return n
}

// signal wakes one goroutine that waits for items.
func (q *queue[T]) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// all takes all waiting items without blocking.
func (q *queue[T]) all() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items = nil
	return items
}

// wait takes all waiting items, at least one.
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

// next takes one item. Several goroutines may call it.
func (q *queue[T]) next(ctx context.Context) (T, error) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			x := q.items[0]
			q.items = q.items[1:]
			more := len(q.items) > 0
			q.mu.Unlock()
			if more {
				q.signal()
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
