package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/googleapis/gax-go/v2"
)

// maxFaults is how many faults may last at once.
const maxFaults = 4

// injector applies faults that it draws from a seed. What is drawn is always the same; the state of
// the cluster when a fault begins is not.
type injector struct {
	faults []fault
	random *rand.Rand
	start  time.Time
	notify func(Event)

	mu     sync.Mutex
	busy   map[string]bool // parts of targets
	events []Event
	errs   []error
}

func newInjector(faults []fault, seed uint64, start time.Time, notify func(Event)) *injector {
	return &injector{
		faults: faults,
		random: rand.New(rand.NewPCG(seed, 0)),
		start:  start,
		notify: notify,
		busy:   map[string]bool{},
	}
}

// run applies faults until ctx ends, and then undoes those that last.
func (i *injector) run(ctx context.Context) error {
	var lasting sync.WaitGroup
	room := make(chan struct{}, maxFaults)
	for {
		wait := 200*time.Millisecond + time.Duration(i.random.Int64N(int64(1200*time.Millisecond)))
		if gax.Sleep(ctx, wait) != nil {
			break
		}
		fault, target, length := i.draw()
		if !i.claim(target) {
			continue
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		lasting.Go(func() {
			defer func() { <-room }()
			i.apply(ctx, fault, target, length)
		})
	}
	lasting.Wait()
	return errors.Join(i.errs...)
}

// draw chooses a fault, its target and how long it lasts.
func (i *injector) draw() (fault, target, time.Duration) {
	total := 0
	for _, f := range i.faults {
		total += f.weight
	}
	n, k := i.random.IntN(total), 0
	for n >= i.faults[k].weight {
		n -= i.faults[k].weight
		k++
	}
	f := i.faults[k]
	return f, f.targets[i.random.IntN(len(f.targets))], f.least + time.Duration(i.random.Int64N(int64(f.most-f.least)))
}

// claim takes all parts of a target, or none.
func (i *injector) claim(t target) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if slices.ContainsFunc(t.parts, func(part string) bool { return i.busy[part] }) {
		return false
	}
	for _, part := range t.parts {
		i.busy[part] = true
	}
	return true
}

func (i *injector) apply(ctx context.Context, f fault, t target, length time.Duration) {
	began := time.Now()
	err := t.begin()
	if err == nil {
		_ = gax.Sleep(ctx, length)
	}
	err = errors.Join(err, t.end())
	event := Event{At: began.Sub(i.start), Fault: f.name, Target: t.name, Lasted: time.Since(began)}
	i.notify(event)
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, part := range t.parts {
		delete(i.busy, part)
	}
	i.events = append(i.events, event)
	if err != nil {
		i.errs = append(i.errs, fmt.Errorf("fault %s on %s: %w", f.name, t.name, err))
	}
}
